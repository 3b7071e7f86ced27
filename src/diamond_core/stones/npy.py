"""Stones as the bytes of an NPY file, which can be memory-mapped."""

from __future__ import annotations

import io

import numpy as np

from diamond_core.stones.diamond_table import DiamondTable


def to_npy(table: DiamondTable) -> bytes:
    """Return the rows of *table* as an NPY file; equal tables give equal bytes."""
    rows = np.zeros(len(table), dtype=table.rows.dtype)
    for name in table.rows.dtype.names or ():  # field by field: between them is any memory
        rows[name] = table.rows[name]
    buffer = io.BytesIO()
    np.save(buffer, rows, allow_pickle=False)
    return buffer.getvalue()


def from_npy(data: memoryview) -> DiamondTable:
    """Return the table in *data*, an NPY file, without a copy.

    Raises:
        ValueError: it is something else; numpy can raise other errors as well.
    """
    header = io.BytesIO(data[:16_384])
    version = np.lib.format.read_magic(header)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(header)
    if dtype.hasobject:
        raise ValueError("it contains objects")
    rows: np.ndarray = np.frombuffer(data, dtype, int(np.prod(shape)), header.tell())
    return DiamondTable(rows.reshape(shape))
