"""The linear family: its quick search against scikit-learn, its graphs against its estimators."""

import io
import itertools

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear.candidates import DEFAULT, Candidate, every_candidate
from diamond_adapters.families.linear.family import LinearFamily, fit_candidate
from diamond_adapters.families.linear.search import FOLDS, CrossValidation
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import (
    ONNX_FILE,
    Clarity,
    Color,
    Cut,
    Diamond,
    DiamondTable,
    folds,
    in_holdout,
    no_progress,
)
from diamond_core.testing import some_stones
from diamond_core.use_cases.read_stones import read_stones

CANDIDATES = [
    Candidate(log_price, weight, interactions, solver, penalty)
    for log_price, weight, interactions, (solver, penalty) in itertools.product(
        (False, True),
        ("carat", "log", "spline"),
        (False, True),
        (("least squares", 0.0), ("ridge", 1e-3), ("lasso", 1e-2)),
    )
]


@pytest.fixture(scope="module")
def bundled():
    stones, _ = read_stones([bundled_source()])
    return stones.table


@pytest.fixture(scope="module")
def fitted(bundled):
    training = bundled[~in_holdout(bundled)]
    return fit(training)


def fit(table, *, trials=None, weights=None):
    return LinearFamily().fit(
        table, seed=0, trials=trials, weights=weights, study=None, progress=no_progress
    )


def some_weights(count):
    return np.random.default_rng(5).uniform(0.1, 3.0, count)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: each.name)
def test_prices_in_onnx_as_in_scikit_learn(candidate):
    regressor = fit_candidate(candidate, some_stones(400))
    rows = some_stones(300, seed=1).rows_of_today()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    for table in (DiamondTable(rows), DiamondTable(rows).four_cs()):
        prices = OnnxModel(regressor.to_onnx(), FEATURES).price(table)
        np.testing.assert_allclose(prices, regressor.predict(table.features(FEATURES)), rtol=1e-9)


@pytest.mark.parametrize(
    "candidate",
    [each for each in CANDIDATES if not each.interactions or each.solver == "ridge"],
    ids=lambda each: each.name,
)
@pytest.mark.parametrize("weights", [None, some_weights(600)], ids=["alike", "weighted"])
def test_scores_candidates_as_plain_cross_validation_does(candidate, weights):
    # With unknown measurements, nothing is learned from the stones outside the fits.
    table = some_stones(600).four_cs()
    known, _ = CrossValidation(table, weights, seed=3).ordered_out_of_fold(candidate)
    assigned = folds(table, FOLDS, 3)
    for number in range(FOLDS):
        held = assigned == number
        outside = None if weights is None else weights[~held]
        regressor = fit_candidate(candidate, table[~held], outside)
        expected = regressor.predict(table[held].features(FEATURES))
        tolerance = 5e-3 if candidate.solver == "lasso" else 2e-6
        np.testing.assert_allclose(known[held], expected, rtol=tolerance, atol=tolerance * 1000)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: each.name)
def test_counts_a_stone_of_weight_three_as_three_stones(candidate):
    table = some_stones(300).four_cs()  # what unknown measurements are assumed to be has no weights
    counts = np.random.default_rng(6).integers(1, 4, len(table))
    weighted = fit_candidate(candidate, table, counts.astype(float))
    repeated = fit_candidate(candidate, table[np.repeat(np.arange(len(table)), counts)])
    unseen = some_stones(200, seed=1).features(FEATURES)
    tolerance = 1e-2 if candidate.solver == "lasso" else 1e-6
    np.testing.assert_allclose(
        weighted.predict(unseen), repeated.predict(unseen), rtol=tolerance, atol=1.0
    )


def test_scores_by_weighted_errors():
    table, weights = some_stones(300), some_weights(300)
    (scored,) = CrossValidation(table, weights, seed=0).scored([DEFAULT], no_progress)
    # Three times the weight is three equal stones, and those are in one fold.
    repeated = np.repeat(np.arange(len(table)), 3)
    thrice = CrossValidation(table[repeated], weights[repeated], seed=0)
    assert thrice.scored([DEFAULT], no_progress)[0].mae == pytest.approx(scored.mae)
    (alike,) = CrossValidation(table, None, seed=0).scored([DEFAULT], no_progress)
    assert scored.mae != pytest.approx(alike.mae, rel=1e-3)


def test_takes_weights_for_shares():
    table, weights = some_stones(300), some_weights(300)
    first, second = (fit(table, weights=each).files[ONNX_FILE] for each in (weights, 8 * weights))
    assert first == second
    assert first != fit(table).files[ONNX_FILE]


@pytest.mark.parametrize("candidate", [CANDIDATES[0], CANDIDATES[24]], ids=lambda each: each.name)
def test_keeps_prices_between_a_tenth_of_the_lowest_and_a_hundred_times_the_highest(candidate):
    table = some_stones(300)
    model = OnnxModel(fit_candidate(candidate, table).to_onnx(), FEATURES)
    tiny, large, huge = (
        Diamond(carat=carat, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF)
        for carat in (0.001, 2 * table.carat.max(), 1000.0)
    )
    assert model.price(tiny) == pytest.approx([table.price.min() / 10])
    assert model.price(large) < 50 * table.price.max()  # the heaviest that is priced
    assert table.price.max() * 10 < model.price(huge) <= table.price.max() * 100 * (1 + 1e-6)


def test_lists_every_candidate_with_its_error_the_best_first():
    validation = CrossValidation(some_stones(500), None, seed=0)
    scored = validation.scored(every_candidate(), no_progress)
    errors = [each.mae for each in scored]
    assert errors == sorted(errors)
    kinds = {
        (s.candidate.log_price, s.candidate.weight, s.candidate.interactions, s.candidate.solver)
        for s in scored
    }
    assert len(kinds) == 2 * 3 * 2 * 3
    assert DEFAULT in [each.candidate for each in scored]
    # The made-up prices are exponential in the grades and a power of the weight.
    assert scored[0].candidate.log_price
    assert scored[0].candidate.weight in ("log", "spline")


def test_beats_the_notebooks_model_by_a_quarter(bundled, fitted):
    held = in_holdout(bundled)
    actual = bundled[held].price
    design = np.column_stack(
        [bundled.carat, bundled.column("x")]
        + [
            bundled.column(name) == grade
            for name in ("cut", "color", "clarity")
            for grade in range(1, bundled.column(name).max() + 1)
        ]
    ).astype(float)
    notebook = LinearRegression().fit(design[~held], np.log(bundled[~held].price))
    of_notebook = np.abs(np.exp(notebook.predict(design[held])) - actual).mean()
    ours = np.abs(fitted.model.price(bundled[held]) - actual).mean()
    assert ours <= 0.75 * of_notebook


def test_prices_the_bundled_stones_in_onnx_as_in_scikit_learn(bundled, fitted):
    estimator = joblib.load(io.BytesIO(fitted.files["estimator.joblib"]))
    for table in (bundled, bundled.four_cs()):
        expected = estimator.predict(table.features(FEATURES))
        np.testing.assert_allclose(fitted.model.price(table), expected, rtol=1e-5)


def test_prices_from_the_four_cs_nearly_as_well_as_from_everything(bundled, fitted):
    holdout = bundled[in_holdout(bundled)]
    everything = np.abs(fitted.model.price(holdout) - holdout.price).mean()
    four_cs = np.abs(fitted.model.price(holdout.four_cs()) - holdout.price).mean()
    assert four_cs < 1.05 * everything


def test_keeps_every_candidates_score_and_what_it_assumes(fitted):
    assert len(fitted.details["candidates"]) == 96
    assert fitted.details["chosen"] == fitted.details["candidates"][0]["name"]
    assert fitted.details["assumed"]["carats_per_cubic_millimeter"] == pytest.approx(
        0.0061, rel=0.02
    )
    model = OnnxModel(memoryview(fitted.files[ONNX_FILE]), fitted.features)
    np.testing.assert_array_equal(model.price(some_stones(5)), fitted.model.price(some_stones(5)))


def test_fits_the_default_alone_where_no_trial_is_asked_for():
    details = fit(some_stones(300), trials=0).details
    assert [each["name"] for each in details["candidates"]] == [DEFAULT.name]


def test_refuses_a_graph_that_takes_another_number_of_features(fitted):
    with pytest.raises(ValueError, match="4 columns"):
        OnnxModel(fitted.files[ONNX_FILE], FEATURES[:4])
