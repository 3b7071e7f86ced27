"""The formats of the log: JSON lines for machines, plain lines on a terminal.

structlog can do this too, but takes 60 ms to import.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from gunicorn.config import Config
from gunicorn.glogging import Logger

from diamond_app.printable import printable
from diamond_app.settings import Settings
from diamond_core.errors import InvalidSetting

ACCESS_FORMAT: Final = '%(h)s "%(m)s %(U)s" %(s)s %(B)s bytes %(L)s s %({x-request-id}o)s'
"""One line per request, if gunicorn's ``--access-logfile -`` is set; never contains a key."""

_ACCESS_FIELDS: Final = {
    "client": "h",
    "method": "m",
    "path": "U",
    "status": "s",
    "bytes": "B",
    "seconds": "L",
    "request_id": "{x-request-id}o",
}
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with everything that was passed as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
        }
        if record.name == "gunicorn.access" and isinstance(record.args, Mapping):
            atoms = record.args
            entry |= {field: atoms[atom] for field, atom in _ACCESS_FIELDS.items()}
        else:
            entry["message"] = record.getMessage()
            entry |= _extra(record)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return printable(msgspec.json.encode(entry, enc_hook=str).decode())


class TextFormatter(logging.Formatter):
    """One line for people; ``extra``, such as the request id, is at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Return the line with ``extra`` in brackets."""
        extras = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        line = super().formatMessage(record) + (f"  [{extras}]" if extras else "")
        return printable(line)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def formatter() -> logging.Formatter:
    """Return the formatter that is set; ``auto`` is text on a terminal, else JSON."""
    try:
        format = Settings.load().log_format
    except InvalidSetting:  # the application reports it in a moment
        format = "auto"
    is_text = format == "text" or (format == "auto" and sys.stderr.isatty())
    return TextFormatter() if is_text else JsonFormatter()


class ServiceLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger, with our formats, and with our own loggers on the same stream."""

    def setup(self, cfg: Config) -> None:
        """Set up logging; gunicorn calls it at the start and on every reload."""
        super().setup(cfg)
        ours = formatter()
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(ours)
        root = logging.getLogger()
        root.handlers = list(self.error_log.handlers)
        root.setLevel(self.loglevel)
