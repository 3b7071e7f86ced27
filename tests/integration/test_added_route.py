"""A route and a command added to a copy of the package, as the two how-tos say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import make_files
from support import diamond

SRC = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """The PYTHONPATH of a copy of the package with the route and the command."""
    folder = tmp_path_factory.mktemp("route")
    shutil.copytree(SRC, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    app = folder / "src" / "entrypoints" / "diamond_app"
    for page, name, before in (
        ("add-a-route", "api/app.py", "        models.Promotions("),
        ("add-a-command", "cli/main.py", '    "serve": ('),
    ):
        made = folder / page
        (made / "api").mkdir(parents=True)
        (made / "cli").mkdir()
        make_files(f"how-to/{page}.md", made)
        line = (made / "line").read_text()
        (made / "line").unlink()
        shutil.copytree(made, app, dirs_exist_ok=True)
        text = (app / name).read_text()
        assert text.count(before) == 1
        (app / name).write_text(text.replace(before, line + before))
    text = (app / "api" / "app.py").read_text()
    first = "from diamond_app.api import (\n"
    (app / "api" / "app.py").write_text(text.replace(first, f"{first}    model_metrics,\n", 1))
    roots = (folder / "src", folder / "src" / "adapters", folder / "src" / "entrypoints")
    return os.pathsep.join(map(str, roots))


CODE = """
import json, sys
from falcon.testing import TestClient
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_app.wsgi import app_of
container = build_container(Settings.load())
container.champion_follower().refresh()
client = TestClient(app_of(container))
champion = client.simulate_get("/v1/models/champion").json
paths = ("/v1/models/%s/metrics" % champion["id"], "/v1/models/none/metrics", "/openapi.json")
answers = [client.simulate_get(path) for path in paths]
print(json.dumps([champion["metrics"], *([each.status_code, each.json] for each in answers)]))
"""


def test_the_route_answers_and_stands_in_the_document(trained_home, extended):
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"PYTHONPATH": extended, "DIAMOND_HOME": str(trained_home)},
        capture_output=True,
        text=True,
        check=True,
    )
    metrics, found, missing, document = json.loads(run.stdout)
    assert found == [200, metrics]
    assert missing[0] == 404
    described = document[1]["paths"]["/v1/models/{id}/metrics"]["get"]
    assert described["operationId"] == "show_model_metrics"
    assert set(described["responses"]) == {"200", "404", "500"}
    answer = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Metrics"}


def test_the_command_answers_and_stands_in_the_help(trained_home, extended):
    def run(*arguments):
        return diamond(trained_home, *arguments, PYTHONPATH=extended).stdout

    assert "families" in run("--help")
    assert json.loads(run("families", "--json")) == ["linear", "xgboost"]
    assert "xgboost" in run("families")
