"""Many stones, with their prices if known, as columns of one numpy structured array."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diamond_core.errors import InvalidTable
from diamond_core.stones.diamond import NAMES, Diamond
from diamond_core.stones.fields import (
    AGREEMENTS,
    FIELDS,
    GRADES,
    HOLDOUT_FIELDS,
    NUMBERS,
    OPTIONAL,
    PRICE,
    REQUIRED,
    Agreement,
    GradeField,
)

Floats = NDArray[np.float64]
"""An array of float64, such as prices in USD, shape (n,)."""

DTYPE: Final = np.dtype(
    [(name, np.uint8 if name in GRADES else np.float64) for name in (*FIELDS, PRICE.name)],
    align=True,
)
"""One row: the fields and the price (USD); grades as numbers, unknown numbers as NaN."""

UNKNOWN_GRADE: Final = 255
"""The number of an unknown grade."""

_NAN = float("nan")
_CHUNK: Final = 16_384
"""How many stones are hashed at once: they stay in the processor's cache."""


class DiamondTable:
    """An immutable table of stones. Slices and masks return tables; columns are arrays.

    The rows are one array, which can be memory-mapped. Grades are numbers, 0 for the worst.
    Unknown measurements and unknown prices are NaN.

    Args:
        rows: of ``DTYPE``, or as another version of the library stored them: a missing field is
            unknown, and a field that this version does not know is ignored.

    Raises:
        InvalidTable: *rows* are not stones.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: NDArray[np.void]) -> None:
        if rows.ndim != 1 or (rows.dtype != DTYPE and not _are_stones(rows.dtype)):
            raise InvalidTable(f"rows must be one-dimensional and of the type {DTYPE}")
        self.rows = np.asarray(rows).view()  # a plain array reads faster than its memmap
        self.rows.flags.writeable = False

    @classmethod
    def from_columns(cls, columns: Mapping[str, ArrayLike]) -> DiamondTable:
        """Create a table from *columns* by field name; grades are names or numbers.

        Optional fields and ``price`` can be missing or NaN: they are then unknown.

        Raises:
            InvalidTable: a required column is missing, lengths differ, or a value is impossible.
        """
        unknown = sorted(set(columns) - set(DTYPE.names or ()))
        missing = [name for name in REQUIRED if name not in columns]
        if unknown or missing:
            raise InvalidTable(f"columns missing: {missing}; unknown: {unknown}")
        arrays = {
            name: _grade_numbers(GRADES[name], values)
            if name in GRADES
            else _number_array(name, values)
            for name, values in columns.items()
        }
        lengths = {array.shape for array in arrays.values()}
        if len(lengths) != 1 or len(next(iter(lengths))) != 1:
            raise InvalidTable(
                f"columns must be one-dimensional and have the same length, not {lengths}"
            )
        table = empty_rows(len(arrays["carat"]))
        for name, array in arrays.items():
            table[name] = array
        for field in (*NUMBERS.values(), PRICE):
            allowed = field.allows(table[field.name])
            if field.name in OPTIONAL or field is PRICE:
                allowed |= np.isnan(table[field.name])
            if not allowed.all():
                raise InvalidTable(f"{field.name} must be {field.expected}")
        if any(broken(each, table).any() for each in AGREEMENTS):
            raise InvalidTable("carat, depth, x, y and z must not contradict each other")
        return cls(table)

    @classmethod
    def of_valid(cls, columns: Mapping[str, Sequence[Any]]) -> DiamondTable:
        """Create a table from *columns* of valid values; None for unknown.

        It only checks whether a stone's values contradict each other.

        Raises:
            InvalidTable: the numbers of a stone contradict each other.
        """
        table = cls.of_stored(columns)
        if any(broken(each, table.rows).any() for each in AGREEMENTS):
            raise InvalidTable("carat, depth, x, y and z must not contradict each other")
        return table

    @classmethod
    def of_stored(cls, columns: Mapping[str, Sequence[Any]]) -> DiamondTable:
        """Create a table from *columns* as ``values`` returns them; nothing is checked."""
        rows = empty_rows(len(columns[NAMES[0]]))
        for name, values in columns.items():
            if name in GRADES:
                numbers = map(GRADES[name].numbers.get, values, repeat(UNKNOWN_GRADE))
                rows[name] = np.frombuffer(bytes(numbers), dtype=np.uint8)
            else:
                rows[name] = np.array(values, dtype=np.float64)  # None becomes NaN
        return cls(rows)

    @classmethod
    def from_diamonds(
        cls, diamonds: Iterable[Diamond], prices: Iterable[float] | None = None
    ) -> DiamondTable:
        """Create a table from single *diamonds* and, if known, their *prices* in USD.

        Raises:
            InvalidTable: the number of prices differs from that of stones, or a price is invalid.
        """
        stones = list(diamonds)
        columns: dict[str, list[Any]] = {
            name: [getattr(stone, name) for stone in stones] for name in FIELDS
        }
        if prices is not None:
            columns[PRICE.name] = list(prices)
        return cls.from_columns(columns)

    @classmethod
    def concatenate(cls, tables: Sequence[DiamondTable]) -> DiamondTable:
        """Return one table with the rows of all *tables*, in order."""
        if not tables:
            return cls(np.empty(0, dtype=DTYPE))
        return cls(
            np.concatenate(
                [each.rows if each.rows.dtype == DTYPE else each.rows_of_today() for each in tables]
            )
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, selection: slice | NDArray[Any]) -> DiamondTable:
        return DiamondTable(self.rows[selection])

    def __iter__(self) -> Iterator[Diamond]:
        columns = [self.values(name) for name in FIELDS]
        for values in zip(*columns, strict=True):
            yield Diamond(**dict(zip(FIELDS, values, strict=True)))

    def __repr__(self) -> str:
        return f"<DiamondTable of {len(self)} stones>"

    def column(self, name: str) -> NDArray[Any]:
        """Return one column, shape (n,): float64, or uint8 for a grade."""
        names: Any = self.rows.dtype.names
        if name not in names:
            return empty_rows(len(self))[name]
        column: NDArray[Any] = self.rows[name]
        return column

    def values(self, name: str) -> list[Any]:
        """Return one column as values of a ``Diamond``: grades are members, None is unknown."""
        numbers = self.column(name).tolist()
        if name in GRADES:
            grades = GRADES[name].grades
            return [None if number == UNKNOWN_GRADE else grades[number] for number in numbers]
        return [None if number != number else number for number in numbers]

    @property
    def carat(self) -> Floats:
        """Weights in carats, shape (n,)."""
        return self.rows["carat"]

    @property
    def price(self) -> Floats:
        """Prices in USD, shape (n,); NaN if unknown."""
        return self.rows["price"]

    def diamond(self, index: int) -> Diamond:
        """Return the stone in row *index*."""
        return next(iter(self[np.array([index])]))

    def features(self, names: Sequence[str] = NAMES) -> NDArray[np.float32]:
        """Return the fields *names* as numbers, shape (n, len(names)); see ``Stones``."""
        matrix = np.empty((len(self), len(names)), dtype=np.float32)
        for position, name in enumerate(names):
            matrix[:, position] = self.column(name)
            if name in GRADES and not GRADES[name].required:
                matrix[self.column(name) == UNKNOWN_GRADE, position] = np.nan
        return matrix

    def known(self, name: str) -> NDArray[np.bool_]:
        """Return for each stone whether the field *name* is known, shape (n,)."""
        column = self.column(name)
        known: NDArray[np.bool_] = column != UNKNOWN_GRADE if name in GRADES else ~np.isnan(column)
        return known

    def four_cs(self) -> DiamondTable:
        """Return the same stones with only carat, cut, color, clarity and price known."""
        rows = empty_rows(len(self))
        for name in (*REQUIRED, PRICE.name):
            rows[name] = self.column(name)
        return DiamondTable(rows)

    def rows_of_today(self) -> NDArray[np.void]:
        """Return a writable copy of the rows as ``DTYPE``."""
        if self.rows.dtype == DTYPE:
            return self.rows.copy()
        rows = empty_rows(len(self))
        for name in DTYPE.names or ():
            rows[name] = self.column(name)
        return rows

    def stone_hashes(self) -> NDArray[np.uint64]:
        """Return a stable 64-bit hash of each stone, without its price, shape (n,).

        It depends on ``HOLDOUT_FIELDS`` only.
        """
        return self._hashes(HOLDOUT_FIELDS)

    def distinct(self) -> int:
        """Return the number of distinct stones; prices do not matter."""
        ordered = np.sort(self.stone_hashes())
        return int((ordered[1:] != ordered[:-1]).sum()) + (len(ordered) > 0)

    def four_cs_hashes(self) -> NDArray[np.uint64]:
        """Return a stable 64-bit hash of each stone's weight and grades, shape (n,)."""
        return self._hashes(REQUIRED)

    def row_hashes(self) -> NDArray[np.uint64]:
        """Return a stable 64-bit hash of each stone with its price, shape (n,).

        A field that a stone lacks is ignored, so that added fields do not change the hash.
        """
        hashes = self._hashes((*HOLDOUT_FIELDS, PRICE.name))
        for name in FIELDS:
            if name not in HOLDOUT_FIELDS and self.known(name).any():
                more = self._hashes((name,))
                hashes = np.where(self.known(name), _splitmix64(hashes ^ more), hashes)
        return hashes

    def digest(self) -> str:
        """Return a digest of this data; the order of the rows does not matter.

        A field that no stone has is ignored, so that added fields do not change the digest.
        """
        added = [name for name in FIELDS if name not in HOLDOUT_FIELDS and self.known(name).any()]
        hashes = np.sort(self._hashes((*HOLDOUT_FIELDS, PRICE.name, *added)))
        return hashlib.sha256(hashes.astype("<u8").tobytes()).hexdigest()[:16]

    def _hashes(self, names: Sequence[str]) -> NDArray[np.uint64]:
        """Chain the fields' bits through splitmix64 (Steele, Lea and Flood, 2014)."""
        columns = [self.column(name) for name in names]
        hashes = np.zeros(len(self), dtype=np.uint64)
        for start in range(0, len(self), _CHUNK):
            state = hashes[start : start + _CHUNK]
            for column in columns:
                values = column[start : start + _CHUNK].astype(np.float64) + 0.0  # -0.0 becomes 0.0
                values[np.isnan(values)] = _NAN  # the same bits for every NaN
                state[:] = _splitmix64(state ^ values.view(np.uint64))
        return hashes


def empty_rows(count: int) -> NDArray[np.void]:
    """Return *count* rows of ``DTYPE`` with unknown values only."""
    rows = np.empty(count, dtype=DTYPE)
    for name in DTYPE.names or ():
        rows[name] = UNKNOWN_GRADE if name in GRADES else _NAN
    return rows


def broken(agreement: Agreement, rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return for each row whether its numbers contradict each other, shape (n,)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        bad: NDArray[np.bool_] = agreement.is_broken(*(rows[name] for name in agreement.fields))
    return bad


def _are_stones(dtype: np.dtype[Any]) -> bool:
    """Return whether rows of *dtype* are stones: required columns exist, with the right types."""
    names = dtype.names or ()
    return {*REQUIRED, PRICE.name} <= set(names) and all(
        dtype[name] == DTYPE[name] for name in names if name in (DTYPE.names or ())
    )


def _splitmix64(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _number_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return numbers as an array."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "b":
            raise ValueError("True and False are not numbers")
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as ex:
        raise InvalidTable(f"{name} must be numbers: {ex}") from ex


def _grade_numbers(field: GradeField, values: ArrayLike) -> NDArray[Any]:
    """Return grades, given as names or as numbers, as numbers; optional ones can be unknown."""
    try:
        array = np.asarray(values)
    except ValueError as ex:
        raise InvalidTable(f"{field.name} must be one-dimensional: {ex}") from ex
    if array.dtype.kind in "iu":
        known = array[array != UNKNOWN_GRADE] if not field.required else array
        if known.size and not (known.min() >= 0 and known.max() < len(field.grades)):
            last = len(field.grades) - 1
            raise InvalidTable(f"{field.name} must be a grade number from 0 to {last}")
        return array
    numbers: dict[Any, int] = dict(field.numbers)
    if not field.required:
        numbers |= {None: UNKNOWN_GRADE, "": UNKNOWN_GRADE}
    try:
        return np.array(
            [
                numbers[None if each != each else each]  # NaN is not itself
                for each in array.ravel().tolist()
            ],
            dtype=np.uint8,
        )
    except (KeyError, TypeError) as ex:
        raise InvalidTable(f"{field.name} must be {field.expected}; not {ex}") from None
