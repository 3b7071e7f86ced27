"""Raw rows to a table of stones, and the rejected rows, each with its line and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.diamond import (
    FIELDS,
    GRADE_NUMBERS,
    GRADES,
    LEAST,
    LIMITS,
    contradiction,
    grade_name,
    grade_sentence,
)
from diamond_core.diamond_table import DTYPE, DiamondTable, Floats, contradicted

_NUMBERS: Final = ("carat", "price", "depth", "table", "x", "y", "z")
_MOST_PRICE: Final = 1e9
_OPTIONAL: Final = frozenset({"depth", "table", "x", "y", "z"})


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was left out: where it stands in its source, and every reason."""

    line: int
    reasons: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class RawStones:
    """Rows as a source gives them: columns of text or numbers, not yet trusted.

    Attributes:
        source: what to call the source in messages; holds no password.
        columns: field name -> one value per row; at least the 4 Cs and ``price``.
        lines: each row's line number in the source, counted from 1.
        malformed: rows that the source itself could not bring into columns.
    """

    source: str
    columns: Mapping[str, Sequence[object]]
    lines: Sequence[int]
    malformed: Sequence[RejectedRow] = ()


@dataclass(frozen=True, slots=True)
class CleanStones:
    """What cleaning leaves: the usable stones, and the rejected rows in line order."""

    table: DiamondTable
    rejected: tuple[RejectedRow, ...]


def clean(raw: RawStones, *, priced: bool = True) -> CleanStones:
    """Keep every good row and give every reason for each bad one.

    A blank measurement (or a column that is not there) counts as unknown and is kept. With
    *priced* each stone needs a price above zero; otherwise prices are ignored.
    """
    size = len(raw.lines)
    rows = np.empty(size, dtype=DTYPE)
    repeated = _repeated_headers(raw)
    reasons: dict[int, list[str]] = {
        index: ["the header line stands here again"] for index in np.flatnonzero(repeated).tolist()
    }

    def reject(bad: NDArray[np.bool_], reason: str, values: Sequence[object] = ()) -> None:
        """Add *reason* to the *bad* rows, with their own value after it."""
        for index in np.flatnonzero(bad & ~repeated).tolist():
            told = f"{reason}, not {_shown(values[index])}" if len(values) else reason
            reasons.setdefault(index, []).append(told)

    for field in GRADES:
        values = raw.columns[field]
        rows[field], unknown, blank = _grades(field, values)
        reject(blank, f"{field} is missing")
        reject(unknown, f"{field} must be {grade_sentence(field)}", values)
    for field in _NUMBERS:
        if field == "price" and not priced:
            rows[field] = np.nan
            continue
        values = raw.columns.get(field, ())
        rows[field], wrong, blank = _numbers(values, size)
        reject(wrong, f"{field} must be a number", values)
        if field not in _OPTIONAL:
            reject(blank, f"{field} is missing")
        usable = ~(wrong | blank)
        most = LIMITS[field].most if field in LIMITS else _MOST_PRICE
        reject(usable & (rows[field] <= 0), f"{field} must be above 0", values)
        if field in LIMITS:
            tiny = (rows[field] > 0) & (rows[field] < LEAST)
            reject(usable & tiny, f"{field} must be at least {LEAST:g}", values)
        reject(usable & (rows[field] > most), f"{field} must be at most {most:g}", values)
    sound = np.ones(size, dtype=bool)
    sound[list(reasons)] = False
    for index in np.flatnonzero(contradicted(rows) & sound).tolist():
        reasons[index] = [_contradiction(rows[index])]
    keep = np.ones(size, dtype=bool)
    keep[list(reasons)] = False
    found = [
        RejectedRow(raw.lines[index], tuple(told), raw.source) for index, told in reasons.items()
    ]
    rejected = sorted([*raw.malformed, *found], key=lambda row: row.line)
    return CleanStones(DiamondTable(rows[keep]), tuple(rejected))


def _repeated_headers(raw: RawStones) -> NDArray[np.bool_]:
    """Mark the rows that hold the names of their columns."""
    carats, cuts = raw.columns["carat"], raw.columns["cut"]
    return np.array(
        [
            isinstance(cut, str)
            and cut.strip().casefold() == "cut"
            and str(carat).strip().casefold() == "carat"
            for carat, cut in zip(carats, cuts, strict=True)
        ],
        dtype=bool,
    )


def _grades(
    field: str, values: Sequence[object]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the grade numbers, which values are no grades, and which are blank."""
    numbers: dict[object, int] = {}
    for value in {value for value in values if isinstance(value, str)}:
        name = grade_name(field, value)
        if name is not None:
            numbers[value] = GRADE_NUMBERS[field][name]
    none = 255
    found = np.array(
        [numbers.get(value, none) if isinstance(value, str) else none for value in values],
        dtype=np.uint8,
    )
    blank = np.zeros(len(values), dtype=bool)
    for index in np.flatnonzero(found == none).tolist():
        blank[index] = _is_blank(values[index])
    return found, (found == none) & ~blank, blank


def _numbers(
    values: Sequence[object], size: int
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the numbers (NaN where there is none), which are wrong, and which are blank."""
    if len(values) == 0:
        return np.full(size, np.nan), np.zeros(size, bool), np.ones(size, bool)
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.array([_number(value) for value in values], dtype=np.float64)
    wrong = ~np.isfinite(numbers)
    blank = np.zeros(size, dtype=bool)
    for index in np.flatnonzero(wrong).tolist():
        blank[index] = _is_blank(values[index])
    return numbers, wrong & ~blank, blank


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _is_blank(value: object) -> bool:
    """Tell whether nothing was given: None, blank text, or a NaN that is a number, not text."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value != value


def _contradiction(row: np.void) -> str:
    numbers = (float(row[field]) for field in ("depth", "x", "y", "z"))
    return f"depth {contradiction(*numbers)}"


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."


def missing_columns(names: Sequence[str], *, priced: bool = True) -> list[str]:
    """Return the required columns that are not among *names*."""
    needed = ("carat", "cut", "color", "clarity", *(("price",) if priced else ()))
    return [name for name in needed if name not in names]


KNOWN_COLUMNS: Final = (*FIELDS, "price")
