"""Numbers in any notation are read as what they mean, or refused: never as another number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diamond_core import RawStones, clean
from diamond_core.stones.fields import NUMBERS, PRICE
from diamond_core.stones.notation import Notation

NOTATIONS = [(".", ""), (".", ","), (".", " "), (".", "'"), (",", ""), (",", "."), (",", "\u202f")]
AFFIXES = ["{}", "${}", "$ {}", "US$ {}", "{} USD", "{}$", " {} "]
prices = st.decimals(Decimal("0.01"), 2_000_000, places=2)
carats = st.decimals(Decimal("0.01"), 30, places=2)


def written(number, notation, places=None):
    """Write a number as people do: without zeros at its end, unless it has *places*."""
    sign, gap = notation
    text = f"{number:,.{places}f}" if places is not None else f"{number:,f}"
    whole, _, rest = text.partition(".")
    rest = rest if places is not None else rest.rstrip("0")
    return whole.replace(",", gap) + (sign + rest if rest else "")


def read(prices, carats):
    """Return what cleaning makes of prices and carats: numbers, or None for a rejected row."""
    size = len(prices)
    columns = {"cut": ["Ideal"] * size, "color": ["D"] * size, "clarity": ["IF"] * size}
    columns |= {"carat": carats, "price": prices}
    result = clean(RawStones("test", columns, range(size)))
    found = dict.fromkeys(range(size))
    kept = [line for line in found if line not in {row.line for row in result.rejected}]
    found |= dict(zip(kept, result.table.price.tolist(), strict=True))
    return [found[line] for line in range(size)], {
        row.line: " ".join(row.reasons) for row in result.rejected
    }


@given(
    st.lists(st.tuples(prices, carats), min_size=1, max_size=8),
    st.sampled_from(NOTATIONS),
    st.sampled_from(AFFIXES),
)
@example([(Decimal(5230), Decimal(1))], (",", "."), "{}")
def test_reads_every_number_of_a_file_whose_notation_shows(rows, notation, affix):
    rows = [*rows, (Decimal("850.5"), Decimal("0.5"))]  # it shows the notation
    texts = [affix.format(written(price, notation)) for price, _ in rows]
    found, rejected = read(texts, [written(carat, notation) for _, carat in rows])
    assert rejected == {}
    assert found == [float(price) for price, _ in rows]


@given(
    st.lists(st.tuples(prices, carats), min_size=1, max_size=5),
    st.sampled_from(NOTATIONS),
    st.sampled_from(NOTATIONS),
    st.sampled_from(AFFIXES),
)
@example([(Decimal(5230), Decimal("1.01"))], (",", "."), (".", ""), "{}")
@example([(Decimal(5230), Decimal("1.01"))], (".", ","), (",", ""), "{}")
@example([(Decimal(5230), Decimal(1))], (".", ","), (".", ""), "{}")
def test_never_reads_another_number_even_if_prices_are_written_otherwise(
    rows, notation, of_carats, affix
):
    texts = [affix.format(written(price, notation)) for price, _ in rows]
    found, rejected = read(texts, [written(carat, of_carats) for _, carat in rows])
    for line, (price, _) in enumerate(rows):
        if found[line] is None:
            assert "can mean" in rejected[line]
        else:
            assert found[line] == float(price)


floats = st.floats(0.01, 1e6) | st.integers(10, 10**7).map(lambda number: number / 1000)


@given(st.lists(floats, min_size=1, max_size=5), st.booleans())
@example([326.125], True)
@example([326.125], False)
def test_reads_plain_floats_as_float_does(values, with_decimals):
    texts = [repr(value) for value in values]
    found, _ = read(
        [*texts, *(["850.5"] if with_decimals else [])], ["0.5"] * (len(values) + with_decimals)
    )
    for text, number in zip(texts, found, strict=False):
        assert number == float(text) or (number is None and not with_decimals)


def readings(text):
    """Return every number that *text* can mean: the plain, slow way, one notation at a time."""
    text = text.strip()
    for affix in ("US$", "USD", "$"):
        text = text.removeprefix(affix).removesuffix(affix).strip()
    found = set()
    for sign in ".,":
        for gap in ("", ".", ",", " ", "'", "\u202f"):
            whole, has_sign, rest = text.partition(sign)
            groups = whole.split(gap) if gap else [whole]
            grouped = len(groups) == 1 or (
                1 <= len(groups[0]) <= 3 and all(len(each) == 3 for each in groups[1:])
            )
            digits = [*groups, *([rest] if has_sign else [])]
            if (
                gap != sign
                and grouped
                and all(each.isascii() and each.isdigit() for each in digits)
            ):
                found.add(float(f"{''.join(groups)}.{rest or 0}"))
    return found


texts = st.lists(
    st.text("0123456789.,' \u202f", min_size=1, max_size=10)
    | st.builds(
        lambda number, notation, affix: affix.format(written(number, notation)),
        prices,
        st.sampled_from(NOTATIONS),
        st.sampled_from(AFFIXES),
    ),
    min_size=1,
    max_size=5,
)


@given(texts, st.lists(st.sampled_from(["1", "0.5", "0,5", "1.250"]), min_size=5, max_size=5))
@example(["1,234", "1.234", "0.5"], ["1"] * 5)
@example(["0.234", "0,234", "1234,567"], ["1"] * 5)
@example(["1,23,456.00", "12,34", "1.234,567"], ["1"] * 5)
@example(["1,234,56", "1.234.56", "1 234 5"], ["1"] * 5)
def test_reads_a_price_only_as_one_of_its_readings(texts, carats):
    found, _ = read(texts, carats[: len(texts)])
    for text, number in zip(texts, found, strict=True):
        assert number is None or number in readings(text) | {_as_float(text)}


@pytest.mark.parametrize(
    ("texts", "carat", "first"),
    [
        (["1,234", "5.50"], "0,5", 1234),  # the prices themselves show more than the carats
        (["1.234", "5,50"], "0.5", 1234),
        (["1.234", "5.50"], "0,5", 1.234),
        (["1,234", "1,234,567"], "1", 1234),  # only thousands come twice
        (["1.234", "1.234.567"], "0.5", 1234),
        (["1,234", "5"], "0.5", 1234),
        (["1.234", "5"], "0,5", 1234),
        (["1,234", "5"], "0,5", None),
        (["1.234", "5"], "0.5", None),
        (["1,234", "5"], "1", None),
        (["1,234", "5,50"], "1", None),
        (["1,234", "5,50", "5.50"], "1", None),
    ],
)
def test_finds_the_notation_of_prices(texts, carat, first):
    found, rejected = read(texts, [carat] * len(texts))
    assert found[0] == first
    assert None not in found[1:]
    assert first is not None or "can mean 1.234 or 1234" in rejected[0]


def _as_float(text):
    try:
        return float(text)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("field", "text", "number"),
    [
        ("carat", "1.10 ct", 1.1),
        ("carat", "1,10CT", 1.1),
        ("carat", "1.10 mm", None),
        ("carat", "1.234", 1.234),
        ("carat", "1,234", None),
        ("carat", "1,234.5", None),
        ("carat", "1 234", None),
        ("carat", "$1", None),
        ("depth", "61,5 %", 61.5),
        ("table", "57%", 57.0),
        ("x", "6.61 mm", 6.61),
        ("x", "6.61 ct", None),
        ("price", "5%", None),
        ("price", "- 5", -5.0),
        ("price", "-$5", -5.0),
        ("price", "US $ 5", 5.0),
        ("price", "\uff15", None),
        ("price", "1_000", None),
        ("price", "12 34", None),
        ("price", "1,234 567", None),
        ("price", "1234 567", None),
        ("price", "", None),
        ("price", 5, 5.0),
        ("price", True, None),
        ("price", None, None),
    ],
)
def test_reads_one_value_alone(field, text, number):
    known = NUMBERS | {"price": PRICE}
    assert Notation({field: [text]}).read(known[field], text) == number


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("€5", "€"),
        ("5 EUR", "EUR"),
        ("5eur", "eur"),
        ("£ 5", "£"),
        ("CHF 5", "CHF"),
        ("HK$5", "HK$"),
        ("A$ 5", "A$"),
        ("₹5", "₹"),
        ("Rs. 5", "Rs"),
    ],
)
def test_names_a_foreign_currency(text, currency):
    reason = f"is in {currency}, not in USD: convert it"
    assert Notation({}).problem(PRICE, text) == reason
    assert Notation({}).problem(NUMBERS["carat"], text) is None


@pytest.mark.parametrize("text", ["US$5", "$5", "5 USD", "us$ 5", "5 aus$", "free", "EURO"])
def test_takes_nothing_else_for_a_foreign_currency(text):
    assert Notation({}).problem(PRICE, text) is None
