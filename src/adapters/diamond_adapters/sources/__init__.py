"""Where stones come from: CSV files and URLs, and the bundled data set."""

from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.csv_source import CsvSource
from diamond_adapters.sources.locate import locate_sources

__all__ = ["CsvSource", "bundled_source", "locate_sources"]
