"""The request log as a file: JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from diamond_app import responses
from diamond_core import Exchange, ExchangeFilter, Progress, RequestLog, Unavailable
from diamond_core.use_cases.read_requests import read_requests

_REPORT_EVERY: Final = 100


def export_exchanges(
    log: RequestLog,
    filter: ExchangeFilter,
    format: str,
    output: Path | None,
    progress: Progress,
) -> int:
    """Write the exchanges that match *filter* to *output*, or to stdout; return how many.

    A file appears under its name when it is complete.

    Raises:
        Unavailable: the log can't be read, or the file can't be written.
    """
    line = _csv_line if format == "csv" else _json_line
    expected = log.count(filter) if output is not None else 0
    exported = 0
    with _opened(output) as file:
        if format == "csv":
            file.write(_csv_bytes(responses.Exchange.__struct_fields__))
        for exchange in read_requests(log, filter):
            file.write(line(exchange))
            exported += 1
            if exported % _REPORT_EVERY == 0 and output is not None:
                progress(f"exporting {expected:,} exchanges", min(exported / max(expected, 1), 1.0))
    return exported


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(output)
    except OSError as ex:
        raise Unavailable(f"{output} can't be written: {ex.strerror or ex}") from ex
    finally:
        draft.unlink(missing_ok=True)


def _json_line(exchange: Exchange) -> bytes:
    return responses.encode(responses.Exchange.of(exchange, bodies=True)) + b"\n"


def _csv_line(exchange: Exchange) -> bytes:
    cells = msgspec.structs.asdict(responses.Exchange.of(exchange, bodies=True))
    cells["headers"] = json.dumps(cells["headers"], ensure_ascii=False)
    return _csv_bytes(cells.values())


def _csv_bytes(cells: Iterable[object]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
