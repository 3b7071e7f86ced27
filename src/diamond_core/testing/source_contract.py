"""What any ``DiamondSource`` must do."""

from __future__ import annotations

import numpy as np
import pytest

from diamond_core.cleaning import clean
from diamond_core.diamond_table import DiamondTable
from diamond_core.ports import DiamondSource
from diamond_core.testing.samples import some_stones

STONES = some_stones(30)


class DiamondSourceContract:
    """Inherit, and supply a ``source`` that holds the stones of ``table``, in their order."""

    @pytest.fixture
    def table(self) -> DiamondTable:
        return STONES

    @pytest.fixture
    def source(self, table: DiamondTable) -> DiamondSource:
        raise NotImplementedError("supply the source under test")

    def test_gives_all_stones_in_their_order(
        self, source: DiamondSource, table: DiamondTable
    ) -> None:
        cleaned = clean(source.read())
        assert cleaned.rejected == ()
        np.testing.assert_array_equal(cleaned.table.rows, table.rows)

    def test_can_be_read_again(self, source: DiamondSource) -> None:
        first, second = clean(source.read()), clean(source.read())
        assert first.table.digest() == second.table.digest()

    def test_gives_a_line_number_for_each_row(self, source: DiamondSource) -> None:
        raw = source.read()
        assert all(len(values) == len(raw.lines) for values in raw.columns.values())
        assert list(raw.lines) == sorted(set(raw.lines))

    def test_has_a_name(self, source: DiamondSource) -> None:
        assert source.name
        assert source.read().source == source.name
