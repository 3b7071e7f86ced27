"""A family that cannot export ONNX is served only where the operator allows it."""

from __future__ import annotations

import json

import joblib
import pytest
from support import STONE, diamond

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.models.estimator_model import EstimatorModel
from diamond_core import ESTIMATOR_FILE, no_progress
from diamond_core.testing import ModelContract, some_stones

PLUGIN = """
from dataclasses import replace
from diamond_adapters.families.linear.family import LinearFamily

class Pickled(LinearFamily):
    name = "pickled"

    def fit(self, table, **order):
        fitted = super().fit(table, **order)
        files = {name: data for name, data in fitted.files.items() if name != "model.onnx"}
        return replace(fitted, files=files)
"""
ALLOWED = {"DIAMOND_ALLOW_PICKLE": "1"}


@pytest.fixture(scope="module")
def estimator():
    stones = some_stones(400)
    options = {"weights": None, "study": None, "progress": no_progress}
    return LinearFamily().fit(stones, seed=0, trials=0, **options).files[ESTIMATOR_FILE]


class TestEstimatorModel(ModelContract):
    @pytest.fixture
    def model(self, estimator):
        return EstimatorModel(estimator, FEATURES)


@pytest.mark.parametrize("data", [b"", b"no pickle", joblib.hash([1]).encode()])
def test_refuses_what_is_no_estimator(data):
    with pytest.raises(ValueError, match="joblib"):
        EstimatorModel(data, FEATURES)


@pytest.fixture
def plugin(tmp_path):
    """A folder that holds a package with a family of no ONNX."""
    site = tmp_path / "site"
    (site / "pickled-1.0.dist-info").mkdir(parents=True)
    (site / "pickled.py").write_text(PLUGIN)
    (site / "pickled-1.0.dist-info" / "METADATA").write_text("Name: pickled\nVersion: 1.0\n")
    (site / "pickled-1.0.dist-info" / "entry_points.txt").write_text(
        "[diamond_core.families]\npickled = pickled:Pickled\n"
    )
    return str(site)


def test_is_served_only_where_the_operator_allows_it(plugin, sample_csv, tmp_path):
    home = tmp_path / "home"
    train = ["train", str(sample_csv), "--family", "pickled", "--trials", "0"]
    done = diamond(home, *train, PYTHONPATH=plugin)
    assert (
        "the settings do not allow loading its estimator.joblib; it is not promoted" in done.stderr
    )
    stone = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]
    assert diamond(home, "predict", *stone, check=False).returncode == 1

    (card,) = json.loads(diamond(home, "models", "list", "--json").stdout)
    promote = ["models", "promote", card["id"], "--reason", "we trust its maker"]
    refused = diamond(home, *promote, check=False)
    assert refused.returncode == 1
    assert "do not allow" in refused.stderr
    diamond(home, *promote, **ALLOWED)
    priced = diamond(home, "predict", *stone, "--json", **ALLOWED)
    assert json.loads(priced.stdout)["model"]["family"] == "pickled"


def test_refuses_a_setting_that_is_neither_yes_nor_no(tmp_path):
    done = diamond(tmp_path / "home", "doctor", check=False, DIAMOND_ALLOW_PICKLE="maybe")
    assert (done.returncode, done.stderr) == (
        1,
        "diamond: DIAMOND_ALLOW_PICKLE: must be 1 or 0, not 'maybe'\n",
    )
