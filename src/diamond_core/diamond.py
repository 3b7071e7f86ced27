"""One stone: its grades, its weight, and the measurements that may be unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, Final, NamedTuple, Self

from diamond_core.errors import FieldProblem, InvalidDiamond


class Cut(StrEnum):
    """How well the stone is cut, worst first."""

    FAIR = "Fair"
    GOOD = "Good"
    VERY_GOOD = "Very Good"
    PREMIUM = "Premium"
    IDEAL = "Ideal"


class Color(StrEnum):
    """How free of colour the stone is, from J (some tint) to D (colourless)."""

    J = "J"
    I = "I"  # noqa: E741  # the grade's own name
    H = "H"
    G = "G"
    F = "F"
    E = "E"
    D = "D"


class Clarity(StrEnum):
    """How free of inclusions the stone is, from I1 (seen by eye) to IF (none inside)."""

    I1 = "I1"
    SI2 = "SI2"
    SI1 = "SI1"
    VS2 = "VS2"
    VS1 = "VS1"
    VVS2 = "VVS2"
    VVS1 = "VVS1"
    IF = "IF"


CUTS: Final = tuple(Cut)
COLORS: Final = tuple(Color)
CLARITIES: Final = tuple(Clarity)
GRADES: Final[Mapping[str, tuple[StrEnum, ...]]] = {
    "cut": CUTS,
    "color": COLORS,
    "clarity": CLARITIES,
}

GRADE_NUMBERS: Final[Mapping[str, Mapping[str, int]]] = {
    field: {grade.value: number for number, grade in enumerate(grades)}
    for field, grades in GRADES.items()
}
"""For each graded field: the grade's name -> its number, 0 being the worst."""

_LOOSE_NAMES: Final = {
    field: {"".join(name.casefold().split()): name for name in numbers}
    for field, numbers in GRADE_NUMBERS.items()
}


LEAST: Final = 0.001
"""The least of any number: what is smaller can't be measured, and models get it as 0."""


class Limit(NamedTuple):
    """The values a number may take: from ``LEAST`` to ``most``, in ``unit``."""

    what: str
    most: float
    unit: str

    @property
    def sentence(self) -> str:
        return f"{self.what}: a number above 0, from {LEAST:g} to {self.most:g}, in {self.unit}"


LIMITS: Final[Mapping[str, Limit]] = {
    "carat": Limit("the weight", 1000.0, "carats"),
    "depth": Limit("the total depth", 100.0, "percent of the mean diameter"),
    "table": Limit("the table's width", 100.0, "percent of the mean diameter"),
    "x": Limit("the length", 100.0, "millimetres"),
    "y": Limit("the width", 100.0, "millimetres"),
    "z": Limit("the height", 100.0, "millimetres"),
}
REQUIRED: Final = ("carat", "cut", "color", "clarity")
MEASUREMENTS: Final = ("depth", "table", "x", "y", "z")
FIELDS: Final = (*REQUIRED, *MEASUREMENTS)

DEPTH_TOLERANCE: Final = 3.0
"""Percentage points by which the stated depth may differ from 100 z / ((x + y) / 2)."""


def grade_name(field: str, text: object) -> str | None:
    """Return the grade's exact name for a *text* in any case and spacing, or None."""
    if not isinstance(text, str):
        return None
    if text in GRADE_NUMBERS[field]:
        return text
    loose = "".join(text.casefold().replace("-", " ").replace("_", " ").split())
    return _LOOSE_NAMES[field].get(loose)


def grade_sentence(field: str) -> str:
    """Return the valid grades of *field* for an error message, worst first."""
    return f"one of {', '.join(GRADE_NUMBERS[field])} (worst to best)"


def contradiction(depth: float, x: float, y: float, z: float) -> str | None:
    """Say how *depth* (%) contradicts the measured *x*, *y* and *z* (mm), or None.

    GIA's definition: total depth % = 100 x height / mean girdle diameter.
    """
    measured = 200.0 * z / (x + y)
    if abs(measured - depth) <= DEPTH_TOLERANCE:
        return None
    return (
        f"{depth:g} % contradicts x, y and z: the height is {measured:.1f} % of the mean"
        " diameter; check the four numbers"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diamond:
    """One polished diamond. A stone that can't exist can't be built.

    Attributes:
        carat: weight in carats (0.2 g), at least ``LEAST``.
        cut, color, clarity: the grades, as enum members.
        depth: total depth in percent of the mean diameter, or None if unknown.
        table: width of the top facet in percent of the mean diameter, or None.
        x, y, z: length, width and height in millimetres, or None.

    Raises:
        InvalidDiamond: names every field that is wrong, not only the first.
    """

    carat: float
    cut: Cut
    color: Color
    clarity: Clarity
    depth: float | None = None
    table: float | None = None
    x: float | None = None
    y: float | None = None
    z: float | None = None

    def __post_init__(self) -> None:
        if not self._is_sound():
            problems = self._problems()
            if problems:
                raise InvalidDiamond(problems)

    def _is_sound(self) -> bool:
        """Tell quickly whether all is well; where it seems not, ``_problems`` decides."""
        if not (
            type(self.cut) is Cut and type(self.color) is Color and type(self.clarity) is Clarity
        ):
            return False
        known = 0
        for value, most in (
            (self.carat, _MOST_CARAT),
            (self.depth, _MOST_PERCENT),
            (self.table, _MOST_PERCENT),
            (self.x, _MOST_MILLIMETRES),
            (self.y, _MOST_MILLIMETRES),
            (self.z, _MOST_MILLIMETRES),
        ):
            if value is not None:
                if type(value) not in _NUMBER_TYPES or not 0.0 < value <= most:
                    return False
                known += 1
        return self.carat is not None and (known < 5 or not self._contradiction())

    def _problems(self) -> list[FieldProblem]:
        problems = []
        for field, grades in (("cut", Cut), ("color", Color), ("clarity", Clarity)):
            if type(getattr(self, field)) is not grades:
                problems.append(FieldProblem(field, f"must be {grade_sentence(field)}"))
        for field, limit in LIMITS.items():
            value = getattr(self, field)
            if value is None and field != "carat":
                continue
            if (
                not isinstance(value, _NUMBER_TYPES)
                or isinstance(value, bool)
                or not LEAST <= value <= limit.most
            ):
                problems.append(FieldProblem(field, f"must be {limit.sentence}"))
        told = None if problems else self._contradiction()
        return [*problems, FieldProblem("depth", told)] if told else problems

    def _contradiction(self) -> str | None:
        if self.depth is None or self.x is None or self.y is None or self.z is None:
            return None
        return contradiction(self.depth, self.x, self.y, self.z)

    @classmethod
    def parse(cls, values: Mapping[str, object], *, numbers_as_text: bool = False) -> Self:
        """Build a stone from plain *values* by field name, as JSON or a query gives them.

        Grades are accepted in any case and spacing ('very good'); a measurement that is
        None counts as unknown. With *numbers_as_text*, numbers may be written as text.

        Raises:
            InvalidDiamond: every missing, unknown or wrong field at once.
        """
        if not numbers_as_text and values.keys() <= _FIELD_SET:
            try:  # the common case, in which all is as it should be
                stone: dict[str, Any] = {**values}
                stone["cut"] = _CUTS[stone["cut"]]
                stone["color"] = _COLORS[stone["color"]]
                stone["clarity"] = _CLARITIES[stone["clarity"]]
                return cls(**stone)
            except (InvalidDiamond, KeyError, TypeError):
                pass  # then find out what is not
        problems: list[FieldProblem] = []
        parsed: dict[str, object] = {}
        for field in FIELDS:
            value = values.get(field)
            if value is None or (numbers_as_text and value == ""):
                if field in REQUIRED:
                    problems.append(FieldProblem(field, f"is missing; give {_expected(field)}"))
                continue
            good = _grade(field, value) if field in GRADES else _number(value, numbers_as_text)
            if good is None or (field in LIMITS and not _within(field, good)):
                shown = repr(value)
                shown = shown if len(shown) <= 40 else shown[:37] + "..."
                problems.append(FieldProblem(field, f"must be {_expected(field)}; {shown} is not"))
            else:
                parsed[field] = good
        if len(values) > len(parsed):
            known = ", ".join(FIELDS)
            problems += [
                FieldProblem(str(name), f"is not a field of a diamond; the fields are {known}")
                for name in values
                if name not in FIELDS
            ]
        if problems:
            raise InvalidDiamond(problems)
        return cls(**parsed)  # type: ignore[arg-type]  # each value was checked above

    @property
    def unknown(self) -> list[str]:
        """The measurements that were not given, in the order depth, table, x, y, z."""
        return [name for name in MEASUREMENTS if getattr(self, name) is None]


_MEMBERS: Final = {
    field: {grade.value: grade for grade in grades} for field, grades in GRADES.items()
}
_CUTS, _COLORS, _CLARITIES = (dict(_MEMBERS[field]) for field in ("cut", "color", "clarity"))
_FIELD_SET: Final = frozenset(FIELDS)
_NUMBER_TYPES: Final = (float, int)
_MOST_CARAT: Final = LIMITS["carat"].most
_MOST_PERCENT: Final = LIMITS["depth"].most
_MOST_MILLIMETRES: Final = LIMITS["x"].most


def _grade(field: str, value: object) -> StrEnum | None:
    name = grade_name(field, value)
    return None if name is None else _MEMBERS[field][name]


def _number(value: object, as_text: bool) -> float | None:
    if as_text and isinstance(value, str):
        if not value.isascii() or "_" in value:  # float() takes 1_0, and digits of other scripts
            return None
        try:
            return float(value)
        except ValueError:
            return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def _within(field: str, value: object) -> bool:
    return isinstance(value, float) and isfinite(value) and LEAST <= value <= LIMITS[field].most


def _expected(field: str) -> str:
    return grade_sentence(field) if field in GRADES else LIMITS[field].sentence
