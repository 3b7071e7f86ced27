"""The pages and their files over HTTP: types, caching, errors, and the models' reports."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from urllib.parse import urlencode

import pytest
from support import serving

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def static_address(service, name):
    return re.search(rf"/static/[0-9a-f]+/{name}", service.get("/").body.decode())[0]


@pytest.mark.parametrize(
    "path", ["/", "/stones", "/models", "/pipeline", "/monitoring", "/requests"]
)
def test_a_page_is_asked_for_each_time_and_sent_when_it_changed(service, path):
    page = service.get(path)
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    again = service.get(path, {"If-None-Match": page.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert re.findall(r'href="(\S+)" aria-current="page"', page.body.decode()) == [path]
    assert b"{" not in page.body


@pytest.mark.parametrize(
    "path", ["/", "/certificate", "/stones", "/models", "/pipeline", "/monitoring", "/requests"]
)
def test_a_page_holds_no_script_or_style_of_its_own(service, path):
    html = service.get(path).body.decode()
    assert "<style" not in html
    assert not re.search(r"\s(style|on[a-z]+)=", html)
    assert re.findall(r"<script[^>]*>(.*?)</script>", html) == [""]
    assert not re.search(r"(src|href)=\"(https?:)?//", html)


def test_files_are_kept_for_ever_under_the_address_of_their_content(service):
    assert static_address(service, "base.css")
    style = service.get(static_address(service, "style.css"))
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["cache-control"]
    other = service.get("/static/0123456789abcdef/style.css")
    assert other.body == style.body
    assert other.headers["cache-control"] == "no-cache"


def test_scripts_import_only_what_is_served(service):
    base = static_address(service, "price.js").removesuffix("price.js")
    names = {
        "price.js",
        "certificate.js",
        "stones.js",
        "models.js",
        "pipeline.js",
        "monitoring.js",
        "requests.js",
    }
    seen = set()
    while names - seen:
        name = (names - seen).pop()
        script = service.get(base + name)
        assert script.headers["content-type"] == "text/javascript; charset=utf-8", name
        assert b"eval(" not in script.body
        assert b"innerHTML" not in script.body
        names |= set(re.findall(r'from "\./([^"]+)"', script.body.decode()))
        seen.add(name)


@pytest.mark.parametrize(
    "name", ["nothing.css", "..%2fsite.py", "%2e%2e/site.py", "../site.py", "style.css%00", ""]
)
def test_nothing_but_the_files_is_served(service, name):
    assert service.get(f"/static/x/{name}").status == 404


def test_browsers_get_a_page_for_a_wrong_address_and_programs_a_problem(service):
    page = service.get("/nowhere", HTML)
    assert page.status == 404
    assert page.headers["content-type"].startswith("text/html")
    for path, headers in [("/nowhere", {}), ("/nowhere", {"Accept": "*/*"}), ("/v1/nowhere", HTML)]:
        problem = service.get(path, headers)
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json["status"] == 404
    assert service.request("DELETE", "/").status == 405


def test_the_form_is_built_from_the_answer_of_the_api(service):
    script = service.get(static_address(service, "price.js").replace("price", "grades"))
    text = script.body.decode().removeprefix("export const GRADES = ").removesuffix(";\n")
    assert json.loads(text) == service.get("/v1/grades").json


@pytest.fixture(scope="module")
def guarded(trained_once, tmp_path_factory):
    """A service that needs a key, with a model that has a report, and the model's id."""
    home = tmp_path_factory.mktemp("guarded") / "home"
    shutil.copytree(trained_once, home)
    folder = next((home / "models").iterdir())
    report = b"<!doctype html><title>r</title>"
    (folder / "report.html").write_bytes(report)
    card = json.loads((folder / "card.json").read_text())
    card["files"]["report.html"] = hashlib.sha256(report).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    with serving(home, DIAMOND_API_KEYS="admin:long-secret") as running:
        yield running, folder.name


def test_a_report_needs_the_key_that_its_own_page_asks_for(guarded):
    service, id = guarded
    path = f"/models/{id}/report"
    assert service.get(path).headers["content-type"] == "application/problem+json"
    asked = service.get(path, HTML)
    assert asked.status == 401
    assert b'<form method="post"' in asked.body
    form = {"Content-Type": "application/x-www-form-urlencoded"} | HTML
    for key, status in [("wrong-secret", 401), ("", 401), ("long-secret", 200)]:
        body = urlencode({"key": key}).encode()
        assert service.post(path, body, form).status == status
    report = service.get(path, {"X-API-Key": "long-secret"})
    assert report.body == b"<!doctype html><title>r</title>"
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert policy.endswith("frame-ancestors 'none'")
    assert "allow-same-origin" not in report.headers["content-security-policy"]


@pytest.mark.parametrize("id", ["no-such-model", "..%5c..", "NO", "x" * 200])
def test_a_model_without_a_report_gets_the_page_of_wrong_addresses(service, id):
    page = service.get(f"/models/{id}/report", HTML)
    assert page.status == 404
    assert b"Page not found" in page.body
    assert service.get(f"/models/{id}/report").json["status"] == 404


def test_the_trained_model_has_a_report_only_if_its_card_says_so(service):
    card = service.get("/v1/models/champion").json
    wanted = 200 if "report.html" in card["files"] else 404
    assert service.get(f"/models/{card['id']}/report", HTML).status == wanted
