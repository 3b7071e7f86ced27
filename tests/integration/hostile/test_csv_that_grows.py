"""A CSV can't make the service answer, compute or keep much more than was sent."""

from __future__ import annotations

import csv

import pytest

CSV = {"Content-Type": "text/csv"}


def price(client, text: str):
    return client.simulate_post("/v1/predictions/batch", body=text.encode(), headers=CSV)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("carat,cut,color,clarity" + "," * 5000 + "\n" + "1\n" * 20_000, "the maximum is 200"),
        (",".join(["carat"] * 32_000) + "\n", "the maximum is 200"),
        ("carat,cut,color,clarity" + "," * 190 + "\n" + "1\n" * 20_000, "too many rows have fewer"),
        ("carat,cut,color,clarity\n" + "1," * 700_000 + "\n", "more than 1,000,000 characters"),
        ("x" * 1_000_000, "more than 1,000,000 characters"),
        ("\n" * 1_000_000, "it is empty"),
    ],
    ids=["columns", "one name", "short rows", "a long row", "a long header", "blank lines"],
)
def test_is_refused_in_one_sentence(client, text, said):
    answer = price(client, text)
    assert answer.status_code == 422
    assert said in answer.json["detail"]
    assert len(answer.content) < 1000


@pytest.mark.parametrize("row", ["1,Ideal\n", "1,Ideal,E,VS1,and,more\n", "1\n", "1,Ideal,E,x\n"])
def test_the_answer_is_about_as_large_as_the_question(client, row):
    text = "carat,cut,color,clarity\n" + row * 2000
    answer = price(client, text)
    assert len(answer.content) < 2 * len(text) + 200 * 2000


def test_a_few_short_rows_are_padded_so_that_the_columns_fit(client):
    text = "carat,cut,color,clarity,note\n0.5,Ideal,E,VS1,a\n0.5,Ideal\n"
    rows = list(csv.reader(price(client, text).text.splitlines()))
    assert [len(row) for row in rows] == [10, 10, 10]
    assert rows[2] == [
        *("0.5", "Ideal", "", "", "", "", "", ""),
        *("has 2 fields, but the header has 5", ""),
    ]
