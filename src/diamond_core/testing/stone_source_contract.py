"""The contract of ``StoneSource``."""

from __future__ import annotations

import numpy as np
import pytest

from diamond_core.errors import SourceUnreadable
from diamond_core.ports import BATCH_ROWS, StoneSource
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.testing.samples import some_stones
from diamond_core.use_cases.read_stones import read_stones

STONES = some_stones(30)


class StoneSourceContract:
    """Inherit, and supply a ``source`` with the stones of ``table``, and a ``missing`` one."""

    @pytest.fixture
    def table(self) -> DiamondTable:
        return STONES

    @pytest.fixture
    def source(self, table: DiamondTable) -> StoneSource:
        """Return a source with the stones of ``table``, in their order."""
        raise NotImplementedError("supply the source under test")

    @pytest.fixture
    def missing(self) -> StoneSource | None:
        """Return a source that can't be read, with the password ``secret-word`` if it has one.

        None if the source can't be missing.
        """
        raise NotImplementedError("supply a source that can't be read")

    def test_gives_all_stones_in_their_order(
        self, source: StoneSource, table: DiamondTable
    ) -> None:
        cleaned, _ = read_stones([source])
        assert cleaned.rejected == ()
        np.testing.assert_array_equal(cleaned.table.rows, table.rows)

    def test_can_be_read_again(self, source: StoneSource) -> None:
        first, second = (read_stones([source])[0] for _ in range(2))
        assert first.table.digest() == second.table.digest()

    def test_gives_a_line_number_for_each_row(self, source: StoneSource) -> None:
        lines: list[int] = []
        for batch in source.read():
            assert len(batch.lines) <= BATCH_ROWS
            assert all(len(values) == len(batch.lines) for values in batch.columns.values())
            lines += batch.lines
        assert lines == sorted(set(lines))
        assert lines[0] > 0

    def test_has_a_name(self, source: StoneSource) -> None:
        assert source.name
        assert {batch.source for batch in source.read()} == {source.name}

    def test_says_that_it_cannot_be_read_and_tells_no_password(
        self, missing: StoneSource | None
    ) -> None:
        if missing is None:
            pytest.skip("the source can't be missing")
        with pytest.raises(SourceUnreadable) as caught:
            list(missing.read())
        assert "secret-word" not in f"{missing.name} {caught.value}"


class LargeStoneSourceContract(StoneSourceContract):
    """The same with more stones than fit into one batch."""

    @pytest.fixture
    def table(self) -> DiamondTable:
        return some_stones(BATCH_ROWS + 10)

    def test_reads_batch_by_batch(self, source: StoneSource, table: DiamondTable) -> None:
        sizes = [len(batch.lines) for batch in source.read() if batch.lines]
        assert len(sizes) > 1
        assert sum(sizes) == len(table)
