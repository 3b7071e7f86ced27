"""Price a file of stones: a CSV or a Parquet file, as its name says."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

from diamond_app.priced_rows import PricedFile, PriceParts
from diamond_core import PriceDiamonds, Progress, SourceUnreadable, no_progress

PARQUET: Final = ".parquet"


def price_file(
    path: Path,
    target: IO[bytes],
    price_diamonds: PriceDiamonds,
    price_parts: PriceParts,
    *,
    name: str = "",
    keep_formulas: bool = False,
    progress: Progress = no_progress,
) -> PricedFile:
    """Price the file at *path* into *target*; messages call it *name*, by default its path.

    Raises:
        SourceUnreadable: it can't be opened; else see ``price_csv`` and ``price_parquet``.
    """
    name = name or str(path)
    try:
        opened = path.open("rb")
    except OSError as ex:
        raise SourceUnreadable(name, ex.strerror or str(ex)) from ex
    with opened as source:
        if is_parquet(path):
            from diamond_app.priced_parquet import price_parquet

            return price_parquet(
                name, source, target, price_diamonds, progress=progress, price_parts=price_parts
            )
        from diamond_app.priced_csv import price_csv

        return price_csv(
            name,
            source,
            path.stat().st_size,
            target,
            price_diamonds,
            progress=progress,
            keep_formulas=keep_formulas,
            price_parts=price_parts,
        )


def is_parquet(path: Path) -> bool:
    """Return whether the name is that of a Parquet file."""
    return path.suffix.lower() == PARQUET
