"""A CSV of stones sent to the API comes back priced."""

from __future__ import annotations

import csv
import io

import pytest
from support import STONE, diamond

BATCH = "/v1/predictions/batch"
CSV = {"Content-Type": "text/csv; charset=utf-8"}


def send(service, text):
    return service.post(BATCH, text if isinstance(text, bytes) else text.encode(), CSV)


def rows(answer):
    assert answer.status == 200, answer.body
    return list(csv.reader(io.StringIO(answer.body.decode(), newline="")))


def test_keeps_rows_columns_and_cells_and_prices_like_the_single_route(service):
    given = [
        ["id", "CARAT", "cut", "color", "clarity", "note"],
        ["a", "1.1", "Ideal", "H", "SI2", "-1.5"],
        ["b", "-3", "ideal", "H", "SI9", '"quoted", with a comma\nand a line'],
        ["c", "1.1", "IDEAL", "h", "si2", " spaces "],
    ]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(given)
    answer = send(service, text.getvalue())
    priced = rows(answer)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row[:6] for row in priced] == given
    assert priced[0][6:] == ["predicted_price", "price_low", "price_high", "error", "warning"]
    single = service.post("/v1/predictions", STONE).json
    wanted = [single["price"], single["price_range"]["low"], single["price_range"]["high"]]
    assert list(map(float, priced[1][6:9])) == wanted
    assert priced[3][6:] == priced[1][6:]
    assert priced[2][6:9] == ["", "", ""]
    assert "carat must be the weight in carats" in priced[2][9]
    assert "clarity must be one of" in priced[2][9]


def test_the_command_line_answers_the_same(service, trained_home, sample_csv, tmp_path):
    out = tmp_path / "priced.csv"
    told = diamond(trained_home, "predict", str(sample_csv), "--output", str(out)).stderr
    answer = send(service, sample_csv.read_bytes())
    assert out.read_bytes() == answer.body
    assert "stones priced" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("a,b\n1,2\n", "lacks carat, cut, color, clarity"),
        ("carat,carat,cut,color,clarity\n", "more than once"),
        ("carat,cut,color,clarity\n1,Ide\xe9al".encode("latin-1"), "line 2 is not UTF-8"),
        ("carat,cut\n".encode("utf-16")[:-1], "not UTF-16"),
        ("carat,cut,color,clarity\n" + "1,Ideal,H," + "x" * 200_000, "field larger"),
        ("carat,cut,color,clarity\n" + "1,,,\n" * 250_001, "more than 250,000 rows"),
    ],
    ids=["empty", "blank", "other", "twice", "latin-1", "utf-16", "field", "rows"],
)
def test_says_what_is_wrong_with_what_is_no_csv_of_stones(service, text, said):
    answer = send(service, text)
    assert answer.status == 422
    assert said in answer.json["detail"]


def test_a_header_alone_comes_back(service):
    assert rows(send(service, "carat,cut,color,clarity\n")) == [
        [
            "carat",
            "cut",
            "color",
            "clarity",
            "predicted_price",
            "price_low",
            "price_high",
            "error",
            "warning",
        ]
    ]


def test_too_large_a_csv_is_refused_and_json_keeps_its_own_limit(service):
    assert send(service, b"x" * 16_000_001).status == 413
    json_headers = {"Content-Type": "application/json"}
    assert service.post(BATCH, b"[" + b" " * 2_000_001, json_headers).status == 413
    assert service.post("/v1/predictions", b"carat", CSV).status == 415


def test_ragged_rows_and_repeated_headers_are_marked(service):
    text = "carat;cut;color;clarity\n1;Ideal\n1;Ideal;H;SI2;extra\ncarat;cut;color;clarity\n"
    priced = list(csv.reader(io.StringIO(send(service, text).body.decode()), delimiter=";"))
    assert priced[1][-2] == "has 2 fields, but the header has 4"
    assert priced[2][-2] == "has 5 fields, but the header has 4"
    assert "header line" in priced[3][-2]
