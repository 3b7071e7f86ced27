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


NEXT = "-- the next snippet --"
TRAINED = (r"^[\d,]+ training stones, [\d,]+ held out", r"^linear-\S+ .* champion *$")
CHANGED = r"^The champion is now (\S+)\.\nThe champion is now (?!\1\.)\S+\.$"
ANSWERS = {
    "data-scientist": {
        "sh": [
            TRAINED,
            [r"\Atoo few stones: one line on stderr, exit code 1\n\Z"],
            [
                *(r"\Amodel +MAE \$ ", r"^linear-\S+ .* champion .* now *$"),
                *(r"^family +linear *$", r"^MAE +\d+\.\d\d USD *$"),
                *(r"^price range covers +[89]\d\.\d% of hold-out prices *$", r"^report: .*\.html$"),
            ],
            [
                *(r"\A\$[\d,.]+\n", r"^  90% of such stones cost \$[\d,.]+ to \$[\d,.]+$"),
                r"^  not given, assumed: depth, table, x, y, z$",
                r"^5 of \d+ stones: Ideal cut, color H, clarity SI2 *$",
                r"^ *carat +carat_difference +price .*(\n *[\d.]+ +-?0\.\d+ .*){5}\n\Z",
            ],
            [r"^linear-", CHANGED],
        ],
        "python": [[r"\Alinear \d+\.\d+ 0\.\d+\n\Z"]],
    },
    "operator": {"sh": [[*TRAINED, r"(^ok   .+\n){6,}\Z"]]},
    "library-user": {
        "sh": [TRAINED],
        "python": [[r"\A\d{4} USD, \d{4} to \d{4}\n\Z"], [], [], [], []],
    },
}
"""What each snippet of a tutorial prints, in the order of the page; nothing where nothing is named."""


def run_all(page, language, folder, sample):
    """Run the page's snippets of one language in one script, and return what each prints.

    What is trained on the bundled stones is trained on a sample of them instead: it takes less.
    """
    command, between = {
        "sh": (["bash", "-euo", "pipefail", "-c"], f"echo '{NEXT}'"),
        "python": ([sys.executable, "-W", "error", "-c"], f"print('{NEXT}')"),
    }[language]
    script = f"\n{between}\n".join(text for kind, _, text in snippets(page) if kind == language)
    script = script.replace("diamond train --family", f"diamond train {sample} --family")
    return run([*command, script], folder).split(f"{NEXT}\n")


def assert_prints(text, patterns):
    """See that *text* has what the patterns describe, in their order, or nothing."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern, re.MULTILINE).search(text, at)
        assert found, f"{pattern}\n{text[at:]}"
        at = found.end()
    assert patterns or not text


@pytest.mark.parametrize("name", ANSWERS)
def test_the_tutorial_runs_as_it_stands_and_prints_what_it_says(name, tmp_path, sample_csv):
    page = DOCS / "tutorials" / f"{name}.md"
    assert {kind for kind, _, _ in snippets(page)} - {"text"} == set(ANSWERS[name])
    for language, expected in ANSWERS[name].items():
        printed = run_all(page, language, tmp_path, sample_csv)
        for answer, patterns in zip(printed, expected, strict=True):
            assert_prints(answer, patterns)


def is_a_price(text):
    answer = json.loads(text)
    assert answer["price_range"]["low"] < answer["price"] < answer["price_range"]["high"]
    assert answer["price_range"]["coverage"] == 0.9
    assert answer["assumed"] == ["depth", "table", "x", "y", "z"]
    assert answer["outside_training_range"] == []


def are_grades(text):
    answer = json.loads(text)
    for name in ("cut", "color", "clarity"):
        assert all(set(each) == {"grade", "meaning"} for each in answer[name])
    for field in answer["fields"].values():
        assert set(field) >= {"label", "unit", "minimum", "maximum", "required"}


def names_carat_and_cut(text):
    answer = json.loads(text)
    assert answer["status"] == 422
    assert [set(each) for each in answer["errors"]] == [{"pointer", "detail"}] * 2
    assert [each["pointer"] for each in answer["errors"]] == ["/carat", "/cut"]


def are_two_prices(text):
    predictions = json.loads(text)["predictions"]
    assert [each["id"][-2:] for each in predictions] == ["-0", "-1"]
    for each in predictions:
        is_a_price(json.dumps(each))


def are_similar_stones(text):
    answer = json.loads(text)
    differences = [abs(each["carat_difference"]) for each in answer["diamonds"]]
    assert differences == sorted(differences)
    assert len(differences) == answer["count"] == 3
    for each in answer["diamonds"]:
        assert (each["cut"], each["color"], each["clarity"]) == ("Ideal", "H", "SI2")


def is_a_ladder(text):
    answer = json.loads(text)
    assert set(answer["grades"]["color"]) == {"up", "down"}
    assert "jump" in answer["weights"][0]
    assert {"curve", "comparables"} <= set(answer)


def is_the_request_id(text):
    assert text.strip().lower() == "x-request-id: order-4711"


def test_the_web_developers_tutorial_runs_against_a_service(service, tmp_path):
    page = DOCS / "tutorials" / "web-developer.md"
    script = "".join(text for kind, _, text in snippets(page) if kind == "sh")
    script = script.replace("\ncurl", f"\necho '{NEXT}'\ncurl")
    script = script.replace("http://127.0.0.1:8000", service.url)
    answers = run(["bash", "-euo", "pipefail", "-c", script], tmp_path).split(f"{NEXT}\n")
    for check, answer in zip(
        [
            *(is_a_price, are_grades, names_carat_and_cut),
            *(are_two_prices, are_similar_stones, is_a_ladder, is_the_request_id),
        ],
        answers,
        strict=True,
    ):
        check(answer)


def test_the_operator_finds_the_addresses_and_metrics_that_the_tutorial_names(service):
    text = (DOCS / "tutorials" / "operator.md").read_text(encoding="utf-8")
    answers = {
        path: service.get(path)
        for path in re.findall(r"^curl -s http://127\.0\.0\.1:8000(\S+)", text, re.MULTILINE)
    }
    assert {path: answer.status for path, answer in answers.items()} == {
        "/livez": 200,
        "/readyz": 200,
        "/metrics": 200,
    }
    assert [answers[path].json["status"] for path in ("/livez", "/readyz")] == ["ok", "ok"]
    metrics = answers["/metrics"].body.decode()
    named = re.findall(r"`(diamond_\w+)`", text)
    assert len(named) >= 3
    assert [name for name in named if f"\n{name}" not in metrics] == []


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
