"""Read stones from where they are, and clean them."""

from __future__ import annotations

from collections.abc import Sequence

from diamond_core.cleaning import CleanStones, clean
from diamond_core.diamond_table import DiamondTable
from diamond_core.ports import DiamondSource


def read_stones(sources: Sequence[DiamondSource]) -> tuple[CleanStones, str]:
    """Return the stones of all *sources* as one table, and the sources' names.

    Raises:
        SourceUnreadable: a source can't be read.
    """
    parts = [clean(source.read()) for source in sources]
    table = DiamondTable.concatenate([part.table for part in parts])
    rejected = tuple(row for part in parts for row in part.rejected)
    return CleanStones(table, rejected), ", ".join(source.name for source in sources)
