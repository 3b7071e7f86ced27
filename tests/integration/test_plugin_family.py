"""A family from a package of its own: installed, found, trained and served without a change here."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from support import STONE, diamond

from diamond_core import DiamondTable, no_progress
from diamond_core.testing import ModelContract, ModelFamilyContract, some_stones

EXAMPLE = Path(__file__).parents[2] / "examples" / "lightgbm_family"
STONE_OPTIONS = [text for name, value in STONE.items() for text in (f"--{name}", str(value))]


@pytest.fixture(scope="module")
def example():
    """The example's module, loaded from its file."""
    spec = importlib.util.spec_from_file_location("lightgbm_family", EXAMPLE / "lightgbm_family.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def fitted(example):
    return example.LightGbmFamily().fit(
        some_stones(500), seed=0, trials=None, weights=None, study=None, progress=no_progress
    )


class TestLightGbmFamily(ModelFamilyContract):
    @pytest.fixture
    def family(self, example):
        return example.LightGbmFamily()


class TestModelOfTheLightGbmFamily(ModelContract):
    @pytest.fixture
    def model(self, fitted):
        return fitted.model


def test_prices_in_onnx_as_in_lightgbm(fitted):
    estimator = joblib.load(io.BytesIO(fitted.files["estimator.joblib"]))
    rows = some_stones(20_000, seed=1).rows_of_today()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    expected = estimator.predict(DiamondTable(rows).features(fitted.features))
    np.testing.assert_allclose(fitted.model.price(DiamondTable(rows)), expected, rtol=1e-5)


def test_sends_unknown_values_where_lightgbm_does_though_it_met_none(example):
    stones = some_stones(400)
    features = stones.features(example.FEATURES)
    trees = example.LGBMRegressor(n_estimators=20, verbose=-1, n_jobs=1)
    booster = trees.fit(features, np.log(stones.price)).booster_
    unknown = some_stones(400, seed=1).four_cs()
    prices = example.OnnxModel(example.to_onnx(booster), example.FEATURES).price(unknown)
    np.testing.assert_allclose(
        prices, np.exp(booster.predict(unknown.features(example.FEATURES))), rtol=1e-5
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which the example was installed, as any package is."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--no-deps", "--target", str(folder / "site"), str(folder / "source")], check=True
    )
    return folder / "site"


def test_is_trained_by_the_unchanged_command_and_served_without_its_package(
    installed, trained_home, sample_csv
):
    train = ["train", str(sample_csv), "--family", "lightgbm", "--json"]
    run = json.loads(diamond(trained_home, *train, PYTHONPATH=str(installed)).stdout)
    (card,) = run["models"]
    assert card["family"] == "lightgbm"
    assert card["comparison"]["champion"].startswith("linear-")
    diamond(trained_home, "models", "promote", card["id"], "--reason", "to see it serve")
    priced = json.loads(diamond(trained_home, "predict", *STONE_OPTIONS, "--json").stdout)
    assert priced["model"]["family"] == "lightgbm"
    assert priced["price_range"]["low"] < priced["price"] < priced["price_range"]["high"]


def test_tells_of_a_plugin_that_does_not_load(trained_home, sample_csv, tmp_path):
    folder = tmp_path / "site"
    (folder / "broken-1.0.dist-info").mkdir(parents=True)
    (folder / "broken-1.0.dist-info" / "METADATA").write_text("Name: broken\nVersion: 1.0\n")
    (folder / "broken-1.0.dist-info" / "entry_points.txt").write_text(
        "[diamond_core.families]\nbroken = no_such_module:Family\n"
    )
    train = ["train", str(sample_csv), "--family", "broken"]
    done = diamond(trained_home, *train, check=False, PYTHONPATH=str(folder))
    assert done.returncode == 1
    assert done.stderr.endswith(
        "diamond: the family 'broken' failed: it can't be loaded:"
        " No module named 'no_such_module'\n"
    )
    assert "Traceback" not in done.stderr
