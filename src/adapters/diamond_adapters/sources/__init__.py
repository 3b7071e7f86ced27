"""Where stones come from: CSV files and URLs, SQL tables, and the bundled data set."""

from diamond_adapters.sources.bundled import bundled_source
from diamond_adapters.sources.csv_source import CsvSource
from diamond_adapters.sources.locate import locate_sources
from diamond_adapters.sources.sql_source import SqlSource

__all__ = ["CsvSource", "SqlSource", "bundled_source", "locate_sources"]
