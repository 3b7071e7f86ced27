"""A caller's X-Request-ID hides no exchange, whatever id it copies."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from support import STONE
from wired import in_memory, with_champion

from diamond_app.cli.main import cli

ADMIN = {"X-API-Key": "admin-secret"}


@pytest.fixture
def container():
    return with_champion(in_memory(api_keys="admin:admin-secret"))


@pytest.fixture
def found(client, container):
    """Return how the API and the command find an id: the first one's id, and those of the others."""

    def find(id):
        shown = CliRunner().invoke(cli, ["requests", "show", id, "--json"], obj=container)
        answer = client.simulate_get(f"/v1/requests/{id}", headers=ADMIN).json
        for name in ("request_body", "response_body", "others"):
            assert json.loads(shown.stdout)[name] == answer[name]
        assert json.loads(answer["response_body"])["id"] == answer["id"]
        return answer["id"], [each["id"] for each in answer["others"]]

    return find


def test_a_caller_who_sends_the_id_of_another_exchange_hides_nothing(client, found):
    def priced(request_id=None):
        headers = ADMIN if request_id is None else ADMIN | {"X-Request-ID": request_id}
        answer = client.simulate_post("/v1/predictions", json=STONE, headers=headers)
        assert answer.status_code == 200
        return answer.json["id"], answer.headers["X-Request-ID"]

    first, sent_back = priced()
    assert first == sent_back
    assert found(first) == (first, [])
    second, sent_back = priced(first)
    third, _ = priced(first)
    assert sent_back == first
    assert len({first, second, third}) == 3
    assert found(first) == (first, [third, second])
    assert found(f"{first}-0") == (first, [])
    assert found(second) == (second, [])
    fourth, _ = priced("order-4711")
    fifth, _ = priced("order-4711")
    assert found("order-4711") == (fifth, [fourth])
