"""The request log as a file: JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from diamond_app import request_responses, responses
from diamond_app.csv_cells import neutralized
from diamond_app.whole_file import whole_file
from diamond_core import Exchange, ExchangeFilter, Progress, RequestLog
from diamond_core.use_cases.read_requests import read_requests

_REPORT_EVERY: Final = 100


def export_exchanges(
    log: RequestLog,
    filter: ExchangeFilter,
    format: str,
    output: Path | None,
    progress: Progress,
    *,
    keep_formulas: bool = False,
) -> int:
    """Write the exchanges that match *filter* to *output*, or to stdout; return how many.

    A file appears under its name when it is complete. A cell of a CSV that is a formula is
    neutralized, unless *keep_formulas*.

    Raises:
        Unavailable: the log can't be read, or the file can't be written.
    """
    line = _csv_line(keep_formulas) if format == "csv" else _json_line
    expected = log.count(filter) if output is not None else 0
    exported = 0
    with whole_file(output) as file:
        if format == "csv":
            file.write(_csv_bytes(request_responses.Exchange.__struct_fields__))
        for exchange in read_requests(log, filter):
            file.write(line(exchange))
            exported += 1
            if exported % _REPORT_EVERY == 0 and output is not None:
                progress(f"exporting {expected:,} exchanges", min(exported / max(expected, 1), 1.0))
    return exported


def _json_line(exchange: Exchange) -> bytes:
    return responses.encode_line(request_responses.Exchange.of(exchange, bodies=True))


def _csv_line(keep_formulas: bool) -> Callable[[Exchange], bytes]:
    def line(exchange: Exchange) -> bytes:
        answer = request_responses.Exchange.of(exchange, bodies=True)
        cells = [_cell(getattr(answer, name)) for name in answer.__struct_fields__]
        return _csv_bytes(cells if keep_formulas else neutralized(cells))

    return line


def _cell(value: object) -> str:
    if isinstance(value, (dict, msgspec.Struct)):
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    return "" if value is msgspec.UNSET else str(value)


def _csv_bytes(cells: Iterable[object]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
