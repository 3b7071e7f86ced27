"""The XGBoost family: graph against estimator, what is chosen, and what reproduces it."""

import io
import json

import joblib
import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from support import diamond

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.xgboost import effort, family, regressor, search
from diamond_adapters.families.xgboost.effort import Effort, effort_for, trials_for
from diamond_adapters.families.xgboost.family import XGBoostFamily
from diamond_adapters.families.xgboost.folds import BoostedFolds
from diamond_adapters.families.xgboost.regressor import DEFAULTS, BoostedPriceRegressor
from diamond_adapters.families.xgboost.search import SearchResult, study_name
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import ONNX_FILE, DiamondTable, TooFewStones, in_holdout, no_progress
from diamond_core.testing import some_stones
from diamond_core.use_cases.read_stones import read_stones


@pytest.fixture(scope="module")
def bundled():
    stones, _ = read_stones([bundled_source()])
    return stones.table


@pytest.fixture(scope="module")
def some_bundled(bundled):
    training = bundled[~in_holdout(bundled)]
    return training[np.random.default_rng(0).permutation(len(training))[:4000]]


@pytest.fixture(scope="module")
def fitted(some_bundled):
    return fit(some_bundled)


def fit(table, *, seed=0, trials=0, weights=None, study=None):
    return XGBoostFamily().fit(
        table, seed=seed, trials=trials, weights=weights, study=study, progress=no_progress
    )


def some_weights(count):
    return np.random.default_rng(5).uniform(0.1, 3.0, count)


def test_prices_in_onnx_as_in_xgboost_on_the_whole_bundled_set(bundled, fitted):
    regressor = joblib.load(io.BytesIO(fitted.files["estimator.joblib"]))
    rows = bundled.rows_of_today()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    for table in (bundled, DiamondTable(rows), bundled.four_cs()):
        native = regressor.predict(table.features(FEATURES))
        np.testing.assert_allclose(fitted.model.price(table), native, rtol=1e-5)


def test_is_far_better_than_the_linear_part_alone_and_needs_the_four_cs_only(bundled, fitted):
    unseen = bundled[in_holdout(bundled)]
    known = np.abs(fitted.model.price(unseen) - unseen.price).mean()
    four_cs = np.abs(fitted.model.price(unseen.four_cs()) - unseen.price).mean()
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
    monkeypatch.setattr(family, "search", lambda *_, **__: SearchResult(poor, []))
    table = some_stones(300)
    searched = fit(table, trials=5)
    assert searched.details["chosen"] == "defaults"
    assert searched.files[ONNX_FILE] == fit(table, trials=0).files[ONNX_FILE]


def test_takes_what_is_clearly_better_and_not_what_may_be_noise(some_bundled):
    folds = folds_of(some_bundled[:1000], None)
    stumps = dict(DEFAULTS) | {"max_depth": 1}
    assert folds.choose(stumps, DEFAULTS, lambda: None).chosen == 1
    assert folds.choose(DEFAULTS, stumps, lambda: None).chosen == 0
    nearly = dict(DEFAULTS) | {"lambda": 1.01 * DEFAULTS["lambda"]}
    both = [folds.choose(*pair, lambda: None) for pair in ((DEFAULTS, nearly), (nearly, DEFAULTS))]
    assert [each.chosen for each in both] == [0, 0]
    assert folds.choose(DEFAULTS, DEFAULTS, lambda: None).chosen == 0


def folds_of(table, weights):
    effort = Effort(folds=5, rounds=1000, patience=10)
    return BoostedFolds(table, weights, seed=1, also_four_cs=False, bins=64, effort=effort)


def test_never_chooses_a_trial_that_did_not_complete(monkeypatch):
    def trial(number, state, value):
        name = "learning_rate"
        return optuna.trial.FrozenTrial(
            number=number, trial_id=number, state=state, value=value, params={name: 0.02 + number},
            distributions={name: FloatDistribution(0.0, 9.0)}, intermediate_values={0: value},
            datetime_start=None, datetime_complete=None, user_attrs={}, system_attrs={},
        )  # fmt: skip

    states = optuna.trial.TrialState
    trials = [trial(0, states.COMPLETE, 3.0), trial(1, states.PRUNED, 1.0)]
    trials.append(trial(2, states.COMPLETE, 2.0))
    monkeypatch.setattr(search, "run_study", lambda *_, **__: trials)
    result = search.search(
        some_stones(100), None, url=None, trials=3, seed=0, trials_done=lambda _: None
    )
    assert result.parameters == {"learning_rate": 2.02}
    assert [each["state"] for each in result.history] == ["complete", "pruned", "complete"]


def test_scores_by_weighted_errors():
    table, weights = some_stones(300), some_weights(300)
    validated = folds_of(table, weights).choose(DEFAULTS, None, lambda: None)
    errors = np.abs(validated.known - table.price)
    assert validated.mae == pytest.approx((weights * errors).sum() / weights.sum())
    assert validated.mae != pytest.approx(errors.mean(), rel=1e-3)


def test_chooses_by_the_stones_of_more_weight(some_bundled):
    real, noise = some_bundled[:1000], some_bundled[1000:2000].rows_of_today()
    noise["price"] = np.random.default_rng(0).permutation(noise["price"])  # nothing to be learned
    table = DiamondTable.concatenate([real, DiamondTable(noise)])
    stumps = dict(DEFAULTS) | {"max_depth": 1}
    chosen = [
        folds_of(table, np.repeat(each, 1000)).choose(stumps, DEFAULTS, lambda: None).chosen
        for each in ([1.0, 1e-4], [1e-4, 1.0])
    ]
    assert chosen == [1, 0]


def test_takes_weights_for_shares():
    table, weights = some_stones(200), some_weights(200)
    first, second = (fit(table, weights=each).files[ONNX_FILE] for each in (weights, 8 * weights))
    assert first == second
    assert first != fit(table).files[ONNX_FILE]


def test_searches_anew_where_weights_differ():
    table, weights = some_stones(200), some_weights(200)
    names = {study_name(table, each, 0) for each in (None, weights, weights[::-1])}
    assert len(names) == 3


def test_tells_what_the_card_should_hold(fitted):
    details = json.loads(json.dumps(fitted.details))
    assert details["parameters"].keys() == DEFAULTS.keys()
    assert details["rounds"] >= 1
    assert sum(details["importance"].values()) == pytest.approx(1.0)
    assert next(iter(details["importance"])) == "carat"


def test_very_many_stones_are_neither_searched_nor_cross_validated_often():
    assert trials_for(200_000, None) == 5
    assert trials_for(200_001, None) == 0
    assert trials_for(200_001, 7) == 7
    usual, of_very_many = effort_for(200_000), effort_for(200_001)
    assert of_very_many.folds < usual.folds
    assert of_very_many.rounds < usual.rounds


def test_of_very_many_stones_prices_every_one_out_of_fold(some_bundled, monkeypatch):
    usual = fit(some_bundled, trials=None)
    monkeypatch.setattr(effort, "VERY_MANY_STONES", 1000)
    monkeypatch.setattr(regressor, "VERY_MANY_STONES", 1000)
    monkeypatch.setattr(regressor, "MAXIMUM_COPIES", 1000)
    quick = fit(some_bundled, trials=None)
    assert quick.details["trials"] == []
    assert quick.details["cross_validation_folds"] == 2
    assert quick.details["rounds"] <= 200
    for prices, others in (
        (quick.out_of_fold, usual.out_of_fold),
        (quick.out_of_fold_four_cs, usual.out_of_fold_four_cs),
    ):
        errors, expected = (np.abs(each - some_bundled.price).mean() for each in (prices, others))
        assert errors < 1.2 * expected


def test_only_so_many_stones_are_there_without_measurements(monkeypatch):
    table = some_stones(100)
    features, prices = table.features(FEATURES), table.price
    base = regressor.fit_base(features, prices, None)
    for maximum, copies in ((100, 100), (99, 50), (50, 50), (30, 25)):
        monkeypatch.setattr(regressor, "MAXIMUM_COPIES", maximum)
        rows = regressor.training_rows(features, prices, None, base, also_four_cs=True)
        data = rows.binned(64)
        assert data.num_row() == 100 + copies
        label = data.get_label()
        np.testing.assert_array_equal(label[100:], label[:100][:: 100 // copies])


def test_says_so_where_stones_are_too_few():
    with pytest.raises(TooFewStones):
        fit(some_stones(49))


def test_keeps_its_search_where_it_is_asked_to(tmp_path):
    table, path = some_stones(200), tmp_path / "studies"
    first = fit(table, trials=3, study=f"journal:///{path}")
    again = fit(table, trials=3, study=f"journal:///{path}")
    assert first.details["trials"] == again.details["trials"]
    assert first.files[ONNX_FILE] == again.files[ONNX_FILE] == fit(table, trials=3).files[ONNX_FILE]
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    storage = optuna.storages.JournalStorage(backend)
    assert [each.n_trials for each in optuna.get_all_study_summaries(storage)] == [3]


def test_learns_from_stones_without_any_measurement():
    table = some_stones(200).four_cs()
    regressor = BoostedPriceRegressor(rounds=20).fit(table.features(FEATURES), table.price)
    prices = OnnxModel(regressor.to_onnx(), FEATURES).price(some_stones(50))
    np.testing.assert_allclose(
        prices, regressor.predict(some_stones(50).features(FEATURES)), rtol=1e-5
    )


def test_is_trained_by_the_command_and_keeps_its_search_in_the_home(small_csv, tmp_path):
    home = tmp_path / "home"
    orders = ("train", str(small_csv), "--family", "xgboost", "--trials", "3", "--json")
    (card,) = json.loads(diamond(home, *orders).stdout)["models"]
    assert card["family"] == "xgboost"
    assert (home / "studies.journal").exists()
    (again,) = json.loads(diamond(home, *orders, "--force").stdout)["models"]
    assert again["files"]["model.onnx"] == card["files"]["model.onnx"]
    assert again["details"]["trials"] == card["details"]["trials"]


@pytest.mark.parametrize(
    ("url", "code"), [("nonsense", 2), ("nosuch://host/name", 2), ("mysql:///", 1)]
)
def test_a_study_that_cannot_be_kept_is_told_in_one_line(small_csv, tmp_path, url, code):
    orders = ("train", str(small_csv), "--family", "xgboost", "--trials", "1", "--study", url)
    done = diamond(tmp_path / "home", *orders, check=False)
    assert done.returncode == code
    assert len(done.stderr.strip().splitlines()[-1]) < 300
    assert "Traceback" not in done.stderr


def test_an_unreachable_study_does_not_tell_its_password(small_csv, tmp_path):
    url = "mysql://me:secret-word@127.0.0.1:1/none"
    orders = ("train", str(small_csv), "--family", "xgboost", "--trials", "1", "--study", url)
    done = diamond(tmp_path / "home", *orders, check=False)
    assert done.returncode == 1
    assert "secret-word" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
