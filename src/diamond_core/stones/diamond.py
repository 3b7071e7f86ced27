"""One stone: its weight, its grades, and the measurements, which can be unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from numbers import Number
from operator import attrgetter
from struct import pack
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import FieldProblem, InvalidDiamond
from diamond_core.stones.fields import (
    AGREEMENTS,
    FIELDS,
    GRADES,
    NUMBERS,
    OPTIONAL,
    Clarity,
    Color,
    Cut,
    GradeField,
    invalid,
    is_blank,
    missing,
)

NAMES: Final = tuple(FIELDS)


class Stones(Protocol):
    """One or many stones, the input of models: a ``Diamond`` or a ``DiamondTable``."""

    def features(self, names: Sequence[str] = NAMES) -> NDArray[np.float32]:
        """Return the fields *names* as numbers, shape (n, len(names)).

        Grades are their numbers, 0 for the worst; unknown values are NaN.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Diamond:
    """One polished diamond. An impossible stone can't be created.

    Attributes:
        carat: weight in carats (0.2 g).
        cut, color, clarity: the grades, as enum members.
        depth: total depth in percent of the mean diameter, or None if unknown.
        table: width of the top facet in percent of the mean diameter, or None.
        x, y, z: length, width and height in millimeters, or None.

    Raises:
        InvalidDiamond: names every invalid field, not only the first.
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
        if not self._is_valid():
            problems = self._problems()
            if problems:
                raise InvalidDiamond(problems)

    def _is_valid(self) -> bool:
        """Return quickly whether all fields are valid; if not, ``_problems`` decides."""
        for value, kind, required in zip(_grades_of(self), _KINDS, _NEEDED, strict=True):
            if type(value) is not kind and (required or value is not None):
                return False
        for number, (minimum, maximum, required) in zip(_numbers_of(self), _LIMITS, strict=True):
            if number is None:
                if required:
                    return False
            elif type(number) not in _NUMBER_TYPES or not minimum <= number <= maximum:
                return False
        return not self._contradictions()

    def _problems(self) -> list[FieldProblem]:
        """Return the problems; convert numbers of other types, such as numpy's, to floats."""
        problems = []
        for (name, field), set_value in zip(FIELDS.items(), _SETTERS, strict=True):
            value = getattr(self, name)
            if value is None:
                if field.required:
                    problems.append(FieldProblem(name, missing(field)))
            elif isinstance(field, GradeField):
                if value not in field.grades or not isinstance(value, type(field.example)):
                    problems.append(FieldProblem(name, invalid(field, value, text=False)))
            else:
                number = field.read(value) if isinstance(value, Number) else None
                if number is None:
                    problems.append(FieldProblem(name, invalid(field, value, text=False)))
                else:
                    set_value(self, number)
        return problems or self._contradictions()

    def _contradictions(self) -> list[FieldProblem]:
        """Return the first contradiction, or []: one wrong number can break several agreements."""
        if self.x is None or self.y is None or self.z is None:
            return []
        for each, numbers_of in zip(AGREEMENTS, _AGREEING, strict=True):
            numbers = numbers_of(self)
            if None not in numbers and each.is_broken(*numbers):
                return [FieldProblem(each.field, each.sentence(*numbers))]
        return []

    @classmethod
    def of_valid(cls, values: Sequence[Any]) -> Self:
        """Create a stone from *values* in the order of the fields, each of which is valid.

        It checks only whether the values contradict each other: three times as fast as ``Diamond``.

        Raises:
            InvalidDiamond: its numbers contradict each other.
        """
        self = object.__new__(cls)
        for set_value, value in zip(_SETTERS, values, strict=True):
            set_value(self, value)
        contradictions = self._contradictions()
        if contradictions:
            raise InvalidDiamond(contradictions)
        return self

    @classmethod
    def parse(cls, values: Mapping[str, object], *, text: bool = False) -> Self:
        """Create a stone from plain *values* by field name, from JSON or a query.

        Grades are accepted in any case and spacing ('very good'); a measurement that is None is
        unknown. With *text*, numbers can be written as text, and a blank text is no value.

        Raises:
            InvalidDiamond: names all missing, unknown or invalid fields.
        """
        if not text:
            try:  # the common case: all values are valid
                exact: dict[str, Any] = {**values}
                for name, members in _MEMBERS:
                    if exact.get(name) is not None:
                        exact[name] = members[exact[name]]
                return cls(**exact)
            except (InvalidDiamond, KeyError, TypeError):
                pass  # find the problems below
        problems: list[FieldProblem] = []
        parsed: dict[str, Any] = {}
        stone: Self | None = None
        for name, field in FIELDS.items():
            value = values.get(name)
            if value is None or is_blank(value, text=text):
                if field.required:
                    problems.append(FieldProblem(name, missing(field)))
                continue
            good = field.read(value, text=text)
            if good is None:
                problems.append(FieldProblem(name, invalid(field, value, text=text)))
            else:
                parsed[name] = good
        if not problems:
            try:
                stone = cls(**parsed)
            except InvalidDiamond as ex:
                problems += ex.problems
        problems += [FieldProblem(str(n), NOT_A_FIELD) for n in values if n not in FIELDS]
        if stone is None or problems:
            raise InvalidDiamond(problems)
        return stone

    def features(self, names: Sequence[str] = NAMES) -> NDArray[np.float32]:
        """Return the fields *names* as numbers, shape (1, len(names)); see ``Stones``."""
        fields = tuple(names)
        values = [
            _NAN if value is None else value if numbers is None else numbers[value]
            for value, numbers in zip(reader_of(fields)(self), _numbers_by(fields), strict=False)
        ]
        row = pack(f"{len(fields)}f", *values)  # twice as fast as an array of a list
        return np.frombuffer(row, dtype=np.float32).reshape(1, -1)

    @property
    def unknown(self) -> list[str]:
        """The fields that were not given, in their order."""
        return [name for name in OPTIONAL if getattr(self, name) is None]


NOT_A_FIELD: Final = f"is not a field of a diamond; the fields are {', '.join(FIELDS)}"

_SETTERS: Final = tuple(getattr(Diamond, name).__set__ for name in NAMES)  # of frozen slots
_NAN: Final = float("nan")
_NUMBER_TYPES: Final = (float, int)
_grades_of: Callable[[Diamond], tuple[StrEnum | None, ...]] = attrgetter(*GRADES)
_numbers_of: Callable[[Diamond], tuple[float | None, ...]] = attrgetter(*NUMBERS)
_KINDS: Final = tuple(type(field.example) for field in GRADES.values())
_NEEDED: Final = tuple(field.required for field in GRADES.values())
_MEMBERS: Final = tuple((name, field.members) for name, field in GRADES.items())
_AGREEING: Final = tuple(attrgetter(*each.fields) for each in AGREEMENTS)
_LIMITS: Final = tuple((each.minimum, each.maximum, each.required) for each in NUMBERS.values())


@lru_cache(maxsize=64)
def reader_of(names: tuple[str, ...]) -> Callable[[Diamond], tuple[Any, ...]]:
    """Return a fast function that returns the fields *names* of a stone as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda stone: tuple(getattr(stone, name) for name in names)


@lru_cache(maxsize=64)
def _numbers_by(names: tuple[str, ...]) -> tuple[Mapping[str, int] | None, ...]:
    """Return for each of the fields *names* its grades' numbers, or None if it has no grades."""
    return tuple(GRADES[name].numbers if name in GRADES else None for name in names)
