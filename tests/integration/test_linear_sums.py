"""The linear family learns from sums: they add up, and give what scikit-learn learns from all rows."""

import itertools
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, LinearRegression, Ridge

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear import search
from diamond_adapters.families.linear import sums as sums_module
from diamond_adapters.families.linear.candidates import Candidate
from diamond_adapters.families.linear.design import KNOTS, LinearDesign, groups
from diamond_adapters.families.linear.search import FOLDS, CrossValidation
from diamond_adapters.families.linear.solve import MINIMUM_DEVIATION, solved
from diamond_adapters.families.linear.sums import GroupSums
from diamond_core import DiamondTable, folds, no_progress
from diamond_core.testing import some_stones

DESIGNS = list(itertools.product(("carat", "log", "spline"), (False, True)))
SOLVERS = [("least squares", 0.0), ("ridge", 1e-3), ("lasso", 1e-2)]
CANDIDATES = [
    Candidate(log_price, *design, *solver)
    for log_price, design, solver in itertools.product((False, True), DESIGNS, SOLVERS)
]


@pytest.fixture(scope="module")
def stones():
    rows = some_stones(700).rows_of_today()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    return DiamondTable(rows)


def sums_of(table, weights, fold, count):
    features = table.features(FEATURES)
    design = LinearDesign().fit(features)
    return GroupSums.by_fold(design, features, table.price, weights, fold, count)


def plain_columns(design, features):
    """Return the columns of the stones one by one, as the docstring of the design says."""
    rows = []
    features = features.astype(np.float64)
    for stone, terms in zip(features, design.measurement_terms(features), strict=True):
        carat, (cut, color, clarity) = float(stone[0]), stone[1:4].astype(int)
        logs = np.log(carat)
        weight = {
            "carat": [carat],
            "log": [logs],
            "spline": [logs, *(max(logs - np.log(knot), 0.0) for knot in KNOTS)],
        }[design.weight]
        grades = [
            float(number == grade)
            for number, count in ((cut, 5), (color, 7), (clarity, 8))
            for grade in range(1, count)
        ]
        row = [*weight, *grades, *terms]
        if design.interactions:
            row += [each * grade for each in weight for grade in grades]
            row += [
                float(color == one and clarity == two) for one in range(1, 7) for two in range(1, 8)
            ]
        rows.append(row)
    return np.array(rows)


def plain_fit(candidate, columns, prices, weights):
    """Return intercept and coefficients, by scikit-learn, from scaled columns of all stones."""
    target = np.log(prices) if candidate.log_price else prices
    mean = np.average(columns, axis=0, weights=weights)
    deviations = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weights))
    scale = np.maximum(deviations, MINIMUM_DEVIATION)
    center = np.average(target, weights=weights)
    spread = np.sqrt(np.average((target - center) ** 2, weights=weights))
    count = len(target) if weights is None else weights.sum()
    linear = {
        "least squares": LinearRegression(),
        "ridge": Ridge(alpha=candidate.penalty * count),
        "lasso": Lasso(alpha=candidate.penalty * spread, max_iter=100_000, tol=1e-10),
    }[candidate.solver]
    linear.fit((columns - mean) / scale, target, sample_weight=weights)
    coefficients = linear.coef_ / scale
    return linear.intercept_ - coefficients @ mean, coefficients


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_the_matrix_of_a_group_turns_terms_into_columns(stones, design):
    features = stones.features(FEATURES)
    fitted = LinearDesign(*design).fit(features)
    of_groups = fitted.columns()[groups(features)]
    columns = np.einsum("nt,ntp->np", fitted.terms(features), of_groups)
    np.testing.assert_allclose(columns, plain_columns(fitted, features), atol=1e-12)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: each.name)
@pytest.mark.parametrize("weighted", [False, True])
def test_fits_as_scikit_learn_does(stones, candidate, weighted):
    weights = np.random.default_rng(5).uniform(0.1, 3.0, len(stones)) if weighted else None
    features = stones.features(FEATURES)
    design = LinearDesign(candidate.weight, candidate.interactions).fit(features)
    (sums,) = sums_of(stones, weights, np.zeros(len(stones), dtype=int), 1)
    (intercept,), coefficients = solved(
        sums.of_columns(design.columns()), [candidate], iterations=100_000
    )
    columns = plain_columns(design, features)
    expected, of_columns = plain_fit(candidate, columns, stones.price, weights)
    tolerance = 1e-2 if candidate.solver == "lasso" else 1e-5
    scale = 1.0 if candidate.log_price else float(stones.price.std())
    np.testing.assert_allclose(
        intercept + columns @ coefficients[:, 0],
        expected + columns @ of_columns,
        atol=tolerance * scale,
    )


def test_scores_every_fold_by_the_fit_to_the_others(stones):
    weights = np.random.default_rng(5).uniform(0.1, 3.0, len(stones))
    chosen = [each for each in CANDIDATES if each.solver == "ridge"]
    scored = CrossValidation(stones, weights, seed=3).scored(chosen, no_progress)
    features, prices = stones.features(FEATURES), stones.price
    fold = folds(stones, FOLDS, 3)
    for each in scored:
        design = LinearDesign(each.candidate.weight, each.candidate.interactions).fit(features)
        columns, predicted = plain_columns(design, features), np.empty(len(stones))
        for number in range(FOLDS):
            held = fold == number
            intercept, coefficients = plain_fit(
                each.candidate, columns[~held], prices[~held], weights[~held]
            )
            predicted[held] = intercept + columns[held] @ coefficients
        values = np.exp(predicted) if each.candidate.log_price else predicted
        predicted = np.clip(values, prices.min() / 10, prices.max() * 100)
        errors = np.abs(predicted - prices)
        assert each.mae == pytest.approx(np.average(errors, weights=weights), rel=1e-6)


@given(
    chunk=st.integers(1, 700),
    count=st.integers(1, 4),
    is_weighted=st.booleans(),
    seed=st.integers(0, 9),
)
def test_sums_do_not_depend_on_chunks_and_folds(stones, chunk, count, is_weighted, seed):
    random = np.random.default_rng(seed)
    weights = random.uniform(1e-6, 3.0, len(stones)) if is_weighted else None
    fold = random.integers(0, count, len(stones))
    (whole,) = sums_of(stones, weights, np.zeros(len(stones), dtype=int), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums_module, "CHUNK", chunk)
        parts = sums_of(stones, weights, fold, count)
    total = reduce(add, parts)
    scale = np.abs(whole.products).max(axis=0)
    assert (np.abs(total.products - whole.products) <= 1e-12 * scale).all()
    for number, part in enumerate(parts):
        others = [each for at, each in enumerate(parts) if at != number]
        plain = sum((each.products for each in others), np.zeros_like(whole.products))
        assert (np.abs((total - part).products - plain) <= 1e-12 * scale).all()


def test_prices_some_of_many_stones_to_score_candidates(stones, monkeypatch):
    weights = np.random.default_rng(5).uniform(0.1, 3.0, len(stones))
    candidate = Candidate(True, "log", False, "ridge", 1e-3)
    validation = CrossValidation(stones, weights, seed=3)
    (of_all,) = validation.scored([candidate], no_progress)
    monkeypatch.setattr(search, "ENOUGH", 350)
    (of_half,) = validation.scored([candidate], no_progress)
    monkeypatch.setattr(search, "ENOUGH", 100)
    (of_few,) = validation.scored([candidate], no_progress)
    assert len({of_all.mae, of_half.mae, of_few.mae}) == 3
    assert of_half.mae == pytest.approx(of_all.mae, rel=0.1)
    assert of_few.mae == pytest.approx(of_all.mae, rel=0.2)
