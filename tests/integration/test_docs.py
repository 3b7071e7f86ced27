"""The documentation is true: its commands run, its snippets work, its site builds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import chromium, visiting
from support import environment, serving

import diamond_app
import diamond_core
import diamond_core.testing

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BIN = Path(sys.executable).parent
FENCE = re.compile(r"^( *)```(\w+)(?: title=\"(.+?)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def snippets(page):
    """Return (language, title, text) of each fenced snippet of a page."""
    return [match.group(2, 3, 4) for match in FENCE.finditer(page.read_text())]


def run(command, folder, **more):
    """Run a command as a reader would, with the installed product on the path."""
    env = environment(folder / "diamond-home", **more)
    env["PATH"] = f"{BIN}:{env['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_all(page, folder, sample, **more):
    """Run the page's shell and Python snippets in one folder, in their order, as two scripts.

    What is trained on the bundled stones is trained on a sample of them instead: it takes less.
    """
    told = []
    for language in ("sh", "python"):
        text = "\n".join(text for kind, _, text in snippets(page) if kind == language)
        text = text.replace("diamond train --family", f"diamond train {sample} --family")
        if text and language == "sh":
            told.append(run(["bash", "-euo", "pipefail", "-c", text], folder, **more))
        elif text:
            told.append(run([sys.executable, "-W", "error", "-c", text], folder, **more))
    return "\n".join(told)


@pytest.mark.parametrize("name", ["data-scientist", "operator", "library-user"])
def test_the_tutorial_runs_as_it_stands(name, tmp_path, sample_csv):
    run_all(DOCS / "tutorials" / f"{name}.md", tmp_path, sample_csv)


def test_the_web_developers_tutorial_runs_against_a_service(service, tmp_path):
    page = DOCS / "tutorials" / "web-developer.md"
    script = "".join(text for kind, _, text in snippets(page) if kind == "sh")
    script = script.replace("\ncurl", "\necho\ncurl")  # an answer on each line
    told = run(
        ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8000", service.url)],
        tmp_path,
    )
    answers = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    priced, refused, *_ = answers
    assert priced["price_range"]["low"] < priced["price"]
    assert [error["pointer"] for error in refused["errors"]] == ["/carat", "/cut"]


@pytest.mark.parametrize("name", ["add-an-adapter", "swap-adapters-in-tests"])
def test_the_how_to_proves_what_it_shows(name, tmp_path):
    for kind, title, text in snippets(DOCS / "how-to" / f"{name}.md"):
        if kind == "python":
            (tmp_path / title).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    assert " passed" in run(command, tmp_path)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The documentation as a site, built without a warning."""
    folder = tmp_path_factory.mktemp("documentation")
    run(
        [
            *(str(BIN / "mkdocs"), "build", "--strict"),
            *("--config-file", str(ROOT / "mkdocs.yml"), "--site-dir", str(folder / "site")),
        ],
        folder,
        NO_MKDOCS_2_WARNING="1",
    )
    return folder / "site"


def test_the_site_loads_nothing_from_another_host(site):
    foreign = re.compile(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"?(?:https?:)?//[^>]+>")
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    assert [found for page in pages for found in foreign.findall(page.read_text())] == []


def test_the_reference_describes_every_public_name(site):
    pages = (site / "reference").glob("*.html")
    anchors = {
        anchor
        for page in pages
        for anchor in re.findall(r'id="?(diamond_[\w.]+)', page.read_text(encoding="utf-8"))
    }
    described = {anchor.rpartition(".")[2] for anchor in anchors}
    for module in (diamond_core, diamond_core.testing, diamond_app):
        missing = set(module.__all__) - described - {"__version__"}
        assert not missing, f"{module.__name__}: {sorted(missing)}"


def test_the_site_is_searched_in_a_folder_without_a_server(site):
    with chromium() as browser, visiting(browser, site.as_uri()) as visit:
        page = visit.open("/reference/ports.html")
        page.get_by_placeholder("Search").click()
        page.keyboard.type("dead letter")
        links = page.locator(".md-search-result__link")
        links.first.wait_for()
        found = [link.get_attribute("href") for link in links.all()]
    assert any(link.startswith(f"{site.as_uri()}/operations.html") for link in found)


def test_tells_every_metric_and_setting(trained_home):
    told = (DOCS / "operations.md").read_text()
    with serving(trained_home) as service:
        service.get("/livez")
        metrics = re.findall(r"^# TYPE (\S+)", service.get("/metrics").body.decode(), re.MULTILINE)
    assert [name for name in metrics if name not in told] == []
    source = (ROOT / "src/entrypoints/diamond_app/settings.py").read_text()
    assert [name for name in re.findall(r'"(DIAMOND_\w+)"', source) if name not in told] == []
