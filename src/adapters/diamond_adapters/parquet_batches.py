"""Parquet files as record batches, read and written one after the other."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from diamond_adapters.installed import not_installed
from diamond_core import SourceUnreadable
from diamond_core.stones.cleaning import READ_COLUMNS
from diamond_core.stones.fields import NUMBERS, PRICE

if TYPE_CHECKING:
    from arro3.core import RecordBatch, Schema

# In a process of its own: on damaged files, arro3 can abort the process that it runs in.
_READER: Final = (
    "import sys; from arro3.io import read_parquet, write_ipc_stream;"
    "rows = read_parquet(open(0, 'rb'), batch_size=int(sys.argv[1]));"
    "write_ipc_stream(rows, sys.stdout.buffer, compression=None)"
)
_NUMBERS: Final = frozenset({*NUMBERS, PRICE.name})
_PLAIN: Final = frozenset({"Float64", "Int64", "Int32", "Int16"})
_NARROW: Final = frozenset({"Float32", "Float16"})


def _damaged(name: str) -> SourceUnreadable:
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
    with subprocess.Popen(command, stdin=file, stdout=pipe, stderr=null) as process:  # noqa: S603  # ours
        assert process.stdout is not None  # noqa: S101  # it is a pipe
        try:
            reader = read_ipc_stream(process.stdout)
            schema = reader.schema
        except Exception as ex:  # arro3 raises nothing more specific
            raise _damaged(name) from ex

        def batches() -> Iterator[RecordBatch]:
            yield from watched(reader, lambda _: _damaged(name))
            if process.wait():
                raise _damaged(name)

        yield schema, batches()


def watched(
    batches: Iterable[RecordBatch], error: Callable[[Exception], Exception]
) -> Iterator[RecordBatch]:
    """Yield *batches* that arro3 reads; what it raises becomes an *error*, as it has none of its own."""
    left = iter(batches)
    while True:
        try:
            batch = next(left)
        except StopIteration:
            return
        except Exception as ex:
            raise error(ex) from ex
        yield batch


def write_batches(
    schema: Schema, batches: Iterable[RecordBatch], file: IO[bytes], rows: int
) -> None:
    """Write all *batches* as a Parquet file; an error of *batches* is raised as it is.

    *rows* are written at once, and are in memory until then.
    """
    from arro3.core import RecordBatchReader
    from arro3.io import write_parquet

    errors: list[BaseException] = []

    def noted() -> Iterator[RecordBatch]:
        try:
            yield from batches
        except BaseException as ex:
            errors.append(ex)
            raise

    try:
        reader = RecordBatchReader.from_batches(schema, noted())
        write_parquet(reader, file, max_row_group_size=rows)
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


def stones_of(
    name: str, names: Sequence[str], columns: Iterable[Any]
) -> dict[str, Sequence[object]]:
    """Return those of the *columns* of a file that describe stones, as ``RawStones`` has them.

    Raises:
        SourceUnreadable: the file is damaged.
    """
    found: dict[str, Any] = {}
    for each, column in zip(names, columns, strict=True):
        if each in READ_COLUMNS:
            is_array = each in _NUMBERS and _is_plain(column)
            found[each] = column.to_numpy() if is_array else values_of(name, column)
    return found


def values_of(name: str, column: Any) -> list[Any]:
    """Return a column of a file as Python values; a float32 is the number that its writer saw.

    Raises:
        SourceUnreadable: the file is damaged.
    """
    try:
        values: list[Any] = column.to_numpy().tolist() if _is_plain(column) else column.to_pylist()
    except Exception as ex:  # arro3 raises nothing more specific
        raise _damaged(name) from ex
    if _kind(column) not in _NARROW:
        return values
    return [None if each is None else float(str(np.float32(each))) for each in values]


def _is_plain(column: Any) -> bool:
    """Return whether numpy has these numbers too, and none is unknown."""
    return len(column) > 0 and not column.null_count and _kind(column) in _PLAIN


def _kind(column: Any) -> str:
    """Return the type of a column, such as Float64."""
    return str(column.type).strip().partition("<")[2].removesuffix(">")
