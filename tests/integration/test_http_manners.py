"""What clients of any HTTP API expect: HEAD, OPTIONS, 405, ETags, line ends, helpful sentences."""

from __future__ import annotations

from datetime import timedelta

import pytest
from falcon import testing
from support import STONE, newest
from wired import in_memory, with_champion

from diamond_app.wsgi import app_of
from diamond_core import PipelineRun
from diamond_core.models.pipeline_run import new_run_id
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

ADMIN = {"X-API-Key": "admin-secret"}
WRONG = [("n=1", "n"), ("limit=0", "limit")]
QUERY = "carat=1.1&cut=Ideal&color=H&clarity=SI2"
GETS = [
    f"/v1/similar?{QUERY}",
    "/v1/grades",
    "/v1/models",
    "/v1/models/champion",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/docs.js",
    "/",
    "/models",
]


@pytest.fixture(scope="module")
def container():
    return with_champion(in_memory())


@pytest.fixture(scope="module")
def client(container):
    return testing.TestClient(app_of(container))


@pytest.mark.parametrize("path", GETS)
def test_head_answers_like_get_without_the_body(client, container, path):
    got, head = client.simulate_get(path), client.simulate_head(path)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]
    if path.startswith("/v1/"):
        assert newest(container.request_log())[0].response_body == b""


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/models/champion", "/v1/grades", "/openapi.json"]
)
def test_a_client_that_knows_the_answer_gets_304(client, path):
    first = client.simulate_get(path)
    again = client.simulate_get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.simulate_get(path, headers={"If-None-Match": '"another"'})
    assert other.json == first.json


@pytest.mark.parametrize("path", [path for path in GETS if path.startswith("/v1/")])
def test_json_ends_with_a_line_end(client, path):
    assert client.simulate_get(path).content.endswith(b"}\n")
    assert client.simulate_get("/v1/nothing").content.endswith(b"}\n")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/predictions", {"POST"}),
        ("/v1/models", {"GET", "HEAD"}),
        ("/livez", {"GET", "HEAD"}),
    ],
)
def test_options_and_405_name_the_methods(client, path, allowed):
    for found in (client.simulate_options(path), client.simulate_delete(path)):
        named = {each.strip() for each in found.headers["allow"].split(",")}
        assert named - {"OPTIONS"} == allowed
    assert client.simulate_delete(path).status_code == 405


def test_docs_with_a_slash_leads_to_the_docs(client):
    found = client.simulate_get("/docs/")
    assert (found.status_code, found.headers["location"]) == (301, "../docs")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "not true"),
        ("1.1", "not '1.1': write the number without quotes"),
        ("heavy", "not 'heavy'"),
    ],
)
def test_says_what_is_wrong_in_the_words_of_json(client, value, said):
    found = client.simulate_post("/v1/predictions", json=STONE | {"carat": value})
    assert found.json["errors"][0]["detail"].endswith(said)


def test_lists_models_in_pages_and_refuses_unknown_parameters(client, container):
    stones = some_stones(200)
    for number in range(5):
        at = NOON - timedelta(days=number + 1)
        card = a_card(f"older-{number}", created_at=at)
        container.history().publish(card, a_fitted_model(stones), stones)
    ids = [card.id for card in container.history().cards()]
    found, query = [], "limit=2"
    while query:
        page = client.simulate_get("/v1/models", query_string=query).json
        found += [each["id"] for each in page["models"]]
        assert page["champion"] == container.history().champion()
        query = page["next"] and f"limit=2&before={page['next']}"
    assert found == ids
    assert client.simulate_get("/v1/models", query_string="before=gone").status_code == 404
    for query, name in WRONG:
        refused = client.simulate_get("/v1/models", query_string=query)
        assert refused.status_code == 422
        assert [each["pointer"] for each in refused.json["errors"]] == [f"/{name}"]


@pytest.fixture
def administered():
    """A container of a service with keys."""
    return in_memory(api_keys="admin:admin-secret,till:till-secret")


def test_lists_runs_in_pages_and_refuses_unknown_parameters(administered):
    client = testing.TestClient(app_of(administered))
    for hours in range(5):
        at = NOON + timedelta(hours=hours)
        administered.pipeline_runs().save(PipelineRun(id=new_run_id(at), started_at=at))
    found, query = [], "limit=2"
    while query:
        page = client.simulate_get("/v1/pipeline", query_string=query, headers=ADMIN).json
        found += [each["id"] for each in page["runs"]]
        query = page["next"] and f"limit=2&before={page['next']}"
    assert found == [each.id for each in administered.pipeline_runs().runs()]
    assert len(found) == 5
    for query, name in (*WRONG, ("limit=1&limit=2", "limit")):
        refused = client.simulate_get("/v1/pipeline", query_string=query, headers=ADMIN)
        assert refused.status_code == 422
        assert [each["pointer"] for each in refused.json["errors"]] == [f"/{name}"]


def test_the_runs_need_an_admin_key_and_have_head_and_an_etag(administered, client):
    assert client.simulate_get("/v1/pipeline").status_code == 403
    keyed = testing.TestClient(app_of(administered))
    assert keyed.simulate_get("/v1/pipeline").status_code == 401
    for key, status in (("wrong-secret", 401), ("till-secret", 403), ("admin-secret", 200)):
        found = keyed.simulate_get("/v1/pipeline", headers={"X-API-Key": key})
        assert found.status_code == status
    known = ADMIN | {"If-None-Match": found.headers["etag"]}
    assert keyed.simulate_get("/v1/pipeline", headers=known).status_code == 304
    head = keyed.simulate_head("/v1/pipeline", headers=ADMIN)
    assert (head.content, head.headers["etag"]) == (b"", found.headers["etag"])
    at = NOON
    administered.pipeline_runs().save(PipelineRun(id=new_run_id(at), started_at=at))
    assert keyed.simulate_get("/v1/pipeline", headers=known).status_code == 200
