"""Pages of other sites that call the API from a browser."""

from __future__ import annotations

import http.server
import threading
from functools import partial

import pytest
from falcon import testing
from support import serving
from wired import in_memory, with_champion

from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
from diamond_core import InvalidSetting

SHOP = "https://shop.example"
STONE = {"carat": 1.0, "cut": "Ideal", "color": "H", "clarity": "SI1"}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-api-key",
}
PAGE = """<!doctype html><title>waiting</title><script>
fetch("SERVICE/v1/predictions", {method: "POST", headers: {"Content-Type": "application/json"},
  body: JSON.stringify({carat: 1.1, cut: "Ideal", color: "H", clarity: "SI2"})})
  .then(response => response.json().then(answer =>
    document.title = `${answer.price > 0} ${response.headers.get("X-Request-ID") === answer.id}`))
  .catch(() => document.title = "refused");
</script>"""


@pytest.fixture
def client():
    container = with_champion(in_memory(api_keys="web:secret-word", cors_origins=(SHOP,)))
    return testing.TestClient(app_of(container))


def test_allows_exactly_the_origins_of_the_setting(client):
    key = {"X-API-Key": "secret-word"}
    for origin, allowed in ((SHOP, SHOP), ("https://other.example", None), (None, None)):
        headers = key if origin is None else key | {"Origin": origin}
        answer = client.simulate_post("/v1/predictions", json=STONE, headers=headers)
        assert answer.status_code == 200
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_answers_a_preflight_without_a_key(client):
    answer = client.simulate_options("/v1/predictions", headers=PREFLIGHT | {"Origin": SHOP})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-api-key"
    other = client.simulate_options("/v1/predictions", headers=PREFLIGHT | {"Origin": "null"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_page_can_read_errors_too(client):
    answer = client.simulate_post("/v1/predictions", json={}, headers={"Origin": SHOP})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


def test_is_off_by_default():
    client = testing.TestClient(app_of(with_champion(in_memory())))
    answer = client.simulate_post("/v1/predictions", json=STONE, headers={"Origin": SHOP})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "text", ["*", "shop.example", "https://shop.example/", "https://*.x", "null"]
)
def test_refuses_what_is_no_origin(text):
    with pytest.raises(InvalidSetting, match="DIAMOND_CORS_ORIGINS"):
        Settings.load({"DIAMOND_CORS_ORIGINS": text})


def test_reads_several_origins():
    text = "https://shop.example, http://127.0.0.1:3000"
    settings = Settings.load({"DIAMOND_CORS_ORIGINS": text})
    assert settings.cors_origins == ("https://shop.example", "http://127.0.0.1:3000")


@pytest.fixture
def site(tmp_path):
    """Another site, on another port, whose folder is filled later."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("listed", [True, False])
def test_a_browser_lets_a_listed_site_read_a_price_and_no_other(
    trained_home, site, browser, listed
):
    folder, origin = site
    allowed = origin if listed else "https://shop.example"
    with serving(trained_home, DIAMOND_CORS_ORIGINS=allowed) as service:
        (folder / "index.html").write_text(PAGE.replace("SERVICE", service.url), encoding="utf-8")
        page = browser.new_page()
        page.goto(f"{origin}/index.html")
        page.wait_for_function("document.title !== 'waiting'")
        assert page.title() == ("true true" if listed else "refused")
        page.close()
