"""The OpenAPI document says what the service does, and tools of others can use it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import STONE, serving

from diamond_app import open_home

SECRET = "a-key-of-this-test"
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def keyed(trained_once, tmp_path_factory):
    """A real service that asks for a key."""
    import shutil

    home = tmp_path_factory.mktemp("keyed") / "home"
    shutil.copytree(trained_once, home)
    open_home(home).watch_prices()
    with serving(home, DIAMOND_API_KEYS=f"admin:{SECRET}", DIAMOND_LOG_FORMAT="json") as running:
        yield running


@pytest.fixture(scope="module")
def document(keyed):
    return keyed.get("/openapi.json").json


def test_schemathesis_finds_no_difference_between_document_and_service(keyed, tmp_path):
    run = subprocess.run(
        [
            *(TOOLS / "schemathesis", "run", f"{keyed.url}/openapi.json", "--no-color"),
            *("--header", f"Authorization: Bearer {SECRET}", "--checks", "all"),
            *("--max-examples", "25", "--generation-deterministic"),
            *("--phases", "examples,coverage,fuzzing"),
        ],
        env={"PATH": "", "HOME": str(tmp_path), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
        | {"PYTHONPATH": str(Path(__file__).parents[1])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "No issues found" in run.stdout
    assert '"level":"error"' not in keyed.log.read_text()


def test_a_client_generated_from_the_document_prices_a_stone(
    keyed, document, tmp_path, monkeypatch
):
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(document))
    made = subprocess.run(
        [
            *(TOOLS / "openapi-python-client", "generate", "--path", spec, "--meta", "none"),
            *("--output-path", tmp_path / "diamond_client", "--fail-on-warning"),
        ],
        env={"PATH": str(TOOLS), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    client = importlib.import_module("diamond_client")
    models = importlib.import_module("diamond_client.models")
    price = importlib.import_module("diamond_client.api.prices.price_diamond")
    stone = models.StoneToPrice.from_dict(STONE)
    with client.AuthenticatedClient(base_url=keyed.url, token=SECRET) as session:
        prediction = price.sync(client=session, body=stone)
        wrong = price.sync(
            client=session,
            body=models.StoneToPrice.from_dict(STONE | {"carat": 5000.0}),
        )
    assert prediction.price_range.low < prediction.price < prediction.price_range.high
    assert prediction.currency == "USD"
    assert [error.pointer for error in wrong.errors] == ["/carat"]


def test_describes_every_field_with_an_example(document):
    poor = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, each in schema["properties"].items()
        if "$ref" not in each
        and not each.get("description")
        and not (each.get("examples") or "items" in each or each["type"] == "object")
    ]
    assert poor == []
    carat = document["components"]["schemas"]["Diamond"]["properties"]["carat"]
    assert (carat["minimum"], carat["maximum"]) == (0.001, 1000)


def test_describes_every_address_of_the_application(document, tmp_path):
    from falcon.inspect import inspect_app

    from diamond_app.container import build_container
    from diamond_app.settings import Settings
    from diamond_app.wsgi import app_of

    settings = Settings.load({"DIAMOND_HOME": str(tmp_path / "home")}, tmp_path / "none")
    routes = {route.path for route in inspect_app(app_of(build_container(settings))).routes}
    api = {path for path in routes if path.startswith("/v1/")}
    assert set(document["paths"]) == api | {"/livez", "/readyz", "/metrics", "/openapi.json"}


def test_asks_for_a_key_only_where_the_service_does(document, service):
    open_document = service.get("/openapi.json").json
    assert document["paths"]["/v1/predictions"]["post"]["security"]
    assert open_document["paths"]["/v1/predictions"]["post"]["security"] == []
    assert open_document["paths"]["/v1/models/{id}/promote"]["post"]["security"]


def test_the_live_docs_load_nothing_but_our_own_files(service):
    page = service.get("/docs")
    assert page.status == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    text = page.body.decode()
    assert "//" not in text
    for name in ("swagger-ui.js", "swagger-ui.css", "docs.js", "docs.css"):
        assert f"docs/{name}" in text
        answer = service.get(f"/docs/{name}")
        assert answer.status == 200
        assert "max-age" in answer.headers["cache-control"]
    assert service.get("/docs/settings.py").status == 404
