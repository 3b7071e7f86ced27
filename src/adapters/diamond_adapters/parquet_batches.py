"""Parquet files as record batches, read and written one after the other."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from diamond_adapters.installed import not_installed
from diamond_core import SourceUnreadable

if TYPE_CHECKING:
    from arro3.core import RecordBatch, Schema

# In a process of its own: on damaged files, arro3 can abort the process that it runs in.
_READER: Final = (
    "import sys; from arro3.io import read_parquet, write_ipc_stream;"
    "rows = read_parquet(open(0, 'rb'), batch_size=int(sys.argv[1]));"
    "write_ipc_stream(rows, sys.stdout.buffer, compression=None)"
)
_ROWS_OF_A_GROUP: Final = 100_000
"""How many rows are written at once: they are in memory until then."""


def damaged(name: str) -> SourceUnreadable:
    """Return the error of a Parquet file that can't be read."""
    reason = "the Parquet file is damaged, or has a feature that arro3 can't read"
    return SourceUnreadable(name, reason)


@contextmanager
def read_batches(
    name: str, file: BinaryIO, rows: int
) -> Iterator[tuple[Schema, Iterator[RecordBatch]]]:
    """Yield the schema and the batches of up to *rows* rows of a *file* that has a descriptor.

    Raises:
        SourceUnreadable: it can't be read, at once or at a later batch.
    """
    try:
        from arro3.io import read_ipc_stream
    except ImportError as ex:
        raise SourceUnreadable(name, not_installed(ex)) from ex
    file.seek(0)
    command = (sys.executable, "-c", _READER, str(rows))
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=file, stdout=pipe, stderr=null) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        try:
            reader = read_ipc_stream(process.stdout)
            schema = reader.schema
        except Exception as ex:  # arro3 raises nothing more specific
            raise damaged(name) from ex

        def batches() -> Iterator[RecordBatch]:
            while True:
                try:
                    batch = next(reader, None)
                except Exception as ex:
                    raise damaged(name) from ex
                if batch is None:
                    break
                yield batch
            if process.wait():
                raise damaged(name)

        yield schema, batches()


def write_batches(schema: Schema, batches: Iterable[RecordBatch], file: IO[bytes]) -> None:
    """Write all *batches* as a Parquet file; an error of *batches* is raised as it is."""
    from arro3.core import RecordBatchReader
    from arro3.io import write_parquet

    errors: list[BaseException] = []

    def watched() -> Iterator[RecordBatch]:
        try:
            yield from batches
        except BaseException as ex:
            errors.append(ex)
            raise

    try:
        reader = RecordBatchReader.from_batches(schema, watched())
        write_parquet(reader, file, max_row_group_size=_ROWS_OF_A_GROUP)
    except BaseException:
        if errors:
            raise errors[0] from None
        raise


def packed(batch: RecordBatch) -> bytes:
    """Return a batch as bytes, for another process."""
    from arro3.io import write_ipc_stream

    data = io.BytesIO()
    write_ipc_stream(batch, data, compression=None)
    return data.getvalue()


def unpacked(data: bytes) -> RecordBatch:
    """Return the batch that ``packed`` has made bytes of."""
    from arro3.io import read_ipc_stream

    return next(read_ipc_stream(io.BytesIO(data)))


def values_of(column: Any) -> list[Any]:
    """Return a column as Python values; a float32 is the number that its writer saw."""
    kind = str(column.type)
    if "Float64" in kind and not column.null_count:
        numbers: list[Any] = column.to_numpy().tolist()
        return numbers
    values: list[Any] = column.to_pylist()
    if "Float32" not in kind and "Float16" not in kind:
        return values
    return [None if each is None else float(str(np.float32(each))) for each in values]
