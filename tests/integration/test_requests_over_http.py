"""The request log over HTTP: pages of one key among several, and bodies that were cut."""

from __future__ import annotations

import pytest
from dependency_injector import providers
from falcon import testing
from recorded import priced_exchange
from support import STONE
from wired import in_memory

from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_app.wsgi import app_of
from diamond_core import Truncation, new_exchange_id

ADMIN = {"X-API-Key": "admin-secret"}
KEYS = ("shop", "web", "Shop", "shop ", "")


@pytest.fixture(params=["memory", "sqlite", "mysql"])
def container(request, tmp_path):
    container = in_memory(api_keys="admin:admin-secret")
    if request.param == "memory":
        yield container
        return
    sqlite = f"sqlite:///{tmp_path / 'requests.db'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("mysql_url")
    log = PeeweeRequestLog.from_url(url)
    container.request_log.override(providers.Object(log))
    yield container
    log.close()


@pytest.fixture
def client(container):
    return testing.TestClient(app_of(container))


@pytest.mark.parametrize("bodies", ["true", "false"])
def test_pages_of_one_key_have_its_exchanges_and_no_others(container, client, bodies):
    made = [
        priced_exchange(new_exchange_id(), STONE, 5000.0, key_name=KEYS[at % len(KEYS)])
        for at in range(75)
    ]
    container.request_log().append_all(made)
    for key in KEYS[:-1]:
        found, params = [], {"key": key, "limit": 4, "bodies": bodies}
        while True:
            page = client.simulate_get("/v1/requests", params=params, headers=ADMIN).json
            found += page["requests"]
            assert len(page["requests"]) <= 4
            if page["next"] is None:
                break
            params["before"] = page["next"]
        assert [each["id"] for each in found] == [
            each.id for each in reversed(made) if each.key_name == key
        ]
        assert {each["key_name"] for each in found} == {key}


@pytest.mark.parametrize("body", ["request", "response"])
def test_a_prediction_whose_body_was_cut_has_no_outcome_and_no_price(container, client, body):
    whole = priced_exchange(new_exchange_id(), STONE, 5000.0)
    truncation = Truncation.of(getattr(whole, f"{body}_body"))
    cut = {f"{body}_truncation": truncation, f"{body}_body": b'{"car'}
    id = new_exchange_id()
    container.request_log().append(priced_exchange(id, STONE, 5000.0, **cut))

    reported = client.simulate_post(
        f"/v1/predictions/{id}/outcome", json={"price_paid": 4500}, headers=ADMIN
    )
    assert (reported.status_code, "not kept whole" in reported.json["detail"]) == (404, True)
    prices = client.simulate_get(f"/v1/requests/{id}/prices", headers=ADMIN)
    assert prices.status_code == 409
    assert client.simulate_get(f"/v1/requests/{id}", headers=ADMIN).status_code == 200
    assert list(container.outcome_log().read()) == []
