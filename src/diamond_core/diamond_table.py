"""Many stones, and their prices where known, as columns of one numpy structured array."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diamond_core.diamond import (
    CLARITIES,
    COLORS,
    CUTS,
    DEPTH_TOLERANCE,
    FIELDS,
    GRADE_NUMBERS,
    GRADES,
    LEAST,
    LIMITS,
    MEASUREMENTS,
    Diamond,
)
from diamond_core.errors import InvalidTable

Floats = NDArray[np.float64]

DTYPE: Final = np.dtype(
    [(field, np.uint8 if field in GRADES else np.float64) for field in (*FIELDS, "price")],
    align=True,
)
"""One row: nine fields and the price (USD); grades as numbers, unknown values as NaN."""

_CUT_NUMBERS = GRADE_NUMBERS["cut"]
_COLOR_NUMBERS = GRADE_NUMBERS["color"]
_CLARITY_NUMBERS = GRADE_NUMBERS["clarity"]
_NAN = float("nan")
_FEW: Final = 16


class DiamondTable:
    """An immutable table of stones. Slicing and masking give tables; columns are arrays.

    The rows are one array of ``DTYPE``, which may be memory-mapped. Grades are numbers, 0 the
    worst. Unknown measurements, and the price of a stone without one, are NaN.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: NDArray[np.void]) -> None:
        if rows.dtype != DTYPE or rows.ndim != 1:
            raise InvalidTable(f"rows must be one-dimensional and of the type {DTYPE}")
        self.rows = np.asarray(rows).view()  # a plain array reads faster than its memmap
        self.rows.flags.writeable = False

    @classmethod
    def from_columns(cls, columns: Mapping[str, ArrayLike]) -> DiamondTable:
        """Build a table from *columns* by field name; grades as names or as numbers.

        Measurements and ``price`` may be left out or hold NaN: they are unknown then.

        Raises:
            InvalidTable: a required column is missing, lengths differ, or a value is impossible.
        """
        unknown = set(columns) - set(DTYPE.names or ())
        missing = [name for name in ("carat", *GRADES) if name not in columns]
        if unknown or missing:
            raise InvalidTable(f"columns missing: {missing}; not known: {sorted(unknown)}")
        arrays = {
            name: _grade_numbers(name, values) if name in GRADES else np.asarray(values)
            for name, values in columns.items()
        }
        lengths = {array.shape for array in arrays.values()}
        if len(lengths) != 1 or len(next(iter(lengths))) != 1:
            raise InvalidTable(f"columns must be one-dimensional and equally long, not {lengths}")
        rows = np.full(len(arrays["carat"]), _NAN, dtype=np.float64)
        table = np.empty(len(rows), dtype=DTYPE)
        for name in (*MEASUREMENTS, "price"):
            table[name] = arrays.get(name, rows)
        table["carat"] = arrays["carat"]
        for name in GRADES:
            table[name] = arrays[name]
        for name, limit in LIMITS.items():
            good = (table[name] >= LEAST) & (table[name] <= limit.most)
            if name != "carat":
                good |= np.isnan(table[name])
            if not good.all():
                raise InvalidTable(f"{name} must be {limit.sentence}")
        if contradicted(table).any():
            raise InvalidTable("depth must not contradict x, y and z")
        if (table["price"] <= 0).any() or np.isinf(table["price"]).any():
            raise InvalidTable("price must be a finite number above 0, in USD")
        return cls(table)

    @classmethod
    def from_diamonds(
        cls, diamonds: Iterable[Diamond], prices: Iterable[float] | None = None
    ) -> DiamondTable:
        """Build a table from single *diamonds* and, where known, their *prices* in USD."""
        stones = list(diamonds)
        amounts = [_NAN] * len(stones) if prices is None else list(prices)
        if len(amounts) != len(stones):
            raise InvalidTable(f"{len(stones)} stones but {len(amounts)} prices")
        rows = [_row(stone, price) for stone, price in zip(stones, amounts, strict=True)]
        return cls(np.array(rows, dtype=DTYPE))

    @classmethod
    def concatenate(cls, tables: Sequence[DiamondTable]) -> DiamondTable:
        """Return one table with the rows of all *tables*, in order."""
        if not tables:
            return cls(np.empty(0, dtype=DTYPE))
        return cls(np.concatenate([table.rows for table in tables]))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, selection: slice | NDArray[Any]) -> DiamondTable:
        return DiamondTable(self.rows[selection])

    def __iter__(self) -> Iterator[Diamond]:
        return (self.diamond(index) for index in range(len(self)))

    def __repr__(self) -> str:
        return f"<DiamondTable of {len(self)} stones>"

    def column(self, name: str) -> NDArray[Any]:
        """Return one column, shape (n,): float64, or uint8 for a grade."""
        column: NDArray[Any] = self.rows[name]
        return column

    @property
    def carat(self) -> Floats:
        """Weights in carats, shape (n,)."""
        return self.rows["carat"]

    @property
    def price(self) -> Floats:
        """Prices in USD, shape (n,); NaN where unknown."""
        return self.rows["price"]

    def diamond(self, index: int) -> Diamond:
        """Return the stone in row *index*."""
        carat, cut, color, clarity, *measured, _ = self.rows[index].item()
        known = (None if value != value else value for value in measured)  # NaN is not itself
        values = dict(zip(MEASUREMENTS, known, strict=True))
        return Diamond(
            carat=carat, cut=CUTS[cut], color=COLORS[color], clarity=CLARITIES[clarity], **values
        )

    def features(self) -> NDArray[np.float32]:
        """Return what models take: shape (n, 9), in the order of ``FIELDS``, NaN = unknown."""
        if len(self) <= _FEW:  # as columns, each would cost more than all of its few numbers
            return np.array(self.rows.tolist(), dtype=np.float32).reshape(
                len(self), len(FIELDS) + 1
            )[:, :-1]
        matrix = np.empty((len(self), len(FIELDS)), dtype=np.float32)
        for position, name in enumerate(FIELDS):
            matrix[:, position] = self.rows[name]
        return matrix

    def without_measurements(self) -> DiamondTable:
        """Return the same stones as if only carat, cut, color and clarity were known."""
        rows = self.rows.copy()
        for name in MEASUREMENTS:
            rows[name] = _NAN
        return DiamondTable(rows)

    def stone_hashes(self) -> NDArray[np.uint64]:
        """Return a stable 64-bit hash of each stone, its price left out, shape (n,)."""
        return self._hashes(FIELDS)

    def digest(self) -> str:
        """Return a text that names this data: the same rows in any order give the same one."""
        hashes = np.sort(self._hashes((*FIELDS, "price")))
        return hashlib.sha256(hashes.astype("<u8").tobytes()).hexdigest()[:16]

    def _hashes(self, fields: Sequence[str]) -> NDArray[np.uint64]:
        """Chain the fields' bits through splitmix64 (Steele, Lea and Flood, 2014)."""
        state = np.zeros(len(self), dtype=np.uint64)
        for name in fields:
            column = self.rows[name].astype(np.float64) + 0.0  # -0.0 becomes 0.0
            column[np.isnan(column)] = _NAN  # one NaN for all
            state = _splitmix64(state ^ column.view(np.uint64))
        return state


def contradicted(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Tell which rows have a depth that contradicts their x, y and z, shape (n,)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        depth = 200.0 * rows["z"] / (rows["x"] + rows["y"])
        bad: NDArray[np.bool_] = np.abs(depth - rows["depth"]) > DEPTH_TOLERANCE
    return bad


def _splitmix64(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _row(stone: Diamond, price: float) -> tuple[float, ...]:
    return (
        stone.carat,
        _CUT_NUMBERS[stone.cut],
        _COLOR_NUMBERS[stone.color],
        _CLARITY_NUMBERS[stone.clarity],
        _NAN if stone.depth is None else stone.depth,
        _NAN if stone.table is None else stone.table,
        _NAN if stone.x is None else stone.x,
        _NAN if stone.y is None else stone.y,
        _NAN if stone.z is None else stone.z,
        price,
    )


def _grade_numbers(field: str, values: ArrayLike) -> NDArray[Any]:
    """Return grades, given as names or as numbers, as numbers."""
    numbers = GRADE_NUMBERS[field]
    if isinstance(values, (list, tuple)) and values and isinstance(values[0], str):
        names: Iterable[Any] = values  # a list of names is read as it is: numpy would copy it
    else:
        array = np.asarray(values)
        if array.dtype.kind in "iu":
            if array.size and not (array.min() >= 0 and array.max() < len(numbers)):
                raise InvalidTable(f"{field} must be a grade number from 0 to {len(numbers) - 1}")
            return array
        names = array.ravel().tolist()
    try:
        return np.array([numbers[name] for name in names], dtype=np.uint8)
    except (KeyError, TypeError) as ex:
        raise InvalidTable(f"{field} must be one of {', '.join(numbers)}; not {ex}") from None
