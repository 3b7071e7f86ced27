import csv
import io

import pytest
from histories import following
from hypothesis import given
from hypothesis import strategies as st

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_adapters.sources import csv_rows
from diamond_app.csv_cells import is_without_formulas, neutralized
from diamond_app.priced_csv import price_csv
from diamond_app.priced_rows import ADDED
from diamond_core import (
    ChampionFollower,
    ChooseChampion,
    Diamond,
    InvalidDiamond,
    ModelHistory,
    PriceDiamonds,
    RawStones,
    SourceUnreadable,
    clean,
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


def read_all(data):
    """Read the stones of a CSV."""
    rows = csv_rows.CsvRows("it", io.BytesIO(data))
    while rows.take(1000):
        pass


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
    monkeypatch.setattr(csv_rows, "_BLOCK", 60)
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
    monkeypatch.setattr(csv_rows, "_BLOCK", 60)
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


def priced_row_by_row(header, rows, price_diamonds, delimiter):
    """The same as ``price_csv``, in a plain way: each row is read, priced and written alone."""
    out = io.StringIO(newline="")
    write = csv.writer(out, delimiter=delimiter, lineterminator="\n").writerow
    write([*neutralized(header), *ADDED])
    width = len(header)
    for row in rows:
        fitted = [*row, *[""] * width][: max(width, len(row))]
        fitted[width - 1 :] = [delimiter.join(fitted[width - 1 :])]
        if len(row) == width:
            columns = csv_rows.columns_of([row], header)
            cleaned = clean(RawStones("", columns, [0]), priced=False)
            if cleaned.rejected:
                cells = ["", "", "", "; ".join(cleaned.rejected[0].reasons), ""]
            else:
                try:
                    one = price_diamonds.one(cleaned.table.diamond(0))
                    cells = [one.price, one.low, one.high, "", one.warning or ""]
                except InvalidDiamond as ex:
                    (problem,) = ex.problems
                    cells = ["", "", "", f"{problem.field}: {problem.detail}", ""]
        else:
            cells = ["", "", "", csv_rows.ragged(row, header), ""]
        write([*neutralized(fitted), *cells])
    return out.getvalue().encode()


plain_cells = st.sampled_from(["", " ", "a", "Z\u00fcrich", "-1", "-", "=1", "+3%", "1-2", "-1e5x"])
remarks = plain_cells | st.sampled_from(['"', '"a\nb"', '"x""y"', "\v"])
numbers = st.sampled_from(
    ["1.1", "0.3", "1", "01.5", ".9", "+1.0", " 1.2 ", "1e0", "", "null", "9", "nan"]
)
lines = st.tuples(
    plain_cells,
    numbers,
    st.sampled_from(["Ideal", "very good", "", "Best"]),
    st.sampled_from(["H", "d", "K"]),
    st.sampled_from(["SI2", "if", "?"]),
    st.sampled_from(["61.5", "", "61", "-0", "[1]", "1_0"]),
    remarks,
)


@given(
    rows=st.lists(lines | st.sampled_from([(), ("a",), ("",) * 7, ("1",) * 9]), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    size=st.sampled_from([20, 100, 1 << 18]),
    is_ended=st.booleans(),
)
def test_writes_what_a_plain_version_writes(price_diamonds, rows, delimiter, end, size, is_ended):
    header = ["id", "carat", "cut", "color", "clarity", "depth", "remark"]
    text = end.join([f"sep={delimiter}", *(delimiter.join(row) for row in [header, *rows])])
    data = (text + end * is_ended).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "_BLOCK", size)
        try:
            found, out = priced(data, price_diamonds)
        except SourceUnreadable as ex:
            assert "fewer fields" in ex.detail  # noqa: PT017  # the plain version has no limit
            return
    expected = [row for row in rows_of(data, delimiter)[2:] if "".join(row).strip()]
    assert out == priced_row_by_row(header, expected, price_diamonds, delimiter)
    assert found.good + found.bad == len(expected)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5), st.sampled_from(",;\t"))
def test_finds_formulas_in_a_text_as_in_its_cells(rows, delimiter):
    kept = [
        [cell.translate({10: "", 13: "", 34: "", ord(delimiter): ""}) for cell in row]
        for row in rows
    ]
    text = "\n".join(map(delimiter.join, kept))
    assert is_without_formulas(text, delimiter) == all(neutralized(row) == row for row in kept)


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("1,Ideal,H,SI2\n\n1,Ide\xe9al,H,SI2\n1,\xe9\n", "byte 0xe9 on line 6 is not UTF-8"),
        ('"1\n\n",Ide\xe9al,H,SI2\n', "byte 0xe9 on line 6 is not UTF-8"),
        ("1,Ideal,H,SI2\n1,Ideal,H," + "x" * 200_000, "line 5: field larger"),
        ('1,Ideal,H,SI2\n1,Ideal,H,"' + "x\n" * 100_000, "line 65541: field larger"),
        ("1,Ideal,H,SI2\r" + "1," * 500_000, "line 5 has more than 1,000,000 characters"),
        ("1,Ideal,H,SI2\n" * 9 + "x" * 1_000_000, "line 13 has more than 1,000,000 characters"),
    ],
    ids=["encoding", "in quotes", "cell", "open quote", "line", "long line"],
)
@pytest.mark.parametrize("size", [50, 1 << 18])
def test_names_the_line_that_can_not_be_read(price_diamonds, monkeypatch, rest, said, size):
    monkeypatch.setattr(csv_rows, "_BLOCK", size)
    data = b"\n\ncarat,cut,color,clarity\n" + rest.encode("latin-1")
    with pytest.raises(SourceUnreadable, match=said):
        priced(data, price_diamonds)
    with pytest.raises(SourceUnreadable, match=said):
        read_all(data)


def test_names_the_line_after_which_utf_16_is_damaged(price_diamonds, monkeypatch):
    text = "carat,cut,color,clarity\n" + "1,Ideal,H,SI2\n" * 3000
    damaged = text.encode("utf-16") + "\ud800\n1".encode("utf-16-le", "surrogatepass")
    monkeypatch.setattr(csv_rows, "_BLOCK", 20_000)
    assert priced(text.encode("utf-16"), price_diamonds)[0].good == 3000
    plain = io.TextIOWrapper(io.BytesIO(damaged), "utf-16", newline="")
    lines = []
    with pytest.raises(UnicodeError):
        lines.extend(plain)
    said = f"the text after line {len(lines):,} is not UTF-16"
    with pytest.raises(SourceUnreadable, match=said):
        priced(damaged, price_diamonds)
    with pytest.raises(SourceUnreadable, match=said):
        read_all(damaged)
