import csv
import io

import pytest
from histories import following
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
    return PriceDiamonds(following(a_card("formula-1"), some_stones(400)))


def text_of(rows, delimiter=","):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def rows_of(data, delimiter=","):
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


def priced(data, price_diamonds, **more):
    """Price a CSV; return the result and the bytes that were written."""
    target = io.BytesIO()
    found = price_csv("it", io.BytesIO(data), len(data), target, price_diamonds, **more)
    return found, target.getvalue()


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
    text = text_of([header, *rows], delimiter)
    found, data = priced(text, price_diamonds, keep_formulas=True)
    head, *out = rows_of(data, delimiter)
    assert head == [*header, "predicted_price", "price_low", "price_high", "error", "warning"]
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
    assert (found.good, found.bad) == (
        sum(row[8] == "" for row in out),
        sum(row[8] != "" for row in out),
    )


def test_a_long_file_is_priced_in_parts_as_if_it_were_one(price_diamonds, monkeypatch):
    data = text_of([["carat", "cut", "color", "clarity"], *[["1", "Ideal", "H", "SI2"]] * 25])
    whole = priced(data, price_diamonds)
    monkeypatch.setattr(priced_csv, "_ROWS_AT_ONCE", 4)
    shares = []
    parts = priced(data, price_diamonds, progress=lambda _, share: shares.append(share))
    assert parts == whole
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_takes_as_many_rows_as_it_may_and_no_more(price_diamonds):
    data = text_of([["carat", "cut", "color", "clarity"], *[["1", "Ideal", "H", "SI2"]] * 5])
    assert priced(data, price_diamonds, maximum=5)[0].good == 5
    with pytest.raises(SourceUnreadable, match="more than 4 rows"):
        priced(data, price_diamonds, maximum=4)


def test_one_model_prices_all_rows(monkeypatch):
    history, stones = ModelHistory(InMemoryModelRepository(), load_formula), some_stones(400)
    champion = ChampionFollower(history)

    def promote(id, factor):
        history.publish(a_card(id), a_fitted_model(stones, factor=factor), stones)
        ChooseChampion(history, lambda: NOON).promote(a_card(id).id, reason="test", by="test")
        champion.refresh()

    promote("formula-1", 1.0)
    monkeypatch.setattr(priced_csv, "_ROWS_AT_ONCE", 4)
    data = text_of([["carat", "cut", "color", "clarity"], *[["1", "Ideal", "H", "SI2"]] * 25])
    found, text = priced(
        data,
        PriceDiamonds(champion),
        progress=lambda *_: champion.get().card.id == "formula-2" or promote("formula-2", 2.0),
    )
    assert champion.get().card.id == "formula-2"
    assert found.model_id == "formula-1"
    assert len({row[4] for row in rows_of(text)[1:]}) == 1


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_cell_that_a_spreadsheet_would_calculate_gets_an_apostrophe(price_diamonds, delimiter):
    risky = ["=1+1", "+cmd|'/C calc'!A0", "-1+1", "@SUM(A1)", "\uff1d1+1", "=", "-"]
    plain = ["-1.5", "+3", "-1e5", "1,5", "-0,5", "2 = 2", "", "'=1", "a=1", "-12%"]
    header = ["carat", "cut", "color", "clarity", "=note"]
    rows = [["1", "Ideal", "H", "SI2", cell] for cell in [*risky, *plain]]
    text = text_of([header, *rows], delimiter)
    head, *out = rows_of(priced(text, price_diamonds)[1], delimiter)
    assert head[4] == "'=note"
    assert [row[4] for row in out] == [*(f"'{cell}" for cell in risky), *plain]
    kept = rows_of(priced(text, price_diamonds, keep_formulas=True)[1], delimiter)
    assert [row[4] for row in kept] == ["=note", *risky, *plain]
