"""An install without the extra ``train`` serves, and says how to install what training needs."""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

import pytest
from support import STONE, diamond, serving

ROOT = Path(__file__).parents[2]
ONLY_FOR_TRAINING = {
    *("arro3-core", "arro3-io", "deltalake", "joblib", "onnx", "optuna", "pandas"),
    *("python-calamine", "scikit-learn", "sqlalchemy", "xgboost"),
}
PIP = ("-m", "pip", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a new environment with the base install."""
    folder = tmp_path_factory.mktemp("base")
    venv.create(folder, with_pip=True)
    found = str(folder / "bin" / "python")
    install = ("install", "--quiet", "--no-compile", "--constraint", ROOT / "constraints.txt")
    subprocess.run([found, *PIP, *install, ROOT], check=True, timeout=110)
    return found


@pytest.fixture(autouse=True)
def only_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


def test_has_nothing_that_only_training_needs(python):
    command = [python, *PIP, "list", "--format", "freeze"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    installed = {line.partition("==")[0].lower() for line in listed.splitlines()}
    assert "onnxruntime" in installed
    assert not installed & ONLY_FOR_TRAINING


def test_serves_everything(python, trained_home):
    with serving(trained_home, python=python) as service:
        for path in ("/", "/docs", "/readyz", "/metrics", "/openapi.json", "/v1/models"):
            assert service.get(path).status == 200, path
        price = service.post("/v1/predictions", STONE).json["price"]
        text = b"carat,cut,color,clarity\n1.1,Ideal,H,SI2\n"
        priced = service.post("/v1/predictions/batch", text, {"Content-Type": "text/csv"})
        assert f",{price}," in priced.body.decode()
        query = "carat=1.1&cut=Ideal&color=H&clarity=SI2&n=1"
        assert service.get(f"/v1/similar?{query}").json["count"] == 1
        assert service.get("/v1/pipeline", service.one_time_key).json["runs"] == []
    diamond(trained_home, "doctor", python=python)
    assert "/v1/similar" in diamond(trained_home, "requests", "list", python=python).stdout


def test_training_names_the_command_that_installs_it(python, tmp_path, small_csv):
    shutil.copy(small_csv, tmp_path / "stones.csv")
    arguments = ("train", "stones.csv", "--family", "linear")
    done = diamond(tmp_path / "home", *arguments, check=False, python=python)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "is not installed; run: pip install 'diamond-core[train]'"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["title_above.xlsx", "typed.parquet"])
def test_a_file_that_only_training_reads_names_the_same_command(python, tmp_path, name):
    path = str(ROOT / "tests" / "data" / "traders" / name)
    done = diamond(tmp_path / "home", "train", path, check=False, python=python)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "is not installed; run: pip install 'diamond-core[train]'"
    )
    assert "Traceback" not in done.stderr
