"""The record as a file: JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from diamond_app.exchange_answer import CSV_COLUMNS, exchange_answer, exchange_cells
from diamond_core.errors import Unavailable
from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.ports import Progress, RequestArchive, RequestLog
from diamond_core.use_cases.read_record import read_record

_TOLD_EVERY: Final = 100


def export_record(
    log: RequestLog,
    archive: RequestArchive,
    wanted: ExchangeFilter,
    format: str,
    output: Path | None,
    progress: Progress,
) -> int:
    """Write the exchanges that are *wanted* to *output*, or to stdout; return how many.

    A file appears under its name when it is whole.

    Raises:
        Unavailable: the record can't be read, or the file can't be written.
    """
    line = _csv_line if format == "csv" else _json_line
    expected = archive.count(wanted) if output is not None else 0
    exported = 0
    with _opened(output) as file:
        if format == "csv":
            file.write(_csv_bytes(CSV_COLUMNS))
        for exchange in read_record(log, wanted):
            file.write(line(exchange))
            exported += 1
            if exported % _TOLD_EVERY == 0 and output is not None:
                progress(f"exporting {expected:,} requests", min(exported / max(expected, 1), 1.0))
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
    return orjson.dumps(exchange_answer(exchange, bodies=True), option=orjson.OPT_APPEND_NEWLINE)


def _csv_line(exchange: Exchange) -> bytes:
    return _csv_bytes(exchange_cells(exchange))


def _csv_bytes(cells: Iterable[object]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()
