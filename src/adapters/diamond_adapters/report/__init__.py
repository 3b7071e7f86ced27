"""The training report: one page that works offline and can be sent by email."""

from diamond_adapters.report.page import write_report

__all__ = ["write_report"]
