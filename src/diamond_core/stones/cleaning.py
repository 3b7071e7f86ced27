"""Clean raw rows: a table of stones, and the rejected rows with their lines and reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import FieldProblem, SourceUnreadable
from diamond_core.stones.diamond_table import (
    UNKNOWN_GRADE,
    DiamondTable,
    Floats,
    broken,
    empty_rows,
)
from diamond_core.stones.fields import (
    AGREEMENTS,
    FIELDS,
    GRADES,
    PRICE,
    REQUIRED,
    GradeField,
    NumberField,
    as_number,
    invalid,
    is_blank,
    missing,
)
from diamond_core.stones.notation import Notation

COLUMNS: Final = (*FIELDS, PRICE.name)
"""The columns of training data."""
IDENTITIES: Final = ("id", "ref", "sku")
"""The columns that can name a stone: the first of them that has a value does."""
DATE: Final = "date"
"""The column with the day on which a price was true."""
READ_COLUMNS: Final = (*COLUMNS, *IDENTITIES, DATE)
"""The columns that are read; others are ignored."""

REPEATED_HEADER: Final = "it repeats the header line"
TOTAL_LINE: Final = "it is a total line"
NO_STONES: Final = frozenset({REPEATED_HEADER, TOTAL_LINE})
"""The reasons for rows that were never meant to be stones."""

_NAMED: Final = 12
_VALUE: Final = re.compile(r", not .*|-?[0-9]+(\.[0-9]+)?")
"""What differs between two rows that are rejected for the same reason."""
_TOTAL: Final = re.compile(
    r"(?:grand |sub-?)?(?:totals?|totaal|totale|sum|somme|suma|(?:zwischen)?summe|gesamt\w*)([\s:.(].*)?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row: its line in its source, and every reason."""

    line: int
    reasons: tuple[str, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class RawStones:
    """A batch of rows from a source: columns of text or numbers, not yet checked.

    Attributes:
        source: the source's name in messages; it contains no password.
        columns: name of ``READ_COLUMNS`` -> one value per row; a missing column is blank. Numbers
            can be a numpy array, in which NaN is blank.
        lines: each row's line number in the source, counted from 1.
        malformed: rows that the source could not split into columns.
        header: the names of all columns, as they were delivered.
        delivered: the line and the cells of every row as it was delivered, malformed ones too.
        supersedes: whether a stone's row is right whatever date the store has for its id.

    Raises:
        SourceUnreadable: the columns have different lengths.
    """

    source: str
    columns: Mapping[str, Sequence[object]]
    lines: Sequence[int]
    malformed: Sequence[RejectedRow] = ()
    header: Sequence[str] = ()
    delivered: Sequence[tuple[int, Sequence[object]]] = ()
    supersedes: bool = False

    def __post_init__(self) -> None:
        if any(len(values) != len(self.lines) for values in self.columns.values()):
            raise SourceUnreadable(self.source, "its columns have different lengths")


@dataclass(frozen=True, slots=True)
class CleanStones:
    """The result of cleaning: the usable stones, and the rejected rows in line order."""

    table: DiamondTable
    rejected: tuple[RejectedRow, ...]


def clean(raw: RawStones, *, priced: bool = True) -> CleanStones:
    """Keep every valid row, and return every reason for each rejected one.

    A blank or missing measurement is unknown, and its row is kept. With *priced* each
    stone needs a price; otherwise prices are ignored. Numbers can be written as ``Notation`` reads
    them.
    """
    rows, problems = read_columns(
        raw.columns, len(raw.lines), text=True, priced=priced, notation=Notation(raw.columns)
    )
    reasons = {
        at: tuple(f"{each.field} {each.detail}" for each in found) for at, found in problems.items()
    }
    if reasons:
        for at in _repeated_headers(raw, reasons):
            reasons[at] = (REPEATED_HEADER,)
    keep = np.ones(len(rows), dtype=bool)
    keep[list(reasons)] = False
    found = [RejectedRow(raw.lines[at], why, raw.source) for at, why in reasons.items()]
    totals = _total_lines(raw, reasons)
    rejected = sorted(
        (
            replace(row, reasons=(TOTAL_LINE,)) if row.line in totals else row
            for row in [*raw.malformed, *found]
        ),
        key=lambda row: row.line,
    )
    return CleanStones(DiamondTable(rows[keep]), tuple(rejected))


def read_columns(
    columns: Mapping[str, Sequence[object]],
    size: int,
    *,
    text: bool,
    priced: bool,
    notation: Notation | None = None,
) -> tuple[NDArray[np.void], dict[int, list[FieldProblem]]]:
    """Return *size* rows from *columns* of plain values, and all problems of each invalid row.

    It accepts and rejects the same values as ``Diamond.parse``, with the same messages. With
    *text*, numbers can be written as text; with *notation* too, as it reads them. A missing column
    is blank.
    """
    rows = empty_rows(size)
    problems: dict[int, list[FieldProblem]] = {}
    fields = [*FIELDS.values(), *([PRICE] if priced else [])]
    for field in fields:
        values = columns.get(field.name)
        if values is None:
            bad: Iterable[int] = range(size) if field.required else ()
            values = [None] * size if field.required else ()
        elif isinstance(field, GradeField):
            rows[field.name], bad = _read_grades(field, values, text=text)
        else:
            rows[field.name], bad = _read_numbers(field, values, text, notation)
        for at in bad:
            value = values[at]
            if not is_blank(value, text=text):
                detail = invalid(field, value, text=text)
                if notation and isinstance(field, NumberField):
                    detail = notation.problem(field, value) or detail
            elif field.required:
                detail = missing(field)
            else:
                continue
            problems.setdefault(at, []).append(FieldProblem(field.name, detail))
    contradictions: dict[int, list[FieldProblem]] = {}
    for each in AGREEMENTS:
        for at in np.flatnonzero(broken(each, rows)).tolist():
            numbers = [float(rows[at][name]) for name in each.fields]
            contradictions.setdefault(at, [FieldProblem(each.field, each.sentence(*numbers))])
    return rows, contradictions | problems


def _read_grades(
    field: GradeField, values: Sequence[object], *, text: bool
) -> tuple[NDArray[np.uint8], list[int]]:
    """Return the grade numbers, and the positions of the values that are not grades."""
    if not set(map(type, values)) <= {str, type(None)}:
        values = [value if isinstance(value, str) else None for value in values]
    numbers: dict[object, int] = {}
    for value in set(values):
        grade = field.read(value)
        numbers[value] = UNKNOWN_GRADE if grade is None else field.numbers[grade]
    found = np.frombuffer(bytes(map(numbers.__getitem__, values)), dtype=np.uint8)
    return found, np.flatnonzero(found == UNKNOWN_GRADE).tolist()


def _read_numbers(
    field: NumberField, values: Sequence[Any], text: bool, notation: Notation | None
) -> tuple[Floats, list[int]]:
    """Return the numbers, or NaN, and the positions of the values that are not valid numbers."""
    numbers = _at_once(values, text=text)
    if notation and (numbers is None or not notation.is_settled(field, values)):
        read = [notation.read(field, value) for value in values]
        numbers = np.array([np.nan if each is None else each for each in read], dtype=np.float64)
    elif numbers is None:
        read = [as_number(value, text=text) for value in values]
        numbers = np.array([np.nan if each is None else each for each in read], dtype=np.float64)
    bad = np.flatnonzero(~field.allows(numbers)).tolist()
    numbers[bad] = np.nan
    return numbers, bad


def _at_once(values: Sequence[Any], *, text: bool) -> Floats | None:
    """Return the numbers if numpy reads the values in the same way as ``as_number``, else None."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64) if values.dtype.kind in "iuf" else None
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = "".join(values) if text else "_"
        if "_" in joined or not joined.isascii():
            return None
        values = [value or "nan" for value in values] if "" in values else values
    elif not kinds <= {float, int, type(None)}:
        return None
    try:
        return np.array(values, dtype=np.float64)
    except (ValueError, OverflowError):
        return None


def _repeated_headers(raw: RawStones, rejected: Iterable[int]) -> list[int]:
    """Return those of the *rejected* rows that contain the names of their columns."""

    def is_name(name: str, at: int) -> bool:
        column = raw.columns.get(name)
        return column is not None and str(column[at]).strip().casefold() == name

    return [at for at in rejected if is_name("cut", at) and is_name("carat", at)]


def _total_lines(raw: RawStones, rejected: Iterable[int]) -> set[int]:
    """Return the lines of the total lines among the *rejected* and the malformed rows.

    The first cell says so, and the others have digits; or only the price is there, beside counts. So
    a row with the name of a cut is none.
    """
    cuts: Sequence[object] = raw.columns.get("cut", ())
    rows = {
        raw.lines[at]: {name: raw.columns[name][at] for name in raw.columns}
        for at in rejected
        if not cuts or GRADES["cut"].read(cuts[at]) is None
    }
    lines = {*rows, *(row.line for row in raw.malformed)}
    delivered = {line: cells for line, cells in raw.delivered if line in lines} if lines else {}
    return {
        line
        for line in lines
        if _is_total(delivered.get(line, [*rows.get(line, {}).values()]), rows.get(line, {}))
    }


def _is_total(cells: Sequence[object], fields: Mapping[str, object]) -> bool:
    texts = [str(cell).strip() for cell in cells if not is_blank(cell, text=True)]
    if texts and _TOTAL.fullmatch(texts[0]):
        return all(re.search("[0-9]", text) for text in texts[1:])
    given = {name: each for name, each in fields.items() if not is_blank(each, text=True)}
    price = given.get(PRICE.name)
    counts = [text for text in texts if text != str(price).strip()]
    return given.keys() & {*COLUMNS} == {PRICE.name} and all(map(str.isdigit, counts))


def missing_columns(names: Sequence[str], *, priced: bool = True) -> list[str]:
    """Return the required columns that are not among *names*."""
    needed = (*REQUIRED, *((PRICE.name,) if priced else ()))
    return [name for name in needed if name not in names]


def check_columns(raw: RawStones) -> None:
    """Raise ``SourceUnreadable`` if a batch lacks a required column."""
    missing = missing_columns([*raw.columns])
    if missing:
        names = [str(each)[:30] for each in raw.header or raw.columns]
        found = ", ".join(map(repr, names[:_NAMED])) + (", ..." if len(names) > _NAMED else "")
        hint = " (columns are separated by commas, semicolons or tabs)" if len(names) == 1 else ""
        raise SourceUnreadable(raw.source, f"it lacks {', '.join(missing)}; it has {found}{hint}")


def kind_of(reason: str) -> str:
    """Return a reason without the values of its row: equal for rows rejected for the same reason."""
    return _VALUE.sub("", reason)
