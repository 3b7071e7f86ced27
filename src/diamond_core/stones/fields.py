"""The fields of a stone: one table with the meaning and the allowed values of each.

``DiamondTable``, ``Diamond``, cleaning, payloads, the OpenAPI document, the options of the command
line and the form on the page all use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np


class Cut(StrEnum):
    """How well the stone is cut, worst first."""

    FAIR = "Fair"
    GOOD = "Good"
    VERY_GOOD = "Very Good"
    PREMIUM = "Premium"
    IDEAL = "Ideal"


class Color(StrEnum):
    """How colorless the stone is, from J (some tint) to D (colorless)."""

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


@dataclass(frozen=True, kw_only=True)
class GradeField:
    """A field whose values are the grades of a scale.

    Attributes:
        name: its name in columns, payloads and options.
        label: its display name.
        about: what it means, in one sentence.
        meanings: each grade and its meaning in plain words, worst grade first.
        example: a grade for examples in documents.
        required: whether a stone needs it; if not, it can be unknown.
        synonyms: other names of a grade in the trade.
        foreign: names of grades of other scales, and why they are refused.
    """

    name: str
    label: str
    about: str
    meanings: Mapping[StrEnum, str]
    example: StrEnum
    required: bool = True
    synonyms: Mapping[str, StrEnum] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def grades(self) -> tuple[StrEnum, ...]:
        """The grades, worst first: a grade's number is its position here."""
        return tuple(self.meanings)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Each grade's number, 0 for the worst. Members and names both work as keys."""
        return {grade: number for number, grade in enumerate(self.grades)}

    @cached_property
    def members(self) -> dict[str, StrEnum]:
        """Each grade by its exact name."""
        return {grade.value: grade for grade in self.grades}

    @cached_property
    def names(self) -> dict[int, str]:
        """Each grade's name by its number; an unknown grade has none."""
        return {number: grade.value for number, grade in enumerate(self.grades)}

    @cached_property
    def expected(self) -> str:
        """What a value must be, for an error message."""
        return f"one of {', '.join(self.grades)} (worst to best)"

    @cached_property
    def _loose(self) -> dict[str, StrEnum]:
        names = {str(grade): grade for grade in self.grades} | dict(self.synonyms)
        return {_squeezed(name): grade for name, grade in names.items()}

    def read(self, value: object, *, text: bool = False) -> StrEnum | None:
        """Return the grade that *value* names, in any case and spacing, or None.

        A name is that of the grade or one of ``synonyms``.
        """
        if not isinstance(value, str):
            return None
        return self.members.get(value) or self._loose.get(_squeezed(value))

    def why_foreign(self, value: object) -> str | None:
        """Return why *value* is refused if it is a grade of another scale, else None."""
        if not isinstance(value, str):
            return None
        reasons = {_squeezed(name): reason for name, reason in self.foreign.items()}
        return reasons.get(_squeezed(value))


@dataclass(frozen=True, kw_only=True)
class NumberField:
    """A field whose values are numbers.

    Attributes:
        what: the meaning of the number and its unit, as part of a sentence.
        unit: the unit's short name.
        minimum, maximum: the limits. A value below the minimum can't be measured, and models in
            float32 would read it as 0.
        (others): as for ``GradeField``.
    """

    name: str
    label: str
    about: str
    what: str
    unit: str
    minimum: float
    maximum: float
    example: float
    required: bool = False

    @cached_property
    def expected(self) -> str:
        """What a value must be, for an error message."""
        return f"{self.what}, a number from {self.minimum:g} to {self.maximum:.15g}"

    def allows(self, values: Any) -> Any:
        """Return whether a number, or each number of an array, is within the limits; NaN is not."""
        return (values >= self.minimum) & (values <= self.maximum)

    def read(self, value: object, *, text: bool = False) -> float | None:
        """Return *value* as a number within the limits, or None.

        With *text*, a number can be written as text.
        """
        number = as_number(value, text=text)
        return number if number is not None and self.allows(number) else None


Field = GradeField | NumberField


def _field_map(*fields: Any) -> dict[str, Any]:
    return {each.name: each for each in fields}


FIELDS: Final[Mapping[str, Field]] = _field_map(
    NumberField(
        name="carat",
        label="Carat",
        about="The weight in carats; 1 carat is 0.2 grams.",
        what="the weight in carats",
        unit="ct",
        minimum=0.001,
        maximum=1000.0,
        example=1.1,
        required=True,
    ),
    GradeField(
        name="cut",
        label="Cut",
        about="How well the stone is cut, so that it returns the light.",
        meanings={
            Cut.FAIR: "Loses much light at the bottom and the sides: duller than its weight suggests.",
            Cut.GOOD: "Returns much of the light; cut to keep weight rather than brilliance.",
            Cut.VERY_GOOD: "Returns most of the light; the eye hardly sees a difference to Premium.",
            Cut.PREMIUM: "Returns nearly as much light as Ideal, for less money.",
            Cut.IDEAL: "Returns nearly all the light that enters it: the most brilliant cut.",
        },
        example=Cut.IDEAL,
        # the names that RapNet and IDEX take; P and PR are Poor there, not Premium
        synonyms={
            "F": Cut.FAIR,
            "FR": Cut.FAIR,
            "G": Cut.GOOD,
            "GD": Cut.GOOD,
            "VG": Cut.VERY_GOOD,
            "V Good": Cut.VERY_GOOD,
            "I": Cut.IDEAL,
            "ID": Cut.IDEAL,
        },
        # RapNet takes both Ideal and Excellent: they are not the same
        foreign=dict.fromkeys(
            ("EX", "EXC", "Excellent"), "Excellent is of GIA's scale and has no equal in this one"
        ),
    ),
    GradeField(
        name="color",
        label="Color",
        about="How colorless the stone is, from J (some tint) to D (colorless).",
        meanings={
            Color.J: "A little warm: the tint shows from the side; gold settings hide it.",
            Color.I: "Nearly colorless: a little warmth shows in a large stone.",
            Color.H: "Nearly colorless: looks white unless it is beside a better stone.",
            Color.G: "Nearly colorless: looks white in any setting.",
            Color.F: "Colorless; a trace of color shows only beside a D.",
            Color.E: "Colorless; only an expert finds a trace of color.",
            Color.D: "Absolutely colorless: the rarest and most expensive.",
        },
        example=Color.H,
    ),
    GradeField(
        name="clarity",
        label="Clarity",
        about="How free of inclusions the stone is, from I1 (seen by eye) to IF (none inside).",
        meanings={
            Clarity.I1: "Included: the eye sees inclusions without help; the best value by weight.",
            Clarity.SI2: "Slightly included: easily seen at 10 times magnification, sometimes by eye.",
            Clarity.SI1: "Slightly included, better half: easily seen at 10 times magnification, not by eye.",
            Clarity.VS2: "Very slightly included: seen with some effort at 10 times magnification.",
            Clarity.VS1: "Very slightly included, better half: hard to see even at 10 times magnification.",
            Clarity.VVS2: "Very, very slightly included: an expert finds it with effort at 10 times magnification.",
            Clarity.VVS1: "Very, very slightly included, better half: an expert hardly finds it at 10 times magnification.",
            Clarity.IF: "Internally flawless: nothing inside, even at 10 times magnification.",
        },
        example=Clarity.SI2,
        synonyms={"P1": Clarity.I1},  # CIBJO's name
    ),
    NumberField(
        name="depth",
        label="Depth",
        about="The total depth in percent of the mean diameter: 100 z / ((x + y) / 2). Where x, y and"
        " z are given too, it must agree with them within 3 percentage points.",
        what="the total depth in percent of the mean diameter",
        unit="%",
        minimum=0.001,
        maximum=100.0,
        example=61.9,
    ),
    NumberField(
        name="table",
        label="Table",
        about="The width of the flat top facet in percent of the mean diameter.",
        what="the table's width in percent of the mean diameter",
        unit="%",
        minimum=0.001,
        maximum=100.0,
        example=56.0,
    ),
    NumberField(
        name="x",
        label="Length x",
        about="The length in millimeters.",
        what="the length in millimeters",
        unit="mm",
        minimum=0.001,
        maximum=100.0,
        example=6.61,
    ),
    NumberField(
        name="y",
        label="Width y",
        about="The width in millimeters.",
        what="the width in millimeters",
        unit="mm",
        minimum=0.001,
        maximum=100.0,
        example=6.65,
    ),
    NumberField(
        name="z",
        label="Height z",
        about="The height in millimeters. The weight must be possible for x, y and z.",
        what="the height in millimeters",
        unit="mm",
        minimum=0.001,
        maximum=100.0,
        example=4.1,
    ),
)
"""Every field of a stone by its name, in the order of columns."""

PRICE: Final = NumberField(
    name="price",
    label="Price",
    about="The price it was sold for, in USD.",
    what="the price in USD",
    unit="USD",
    minimum=0.01,
    maximum=1e9,
    example=4733.0,
    required=True,
)
"""The additional field of a training stone."""

GRADES: Final[Mapping[str, GradeField]] = {
    name: each for name, each in FIELDS.items() if isinstance(each, GradeField)
}
"""The fields that are grades."""

NUMBERS: Final[Mapping[str, NumberField]] = {
    name: each for name, each in FIELDS.items() if isinstance(each, NumberField)
}
"""The fields that are numbers."""

REQUIRED: Final = tuple(name for name, each in FIELDS.items() if each.required)
"""The names of the fields that every stone has: the 4 Cs."""

GRADED: Final = tuple(name for name in REQUIRED if name in GRADES)
"""The names of those of the 4 Cs that are grades."""

OPTIONAL: Final = tuple(name for name, each in FIELDS.items() if not each.required)
"""The names of the fields that can be unknown."""

HOLDOUT_FIELDS: Final = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z")
"""The fields in a stone's hash. Never change them: a change would move stones between training and
hold-out, and earlier models could not be compared any more."""

DEPTH_TOLERANCE: Final = 3.0
"""The maximum difference of the given depth from the depth of x, y and z, in percentage points."""

CARATS_PER_VOLUME: Final = (0.004, 0.012)
"""The limits of carat / (x y z), in carats per cubic millimeter.

The trade estimates weights as length x width x height x factor; the factors of polished shapes go
from about 0.0057 (marquise) over 0.0061 (round brilliant) to 0.0106 (emerald cut).
"""


class Agreement(NamedTuple):
    """Numbers of a stone that must agree with each other.

    Attributes:
        field: the field that is named if they do not.
        fields: the numbers.
        is_broken: takes them, as numbers or arrays, and returns whether they contradict each other.
        sentence: takes them and returns the message.
    """

    field: str
    fields: tuple[str, ...]
    is_broken: Callable[..., Any]
    sentence: Callable[..., str]


def depth_of(x: Any, y: Any, z: Any) -> Any:
    """Return the total depth in percent (GIA: 100 x height / mean girdle diameter)."""
    return 200.0 * z / (x + y)


def _wrong_depth(depth: Any, x: Any, y: Any, z: Any) -> Any:
    return abs(depth_of(x, y, z) - depth) > DEPTH_TOLERANCE


def _depth_sentence(depth: float, x: float, y: float, z: float) -> str:
    return (
        f"{depth:g} % contradicts x, y and z: the height is {depth_of(x, y, z):.1f} % of the mean"
        " diameter; check the four numbers"
    )


def _wrong_weight(carat: Any, x: Any, y: Any, z: Any) -> Any:
    minimum, maximum = CARATS_PER_VOLUME
    volume = x * y * z
    return (carat < minimum * volume) | (carat > maximum * volume)


def _weight_sentence(carat: float, x: float, y: float, z: float) -> str:
    minimum, maximum = (each * x * y * z for each in CARATS_PER_VOLUME)
    return (
        f"{carat:g} ct contradicts x, y and z: a stone of that size weighs {minimum:.2g} to"
        f" {maximum:.2g} ct; check the four numbers"
    )


AGREEMENTS: Final = (
    Agreement("depth", ("depth", "x", "y", "z"), _wrong_depth, _depth_sentence),
    Agreement("carat", ("carat", "x", "y", "z"), _wrong_weight, _weight_sentence),
)
"""All numbers that must agree, where all of them are known."""


_DECIMAL_COMMA: Final = re.compile(r"\s*[+-]?[0-9]+,([0-9]{1,2}|[0-9]{4,})\s*")


def as_number(value: object, *, text: bool) -> float | None:
    """Return *value* as a number, or None if it is not a number.

    With *text*, a text can be a number: in ASCII and without underscores, unlike ``float``. It can
    have a decimal comma, unless three digits follow it: 1,100 could also be eleven hundred.
    """
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, str):
        if not text or not value.isascii() or "_" in value:
            return None
        if "," in value and _DECIMAL_COMMA.fullmatch(value):
            value = value.replace(",", ".")
    elif not hasattr(value, "__float__"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def is_blank(value: object, *, text: bool) -> bool:
    """Return whether there is no value: None; with *text*, also a blank text or NaN."""
    if value is None:
        return True
    if isinstance(value, str):
        return text and not value.strip()
    return text and value != value


def missing(field: Field) -> str:
    """Return the message for a missing required field."""
    return f"is missing: give {field.expected}"


def invalid(field: Field, value: object, *, text: bool) -> str:
    """Return the message for an invalid *value*: what it must be."""
    sentence = f"must be {field.expected}, not {shown(value, text=text)}"
    is_quoted = isinstance(field, NumberField) and isinstance(value, str) and not text
    if is_quoted and field.read(value, text=True) is not None:
        return f"{sentence}: write the number without quotes"
    foreign = field.why_foreign(value) if isinstance(field, GradeField) else None
    return f"{sentence}: {foreign}" if foreign else sentence


def shown(value: object, *, text: bool) -> str:
    """Return a value as short text for a message; a number has no quotes, even as text."""
    number = as_number(value, text=text)
    if number is not None:
        whole = repr(number).removesuffix(".0")
    elif isinstance(value, str):
        whole = repr(value if len(value) <= 40 else value[:37] + "...")
    elif isinstance(value, (list, dict)):  # repr() fails on deep nesting
        whole = "a list" if isinstance(value, list) else "an object"
    else:
        too_large = isinstance(value, int) and abs(value) > 2
        whole = "a number too large" if too_large else repr(value).lower()  # true, as in JSON
    return whole if len(whole) <= 44 else whole[:41] + "..."


def _squeezed(text: str) -> str:
    return re.sub(r"[\s._-]", "", text.casefold())
