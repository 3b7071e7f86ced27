"""Valid JSON is decoded at once, everything else field by field: both read and refuse the same."""

from __future__ import annotations

import json

import pytest
from falcon import testing
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from strategies import json_stones

from diamond_app.api import payloads
from diamond_app.api.exchange_context import Request
from diamond_app.api.payloads import (
    read_json,
    read_stone_to_price,
    read_stones,
    stones_from_json,
)
from diamond_app.api.problems import Problem, pointer_token
from diamond_core import Diamond, InvalidDiamond

GOOD = {"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"}
MEASURED = GOOD | {"depth": 61.5, "table": 57, "x": 6.6, "y": 6.6, "z": 4.06}
CONTRADICTORY = MEASURED | {"z": 2}


def request_of(body):
    req = Request(
        testing.create_environ(method="POST", headers={"Content-Type": "application/json"})
    )
    req.context.body = body
    return req


def outcome(read, *arguments):
    """Return the stones that are read, or the status and each (pointer, detail)."""
    try:
        found = read(*arguments)
    except InvalidDiamond as ex:
        return 422, [(f"/{pointer_token(each.field)}", each.detail) for each in ex.problems]
    except Problem as ex:
        return ex.status, ex.errors
    return found if isinstance(found, Diamond) else list(found)


def one_quickly(body):
    return outcome(lambda: read_stone_to_price(body)[0])


def one_slowly(body):
    return outcome(lambda: Diamond.parse(read_json(body)))


def many_quickly(body):
    return outcome(lambda: read_stones(request_of(body), lambda _: {}).table)


def many_slowly(body):
    return outcome(lambda: stones_from_json(read_json(body)).table)


def batch_of(*stones):
    return b'{"diamonds": [%s]}' % b", ".join(stones)


def encoded(stone):
    return json.dumps(stone).encode()


@settings(max_examples=150)
@given(json_stones)
@example(GOOD)
@example(MEASURED)
@example(CONTRADICTORY)
@example(CONTRADICTORY | {"weight": 1})
@example(GOOD | {"cut": "very good"})
@example({})
def test_reads_a_stone_at_once_as_field_by_field(stone):
    found = one_quickly(encoded(stone))
    event("a stone" if isinstance(found, Diamond) else "refused")
    assert found == one_slowly(encoded(stone))


@settings(max_examples=100)
@given(st.lists(json_stones, min_size=1, max_size=4))
@example([MEASURED, GOOD])
@example([MEASURED, CONTRADICTORY])
@example([CONTRADICTORY | {"weight": 1}, {}, GOOD | {"color": "h"}])
def test_reads_a_batch_as_each_of_its_stones(stones):
    body = batch_of(*map(encoded, stones))
    alone = [one_quickly(encoded(stone)) for stone in stones]
    wrong = [
        (f"/diamonds/{at}{pointer}", detail)
        for at, found in enumerate(alone)
        if not isinstance(found, Diamond)
        for pointer, detail in found[1]
    ]
    event("refused" if wrong else "stones")
    assert many_quickly(body) == ((422, wrong) if wrong else alone)
    assert many_slowly(body) == many_quickly(body)


@pytest.mark.parametrize(
    "stone",
    [
        GOOD,
        MEASURED,
        GOOD | {"depth": None, "z": None},
        MEASURED | {"carat": 1, "x": 7, "y": 7, "depth": 58},
        dict(reversed(MEASURED.items())),
        GOOD | {"carat": 0.001, "x": 100},
    ],
    ids=str,
)
def test_decodes_valid_json_at_once(stone, monkeypatch):
    def slow(req):
        raise AssertionError("it is read field by field")

    body = json.dumps(stone, indent=1).encode()
    expected = one_slowly(body)
    monkeypatch.setattr(payloads, "read_json", slow)
    assert one_quickly(body) == expected
    assert many_quickly(batch_of(body, body)) == [expected] * 2


def with_more(text):
    return encoded(GOOD)[:-1] + b", " + text + b"}"


ODD = {
    "a wrong value, then a valid one": (b'{"carat": "x", ' + encoded(GOOD)[1:], None),
    "a valid value, then a wrong one": (with_more(b'"carat": "x"'), 422),
    "a number, then null": (with_more(b'"x": 5, "x": null'), None),
    "null, then a number": (with_more(b'"x": null, "x": 5'), None),
    "two numbers": (with_more(b'"carat": 2'), None),
    "escaped letters": (with_more(rb'"\u0064epth": 61, "cut": "Id\u0065al"'), None),
    "19 digits": (with_more(b'"x": ' + b"9" * 19), 422),
    "25 digits": (with_more(b'"x": ' + b"9" * 25), 422),
    "400 digits": (with_more(b'"x": ' + b"9" * 400), 422),
    "5,000 digits": (with_more(b'"x": -' + b"9" * 5000), 400),
    "5,000 decimals": (with_more(b'"x": 6.' + b"6" * 5000), None),
    "500 zeros": (with_more(b'"x": 0.' + b"0" * 500 + b"1"), 422),
    "1e400": (with_more(b'"x": 1e400'), 400),
    "-1e400": (with_more(b'"x": -1e400'), 400),
    "1e-400": (with_more(b'"x": 1e-400'), 422),
    "minus zero": (with_more(b'"x": -0'), 422),
    "an exponent": (with_more(b'"x": 50e-1'), None),
    "a hexadecimal number": (with_more(b'"x": 0x5'), 400),
    "a leading zero": (with_more(b'"x": 05'), 400),
    "a trailing point": (with_more(b'"x": 5.'), 400),
    "NaN": (with_more(b'"x": NaN'), 400),
    "a trailing comma": (with_more(b""), 400),
    "a comment": (with_more(b'"x": 5 /* mm */'), 400),
    "a byte order mark": (b"\xef\xbb\xbf" + encoded(GOOD), 400),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), 400),
    "white space around": (b"\r\n\t " + encoded(GOOD) + b" \n", None),
    "letters after it": (encoded(GOOD) + b" x", 400),
    "a zero byte after it": (encoded(GOOD) + b"\x00", 400),
    "two objects": (encoded(GOOD) * 2, 400),
    "no UTF-8 in a name": (with_more(b'"\xff": 1'), 400),
    "an overlong slash": (with_more(b'"\xc0\xaf": 1'), 400),
    "a surrogate as bytes": (with_more(b'"\xed\xa0\x80": 1'), 400),
    "a lone high surrogate": (with_more(rb'"\ud800": 1'), 400),
    "a lone low surrogate": (with_more(rb'"\udc00": 1'), 400),
    "a lone surrogate in a grade": (with_more(rb'"cut": "\ud800 Ideal"'), 400),
    "a pair of surrogates": (with_more(rb'"\ud83d\udc8e": 1'), 422),
    "a zero in a name": (with_more(rb'"\u0000": 1'), 422),
    "100,000 lists in each other": (with_more(b'"x": ' + b"[" * 100_000), 400),
    "100 lists in each other": (with_more(b'"cut": ' + b"[" * 100 + b"]" * 100), 422),
    "no name": (with_more(b'"": 1'), 422),
    "a slash in a name": (with_more(b'"a/b~c": 1'), 422),
}


@pytest.mark.parametrize(("body", "status"), ODD.values(), ids=ODD)
def test_reads_odd_json_at_once_as_field_by_field(body, status):
    found = one_quickly(body)
    assert found == one_slowly(body)
    assert (None if isinstance(found, Diamond) else found[0]) == status
    many = many_quickly(batch_of(encoded(MEASURED), body))
    if status is None:
        assert many == [Diamond.parse(MEASURED), found]
    elif status == 422:
        assert many == (422, [(f"/diamonds/1{at}", detail) for at, detail in found[1]])
    elif b"\xef\xbb\xbf" not in body:
        assert many[0] == 400


_NUMBERS = st.one_of(
    st.floats(0.2, 5.0).map(repr),
    st.sampled_from(
        ("1,1", "1.1 ", "1_1", "+1.1", "nan", "inf", "null", "0", "", "1e0", "true", "\u0661")
    ),
)
_GRADES = st.sampled_from(("Ideal", "ideal", "VG", "H", "h ", "SI2", "si2", "", "null"))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "carat": _NUMBERS,
            "cut": _GRADES,
            "color": _GRADES,
            "clarity": _GRADES,
            "depth": _NUMBERS,
        },
    )
)
@example({"carat": "1.1", "cut": "Ideal", "color": "H", "clarity": "SI2"})
def test_a_query_is_read_fast_as_it_is_read_with_care(query):
    wrong: dict[str, str] = {}
    found = payloads.stone_of_query(query, wrong)
    try:
        expected = Diamond.parse(query, text=True)
    except InvalidDiamond as ex:
        expected, problems = None, {pointer_token(each.field): each.detail for each in ex.problems}
        assert wrong.keys() == problems.keys()
    assert found == expected
