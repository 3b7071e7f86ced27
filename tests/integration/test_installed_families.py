"""What every installed family must show on the bundled stones, with its default parameters."""

from __future__ import annotations

import io
import json

import joblib
import numpy as np
import pytest
from support import diamond

from diamond_adapters.families.installed import InstalledFamilies
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import DiamondTable, Evaluation, PriceRanges, in_holdout, no_progress
from diamond_core.models.support import Support
from diamond_core.use_cases.read_stones import read_stones

pytestmark = pytest.mark.timeout(300)  # a family may take its time on a busy machine


@pytest.fixture(scope="module")
def bundled():
    stones, _ = read_stones([bundled_source()])
    return stones.table


@pytest.fixture(scope="module", params=list(InstalledFamilies()))
def fitted(request, bundled):
    family = InstalledFamilies()[request.param]
    training = bundled[~in_holdout(bundled)]
    return family.fit(training, seed=0, trials=0, weights=None, study=None, progress=no_progress)


@pytest.fixture(scope="module")
def ranges(fitted, bundled):
    training = bundled[~in_holdout(bundled)]
    return PriceRanges.calibrate(
        training, fitted.out_of_fold, fitted.out_of_fold_four_cs, fitted.features
    )


def test_prices_in_onnx_as_the_estimator_does(fitted, bundled):
    estimator = joblib.load(io.BytesIO(fitted.files["estimator.joblib"]))
    rows = bundled.rows_of_today()
    for offset, name in enumerate(("depth", "table", "x", "y", "z")):
        rows[name][offset::7] = np.nan
    for table in (bundled, bundled.four_cs(), DiamondTable(rows)):
        expected = estimator.predict(table.features(fitted.features))
        np.testing.assert_allclose(fitted.model.price(table), expected, rtol=1e-5)


@pytest.mark.parametrize("measured", [True, False])
def test_has_price_ranges_that_hold_nine_of_ten_prices(fitted, ranges, bundled, measured):
    holdout = bundled[in_holdout(bundled)]
    asked = holdout if measured else holdout.four_cs()
    gaps = Support(bundled[~in_holdout(bundled)], ranges.effects).gaps(asked)
    evaluation = Evaluation.of(asked, fitted.model.price(asked), ranges, gaps)
    assert evaluation.covered.mean() == pytest.approx(0.90, abs=0.015)
    assert min(evaluation.coverage_by(holdout.price)) >= 0.86
    assert min(evaluation.coverage_by(evaluation.predicted)) >= 0.86


def test_is_less_sure_of_what_it_knows_less(fitted, ranges, bundled):
    def width(table):
        low, high = ranges.of_table(table, fitted.model.price(table))
        return np.median(np.log(high / low))

    large = bundled[bundled.carat > 2.5]
    rare = bundled[bundled.column("clarity") == 0]
    assert width(large) > 1.1 * width(bundled)
    assert width(rare) > 1.1 * width(bundled)
    assert width(bundled.four_cs()) >= 0.98 * width(bundled)


def test_trains_the_same_models_again(sample_csv, tmp_path):
    def digests():
        order = ["train", str(sample_csv), "--trials", "0", "--seed", "5", "--force", "--json"]
        run = json.loads(diamond(tmp_path / "home", *order).stdout)
        return {card["family"]: card["files"]["model.onnx"] for card in run["models"]}

    assert digests() == digests()
