"""What a fresh interpreter loads: the core is light, and a serving worker knows no training."""

import json
import os
import subprocess
import sys

import pytest
from support import STONE, environment

HEAVY = {"pandas", "sklearn", "xgboost", "optuna", "lightgbm", "scipy", "joblib", "onnx"}
HEAVY |= {"obstore", "deltalake", "dask", "distributed"}


def modules_after(code, home, cwd):
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{n.partition('.')[0] for n in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(home),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_core_loads_numpy_and_the_standard_library_only(tmp_path):
    loaded = modules_after("import diamond_core", tmp_path, tmp_path)
    others = {name for name in loaded if not name.startswith("_")} - set(sys.stdlib_module_names)
    assert others - {"__main__", "site", "sitecustomize"} <= {"diamond_core", "numpy"} | {
        name for name in others if "editable" in name or name == "distutils-precedence"
    }
    assert not loaded & (HEAVY | {"falcon", "peewee", "onnxruntime", "pytest"})


def test_onnxruntime_does_not_report_its_use(tmp_path):
    code = (
        "import diamond_adapters.models.onnx_model, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    given = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=given, cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == b"1\n"


def test_a_serving_worker_loads_nothing_of_training(trained_home):
    code = f"""
import falcon.testing
import diamond_app.gunicorn_conf
from diamond_app.wsgi import application
client = falcon.testing.TestClient(application())
answer = client.simulate_post("/v1/predictions", json={STONE!r})
assert answer.status_code == 200, answer.text
answer = client.simulate_get("/v1/similar", params={STONE!r})
assert answer.status_code == 200, answer.text
assert client.simulate_get("/v1/models").status_code == 200
"""
    loaded = modules_after(code, trained_home, trained_home.parent)
    assert not loaded & (HEAVY | {"jinja2"})  # the first page to be asked for loads Jinja2
    assert "onnxruntime" in loaded


@pytest.mark.parametrize(
    "module",
    ["diamond_adapters.models.onnx_model", "diamond_app.container", "diamond_app.cli.main"],
)
def test_importing_opens_and_trains_nothing(tmp_path, module):
    assert not modules_after(f"import {module}", tmp_path / "home", tmp_path) & HEAVY
    assert not (tmp_path / "home").exists()


def test_naming_the_application_loads_none_of_it(tmp_path):
    loaded = modules_after("from diamond_app import open_home", tmp_path / "home", tmp_path)
    assert not loaded & {"numpy", "diamond_core", "dependency_injector", "dotenv"}
