"""The linear family: its quick search against scikit-learn, its graphs against its estimators."""

import io
import itertools

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from diamond_adapters.families.linear import LinearFamily, fit_candidate
from diamond_adapters.families.linear_search import (
    DEFAULT,
    FOLDS,
    Candidate,
    out_of_fold,
    price_bounds,
    search,
)
from diamond_adapters.onnx_model import OnnxModel
from diamond_adapters.sources import bundled_source
from diamond_core import DiamondTable, clean, in_holdout
from diamond_core.ports import ONNX_FILE, no_progress
from diamond_core.splitting import folds
from diamond_core.testing import some_stones

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
    return clean(bundled_source().read()).table


@pytest.fixture(scope="module")
def fitted(bundled):
    training = bundled[~in_holdout(bundled)]
    return LinearFamily().fit(training, seed=0, trials=None, progress=no_progress)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: each.name)
def test_prices_in_onnx_as_in_scikit_learn(candidate):
    regressor = fit_candidate(candidate, some_stones(400))
    rows = some_stones(300, seed=1).rows.copy()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    for table in (DiamondTable(rows), DiamondTable(rows).without_measurements()):
        prices = OnnxModel(regressor.to_onnx()).price(table)
        np.testing.assert_allclose(prices, regressor.predict(table.features()), rtol=1e-9)


@pytest.mark.parametrize(
    "candidate",
    [each for each in CANDIDATES if not each.interactions or each.solver == "ridge"],
    ids=lambda each: each.name,
)
def test_scores_candidates_as_plain_cross_validation_does(candidate):
    # With unknown measurements, nothing is learned from the stones outside the fits.
    table = some_stones(600).without_measurements()
    known, _ = out_of_fold(table, candidate, seed=3)
    assigned = folds(table, FOLDS, 3)
    for number in range(FOLDS):
        held = assigned == number
        bounds = price_bounds(table[~held].price)
        expected = fit_candidate(candidate, table[~held]).predict(table[held].features())
        tolerance = 5e-3 if candidate.solver == "lasso" else 1e-6
        np.testing.assert_allclose(
            np.clip(known[held], *bounds), expected, rtol=tolerance, atol=tolerance * 1000
        )


def test_lists_every_candidate_with_its_error_the_best_first():
    scored = search(some_stones(500), seed=0, progress=no_progress)
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
    for table in (bundled, bundled.without_measurements()):
        expected = estimator.predict(table.features())
        np.testing.assert_allclose(fitted.model.price(table), expected, rtol=1e-5)


def test_prices_from_the_four_cs_nearly_as_well_as_from_everything(bundled, fitted):
    holdout = bundled[in_holdout(bundled)]
    everything = np.abs(fitted.model.price(holdout) - holdout.price).mean()
    four_cs = np.abs(fitted.model.price(holdout.without_measurements()) - holdout.price).mean()
    assert four_cs < 1.05 * everything


def test_keeps_every_candidates_score_and_what_it_assumes(fitted):
    assert len(fitted.details["candidates"]) == 96
    assert fitted.details["chosen"] == fitted.details["candidates"][0]["name"]
    assert fitted.details["assumed"]["carats_per_cubic_millimetre"] == pytest.approx(
        0.0061, rel=0.02
    )
    assert OnnxModel(fitted.files[ONNX_FILE]).price(some_stones(1)).shape == (1,)


def test_fits_the_default_alone_where_no_trial_is_asked_for():
    details = LinearFamily().fit(some_stones(300), seed=0, trials=0, progress=no_progress).details
    assert [each["name"] for each in details["candidates"]] == [DEFAULT.name]
