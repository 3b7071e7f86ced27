"""The report of a training: one page that opens offline and can be sent to a colleague."""

from diamond_adapters.report.page import write_report

__all__ = ["write_report"]
