"""Read numbers as traders write them: decimal commas, thousands separators, ``$`` and units.

How a batch of text writes its numbers is found from all its columns. A number that has two possible
readings is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from diamond_core.stones.fields import NUMBERS, PRICE, NumberField, as_number

_NUMBER: Final = (
    r"(?P<whole>[1-9][0-9]{0,2}(?:(?P<gap>[ \u00a0\u2009\u202f'\u2019.,])[0-9]{3})(?:(?P=gap)[0-9]{3})*"
    r"|[0-9]+)(?:(?P<sign>[.,])(?P<rest>[0-9]+))?"
)
_DOLLAR: Final = r"(?:US ?\$|USD|\$)?"
_WRITTEN: Final = {
    name: re.compile(rf"\s*(?P<minus>[+-]?){_NUMBER}\s*(?:{field.unit})?\s*", re.IGNORECASE)
    for name, field in NUMBERS.items()
} | {
    PRICE.name: re.compile(
        rf"\s*(?P<minus>[+-]?)\s*{_DOLLAR}\s*{_NUMBER}\s*{_DOLLAR}\s*", re.IGNORECASE
    )
}
_FOREIGN: Final = re.compile(
    r"[€£¥₹₪₽₺₩฿]|(?<![a-z])(?:(?!US\$)[a-z]{1,2}\$|(?:EUR|GBP|CHF|JPY|CNY|RMB|HKD|INR|AUD|CAD|NZD|SGD"
    r"|ILS|AED|ZAR|RUB|BRL|MXN|TRY|THB|SEK|NOK|DKK|PLN|CZK|HUF|Rs|Fr)(?![a-z]))",
    re.IGNORECASE,
)
_OTHER: Final = {".": ",", ",": "."}


class Notation:
    """How the numbers of a batch of text are written. It is found out when a number needs it.

    A price can have thousands separators in groups of three: dots, commas, spaces or apostrophes.
    A measurement has none, so a single dot in it is a decimal sign.

    Args:
        columns: the batch, one value per row; values that are not text are ignored, and so are
            arrays, which have none.
    """

    def __init__(self, columns: Mapping[str, Sequence[object]]) -> None:
        self._columns = {
            name: columns[name]
            for name in _WRITTEN
            if name in columns and not isinstance(columns[name], np.ndarray)
        }

    def read(self, field: NumberField, value: object) -> float | None:
        """Return *value* as a number, or None if it is not a number or has two readings."""
        number = as_number(value, text=True)
        if not isinstance(value, str) or (number is not None and field is not PRICE):
            return number
        found = _WRITTEN[field.name].fullmatch(value)
        if found is None:
            return number
        gap, sign = found["gap"], found["sign"]
        whole = found["minus"] + re.sub("[^0-9]", "", found["whole"])
        if _is_ambiguous(found):
            return self._of_two_readings(field, gap, *_readings(found))
        is_misgrouped = gap == sign or (sign == "," and not gap and len(found["rest"]) == 3)
        if gap if field is not PRICE else sign and is_misgrouped:
            return None
        return float(f"{whole}.{found['rest'] or 0}")

    def _of_two_readings(
        self, field: NumberField, gap: str, decimal: float, thousands: float
    ) -> float | None:
        if field is not PRICE:
            return decimal if gap == "." or self._signs == {","} else None
        # The other columns can't tell that 4.500 is a decimal: the prices may be written otherwise.
        if gap == "." and self._price_signs == {"."}:
            return decimal
        return thousands if (self._price_signs or self._signs) == {_OTHER[gap]} else None

    def is_settled(self, field: NumberField, values: Sequence[object]) -> bool:
        """Return whether plain numbers among *values*, such as 4.500, have only one reading."""
        if field.name not in self._columns or field is not PRICE:
            return True
        if not any(isinstance(each, str) and "." in each for each in values):
            return True
        return self._shows(".", [PRICE.name])

    def problem(self, field: NumberField, value: object) -> str | None:
        """Return why *value* is refused if the reason is how it is written, else None."""
        if not isinstance(value, str):
            return None
        currency = _FOREIGN.search(value) if field is PRICE else None
        if currency:
            return f"is in {currency.group().strip()}, not in USD: convert it"
        found = _WRITTEN[field.name].fullmatch(value)
        if found is None or not _is_ambiguous(found) or self.read(field, value) is not None:
            return None
        decimal, thousands = (f"{each:.15g}" for each in _readings(found))
        return (
            f"is ambiguous: {value.strip()!r} can mean {decimal} or {thousands};"
            " write it without a thousands separator"
        )

    @cached_property
    def _price_signs(self) -> set[str]:
        return self._signs_of([PRICE.name])

    @cached_property
    def _signs(self) -> set[str]:
        return self._signs_of([*self._columns])

    def _signs_of(self, names: Sequence[str]) -> set[str]:
        return {sign for sign in _OTHER if self._shows(sign, names)}

    def _shows(self, sign: str, names: Sequence[str]) -> bool:
        """Return whether *sign* is beyond doubt a decimal sign in the columns *names*."""
        return any(
            _decimal_sign(name, value) == sign
            for name in names
            for value in self._columns.get(name, ())
            if isinstance(value, str) and (sign in value or value.count(_OTHER[sign]) > 1)
        )


def _is_ambiguous(found: re.Match[str]) -> bool:
    """Return whether it is like 1.234 or 1,234."""
    return bool(found["gap"] in _OTHER and found["sign"] is None and len(found["whole"]) <= 7)


def _readings(found: re.Match[str]) -> tuple[float, float]:
    """Return an ambiguous number as a decimal, and with a thousands separator."""
    text = found["minus"] + found["whole"]
    return float(text.replace(",", ".")), float(re.sub("[.,]", "", text))


def _decimal_sign(name: str, value: str) -> str | None:
    """Return the decimal sign that *value* shows beyond doubt, or None."""
    found = _WRITTEN[name].fullmatch(value)
    if found is None or _is_ambiguous(found) or found["gap"] == found["sign"] is not None:
        return None
    sign: str | None = found["sign"]
    return sign or _OTHER.get(found["gap"])  # two groups of thousands tell the other sign
