import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_app import priced_csv
from diamond_app.priced_csv import price_csv
from diamond_core import (
    ChampionFollower,
    ChooseChampion,
    Diamond,
    InvalidDiamond,
    ModelHistory,
    PriceDiamonds,
    SourceUnreadable,
)
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON


@pytest.fixture(scope="module")
def price_diamonds():
    history, stones = ModelHistory(InMemoryModelRepository(), load_formula), some_stones(400)
    card = history.publish(a_card("formula-1"), a_fitted_model(stones), stones)
    ChooseChampion(history, lambda: NOON).promote(card.id, reason="test", by="test")
    follower = ChampionFollower(history)
    follower.refresh()
    return PriceDiamonds(follower)


def text_of(rows, delimiter=","):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def rows_of(data, delimiter=","):
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


letters = st.characters(codec="utf-8", exclude_characters="\r\n\x00")
cells = st.text(letters, max_size=8) | st.sampled_from(['"', "a,b", "=1+1", "; ", "x\ny", "-"])
stones = st.tuples(
    st.sampled_from(["1.1", "0.3", "", "-1", "nan", "1e999", "heavy"]),
    st.sampled_from(["Ideal", "very good", "", "Best"]),
    st.sampled_from(["H", "d", "K"]),
    st.sampled_from(["SI2", "if", "?"]),
    cells,
)


@given(rows=st.lists(stones, max_size=12), delimiter=st.sampled_from(",;\t"))
def test_keeps_each_row_and_prices_exactly_those_that_are_stones(price_diamonds, rows, delimiter):
    header = ["carat", "cut", "color", "clarity", "remark"]
    priced = price_csv("it", text_of([header, *rows], delimiter), price_diamonds)
    head, *out = rows_of(priced.data, delimiter)
    assert head == [*header, "predicted_price", "price_low", "price_high", "error"]
    assert [tuple(row[:5]) for row in out] == rows
    for row, given_row in zip(out, rows, strict=True):
        values = dict(zip(header[:4], given_row, strict=False))
        try:
            stone = Diamond.parse(values, text=True)
        except InvalidDiamond:
            stone = None
        assert (row[8] == "") == (stone is not None)
        if stone is not None:
            one = price_diamonds.one(stone)
            assert [float(cell) for cell in row[5:8]] == pytest.approx(
                [one.price, one.low, one.high], abs=0.011
            )
    assert (priced.good, priced.bad) == (
        sum(row[8] == "" for row in out),
        sum(row[8] != "" for row in out),
    )


def test_a_long_file_is_priced_in_parts_as_if_it_were_one(price_diamonds, monkeypatch):
    data = text_of([["carat", "cut", "color", "clarity"], *[["1", "Ideal", "H", "SI2"]] * 25])
    whole = price_csv("it", data, price_diamonds)
    monkeypatch.setattr(priced_csv, "_ROWS_AT_ONCE", 4)
    shares = []
    parts = price_csv("it", data, price_diamonds, lambda _, share: shares.append(share))
    assert parts == whole
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_takes_as_many_rows_as_it_may_and_no_more(price_diamonds):
    data = text_of([["carat", "cut", "color", "clarity"], *[["1", "Ideal", "H", "SI2"]] * 5])
    assert price_csv("it", data, price_diamonds, maximum=5).good == 5
    with pytest.raises(SourceUnreadable, match="more than 4 rows"):
        price_csv("it", data, price_diamonds, maximum=4)
