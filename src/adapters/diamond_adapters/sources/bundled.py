"""The bundled data set: the 53,940 stones of ggplot2's ``diamonds``, at 2008 prices."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Final

from diamond_adapters.sources.csv_source import CsvSource
from diamond_core import RawStones

PRICED_ON: Final = date(2008, 7, 1)
"""The middle of the year of its prices: their days are not known."""
BUNDLED_NAME: Final = (
    f"bundled diamonds (53,940 round natural stones, {PRICED_ON.year} prices in USD)"
)


class BundledSource(CsvSource):
    """The ``StoneSource`` of the bundled stones, dated ``PRICED_ON``."""

    def __init__(self) -> None:
        data = files("diamond_adapters.sources").joinpath("diamonds.csv.gz")
        super().__init__(BUNDLED_NAME, lambda: io.BytesIO(data.read_bytes()))

    def read(self) -> Iterator[RawStones]:
        for batch in super().read():
            dates = {"date": [PRICED_ON] * len(batch.lines)}
            yield replace(batch, columns={**batch.columns, **dates})


def bundled_source(url: str = "bundled:") -> BundledSource:
    """Return the source of the bundled stones; *url* has no options."""
    return BundledSource()
