"""The bundled data set: the 53,940 stones of ggplot2's ``diamonds``, at 2008 prices."""

from __future__ import annotations

import io
from importlib.resources import files

from diamond_adapters.sources.csv_source import CsvSource

BUNDLED_NAME = "bundled diamonds (53,940 round natural stones, 2008 prices in USD)"


def bundled_source(url: str = "bundled:") -> CsvSource:
    """Return the source of the bundled stones; *url* has no options."""
    data = files("diamond_adapters.sources").joinpath("diamonds.csv.gz")
    return CsvSource(BUNDLED_NAME, lambda: io.BytesIO(data.read_bytes()))
