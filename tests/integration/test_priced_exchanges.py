"""Recorded exchanges give back the stones and the prices that were answered."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from diamond_app.priced_exchanges import read_priced
from diamond_core import Diamond, priced, read_requests
from diamond_core.testing import an_exchange

STONE = {"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"}
MEASURED = STONE | {"depth": 61.5, "table": 55.0, "x": 6.6, "y": 6.65, "z": 4.1}


def recorded(container):
    return list(read_priced(read_requests(container.request_log(), *priced())))


@pytest.mark.parametrize("odd", [{}, {"cut": "very good"}, {"color": "h"}])
def test_one_stone(client, container, odd):
    stone = MEASURED | odd
    answer = client.simulate_post("/v1/predictions", json=stone).json

    (found,) = recorded(container)

    assert found.table.diamond(0) == Diamond.parse(stone)
    assert found.ids.tolist() == [answer["id"]]
    assert found.models.tolist() == [answer["model"]["id"]]
    assert found.prices.tolist() == [answer["price"]]
    assert [found.lows[0], found.highs[0]] == [answer["price_range"][e] for e in ("low", "high")]


@pytest.mark.parametrize("odd", [{}, {"cut": "very good"}])
def test_what_is_explained_is_priced(client, container, odd):
    stone = MEASURED | odd
    answers = [
        client.simulate_post("/v1/explanations", json=stone).json,
        client.simulate_post("/v1/predictions", json=STONE | {"explain": True}).json,
        client.simulate_post("/v1/explanations", json=stone | {"compared_with": STONE}).json,
        client.simulate_post("/v1/predictions", json=stone | {"explain": False}).json,
    ][::-1]  # newest first

    (found,) = recorded(container)

    assert found.ids.tolist() == [each["id"] for each in answers]
    assert found.prices.tolist() == [each["price"] for each in answers]
    stones = [Diamond.parse(each) for each in (stone, stone, STONE, stone)]
    assert list(found.table) == stones


def test_a_batch_without_its_invalid_stones(client, container):
    body = {"diamonds": [STONE, {"carat": -1}, MEASURED | {"cut": "FAIR"}], "on_error": "report"}
    answer = client.simulate_post("/v1/predictions/batch", json=body).json["predictions"]

    (found,) = recorded(container)

    assert found.ids.tolist() == [answer[0]["id"], answer[2]["id"]]
    assert list(found.table) == [Diamond.parse(STONE), Diamond.parse(MEASURED | {"cut": "Fair"})]
    assert found.prices.tolist() == [answer[0]["price"], answer[2]["price"]]


@pytest.mark.parametrize("bad", [{}, {"cut": "no cut"}])
def test_a_batch_without_stones_of_which_nothing_is_known(client, container, bad):
    stones = [STONE | {"carat": 50}, MEASURED, STONE | bad, STONE | {"carat": 90}, STONE]
    body = {"diamonds": stones, "on_error": "report"}
    answer = client.simulate_post("/v1/predictions/batch", json=body).json["predictions"]
    priced_ones = [each for each in answer if each is not None]

    (found,) = recorded(container)

    assert len(priced_ones) == (2 if bad else 3)
    assert found.ids.tolist() == [each["id"] for each in priced_ones]
    assert found.prices.tolist() == [each["price"] for each in priced_ones]
    assert found.table.diamond(0) == Diamond.parse(MEASURED)


def test_a_csv_without_stones_of_which_nothing_is_known(client, container):
    text = "carat,cut,color,clarity\n50,Ideal,H,SI2\n1,Ideal,H,SI2\nx,Ideal,H,SI2\n2,Fair,D,IF\n"
    answer = client.simulate_post(
        "/v1/predictions/batch", body=text, headers={"Content-Type": "text/csv"}
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert "must be from 0.1 to" in rows[0]["error"]

    (found,) = recorded(container)

    (exchange,) = read_requests(container.request_log(), *priced())
    assert found.ids.tolist() == [f"{exchange.id}-1", f"{exchange.id}-3"]
    assert found.table.carat.tolist() == [1.0, 2.0]
    assert found.prices.tolist() == [float(rows[at]["predicted_price"]) for at in (1, 3)]


def test_a_csv(client, container):
    text = "note;carat;cut;color;clarity\n=1;1,1;Ideal;H;SI2\nbad;0;Ideal;H;SI2\n;0,5;good;D;IF\n"
    answer = client.simulate_post(
        "/v1/predictions/batch", body=text, headers={"Content-Type": "text/csv"}
    )
    rows = list(csv.DictReader(io.StringIO(answer.text), delimiter=";"))

    (found,) = recorded(container)

    (exchange,) = read_requests(container.request_log(), *priced())
    assert found.ids.tolist() == [f"{exchange.id}-0", f"{exchange.id}-2"]
    assert found.table.carat.tolist() == [1.1, 0.5]
    assert found.prices.tolist() == [float(rows[at]["predicted_price"]) for at in (0, 2)]
    assert found.highs.tolist() == [float(rows[at]["price_high"]) for at in (0, 2)]


def test_what_has_no_prices_is_left_out(client, container):
    client.simulate_post("/v1/predictions", json={"carat": -1})
    client.simulate_get("/v1/similar", params=STONE)
    log = container.request_log()
    log.append(an_exchange(path="/v1/predictions/5/outcome", method="POST", status=200))
    log.append(an_exchange(path="/v1/predictions", method="POST", status=200))
    log.append(an_exchange(path="/v1/predictions/batch", method="POST", status=200))

    assert recorded(container) == []


def test_parts_join_and_select(client, container):
    for carat in (0.5, 1.5):
        client.simulate_post("/v1/predictions", json=STONE | {"carat": carat})
    (found,) = recorded(container)

    joined = type(found).concatenate([found, found[found.table.carat > 1.0]])

    assert joined.table.carat.tolist() == [1.5, 0.5, 1.5]
    assert np.array_equal(joined.ids, [*found.ids, found.ids[0]])
