"""The XGBoost family: graph against estimator, what is chosen, and what reproduces it."""

import io
import json

import joblib
import numpy as np
import pytest
from support import diamond

from diamond_adapters.families import xgboost_family
from diamond_adapters.families.boosted_folds import BoostedFolds
from diamond_adapters.families.boosted_price import DEFAULTS, BoostedPriceRegressor
from diamond_adapters.families.boosted_tuning import Tuned
from diamond_adapters.families.xgboost_family import XGBoostFamily
from diamond_adapters.onnx_model import OnnxModel
from diamond_adapters.sources import bundled_source
from diamond_core import DiamondTable, TooFewStones, clean, in_holdout
from diamond_core.ports import ONNX_FILE, TunableFamily, no_progress
from diamond_core.testing import some_stones


@pytest.fixture(scope="module")
def bundled():
    return clean(bundled_source().read()).table


@pytest.fixture(scope="module")
def some_bundled(bundled):
    training = bundled[~in_holdout(bundled)]
    return training[np.random.default_rng(0).permutation(len(training))[:4000]]


@pytest.fixture(scope="module")
def fitted(some_bundled):
    return XGBoostFamily().fit(some_bundled, seed=0, trials=0, progress=no_progress)


def fit(table, *, seed=0, trials=0):
    return XGBoostFamily().fit(table, seed=seed, trials=trials, progress=no_progress)


def test_prices_in_onnx_as_in_xgboost_on_the_whole_bundled_set(bundled, fitted):
    regressor = joblib.load(io.BytesIO(fitted.files["estimator.joblib"]))
    rows = bundled.rows.copy()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    for table in (bundled, DiamondTable(rows), bundled.without_measurements()):
        native = regressor.predict(table.features())
        np.testing.assert_allclose(fitted.model.price(table), native, rtol=1e-5)


def test_is_far_better_than_the_linear_part_alone_and_needs_the_four_cs_only(bundled, fitted):
    unseen = bundled[in_holdout(bundled)]
    known = np.abs(fitted.model.price(unseen) - unseen.price).mean()
    four_cs = np.abs(fitted.model.price(unseen.without_measurements()) - unseen.price).mean()
    assert known < 305  # the linear family's best: about 330 from as many stones
    assert four_cs < 1.15 * known


def test_gives_another_model_for_another_seed():
    table = some_stones(200)
    assert fit(table).files[ONNX_FILE] != fit(table, seed=1).files[ONNX_FILE]


def test_finds_the_same_model_again():
    table = some_stones(300)
    first, second = (fit(table, trials=4) for _ in range(2))
    assert first.files[ONNX_FILE] == second.files[ONNX_FILE]
    assert first.details == second.details


def test_tries_the_defaults_first_and_tells_every_trial():
    trials = fit(some_stones(300), trials=4).details["trials"]
    assert trials[0]["parameters"] == pytest.approx(dict(DEFAULTS))
    assert trials[0]["state"] == "complete"
    assert [each["number"] for each in trials] == [0, 1, 2, 3]
    assert all(each["cross_validated_mae"] > 0 for each in trials)


def test_keeps_the_defaults_where_the_search_found_nothing_better(monkeypatch):
    poor = dict(DEFAULTS) | {"max_depth": 1, "learning_rate": 0.001}
    monkeypatch.setattr(xgboost_family, "tune", lambda *_, **__: Tuned(poor, []))
    table = some_stones(300)
    searched = fit(table, trials=5)
    assert searched.details["chosen"] == "defaults"
    assert searched.files[ONNX_FILE] == fit(table, trials=0).files[ONNX_FILE]


def test_takes_what_is_clearly_better_and_not_what_may_be_noise(some_bundled):
    folds = BoostedFolds(some_bundled[:1000], seed=1, twice=False, bins=64, patience=10)
    stumps = dict(DEFAULTS) | {"max_depth": 1}
    assert folds.choose(stumps, DEFAULTS, lambda: None).chosen == 1
    assert folds.choose(DEFAULTS, stumps, lambda: None).chosen == 0
    nearly = dict(DEFAULTS) | {"lambda": 1.01 * DEFAULTS["lambda"]}
    both = [folds.choose(*pair, lambda: None) for pair in ((DEFAULTS, nearly), (nearly, DEFAULTS))]
    assert [each.chosen for each in both] == [0, 0]
    assert folds.choose(DEFAULTS, DEFAULTS, lambda: None).chosen == 0


def test_tells_what_the_card_should_hold(fitted):
    details = json.loads(json.dumps(fitted.details))
    assert details["parameters"].keys() == DEFAULTS.keys()
    assert details["rounds"] >= 1
    assert sum(details["importance"].values()) == pytest.approx(1.0)
    assert next(iter(details["importance"])) == "carat"


def test_says_so_where_stones_are_too_few():
    with pytest.raises(TooFewStones):
        fit(some_stones(49))


def test_is_a_family_whose_search_can_be_kept():
    assert isinstance(XGBoostFamily(), TunableFamily)


def test_learns_from_stones_without_any_measurement():
    table = some_stones(200).without_measurements()
    regressor = BoostedPriceRegressor(rounds=20).fit(table.features(), table.price)
    prices = OnnxModel(regressor.to_onnx()).price(some_stones(50))
    np.testing.assert_allclose(prices, regressor.predict(some_stones(50).features()), rtol=1e-5)


def test_is_trained_by_the_command_and_keeps_its_search_in_the_home(small_csv, tmp_path):
    home = tmp_path / "home"
    orders = ("train", str(small_csv), "--family", "xgboost", "--trials", "3", "--json")
    (card,) = json.loads(diamond(home, *orders).stdout)["models"]
    assert card["family"] == "xgboost"
    assert (home / "studies.journal").exists()
    (again,) = json.loads(diamond(home, *orders, "--force").stdout)["models"]
    assert again["files"]["model.onnx"] == card["files"]["model.onnx"]
    assert again["details"]["trials"] == card["details"]["trials"]


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/name", "mysql:///"])
def test_a_study_that_cannot_be_kept_is_told_in_one_line(small_csv, tmp_path, url):
    orders = ("train", str(small_csv), "--family", "xgboost", "--trials", "1", "--study", url)
    done = diamond(tmp_path / "home", *orders, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()[-1]) < 300
    assert "Traceback" not in done.stderr


def test_an_unreachable_study_does_not_tell_its_password(small_csv, tmp_path):
    url = "mysql://me:secret-word@127.0.0.1:1/none"
    orders = ("train", str(small_csv), "--family", "xgboost", "--trials", "1", "--study", url)
    done = diamond(tmp_path / "home", *orders, check=False)
    assert done.returncode == 1
    assert "secret-word" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
