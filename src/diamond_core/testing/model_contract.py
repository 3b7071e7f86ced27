"""What any ``Model`` and any ``ModelFamily`` must do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from diamond_core.diamond import CLARITIES, COLORS, CUTS, MEASUREMENTS, Diamond
from diamond_core.diamond_table import DiamondTable
from diamond_core.ports import ONNX_FILE, FittedModel, Model, ModelFamily, no_progress
from diamond_core.testing.samples import some_stones


class ModelContract:
    """Inherit, and supply ``model``."""

    @pytest.fixture
    def model(self) -> Model:
        raise NotImplementedError("supply the model under test")

    def test_prices_every_stone_above_zero(self, model: Model) -> None:
        prices = model.price(some_stones(500, seed=1))
        assert prices.shape == (500,)
        assert prices.dtype == np.float64
        assert np.isfinite(prices).all()
        assert (prices > 0).all()

    def test_prices_an_empty_table(self, model: Model) -> None:
        assert model.price(some_stones(1)[:0]).shape == (0,)

    def test_prices_any_grades_and_any_weight(self, model: Model) -> None:
        stones = [
            Diamond(carat=carat, cut=cut, color=color, clarity=clarity)
            for carat in (0.001, 0.2, 1.0, 5.0, 1000.0)
            for cut in CUTS
            for color in COLORS
            for clarity in CLARITIES
        ]
        prices = model.price(DiamondTable.from_diamonds(stones))
        assert np.isfinite(prices).all()
        assert (prices > 0).all()

    @pytest.mark.parametrize("unknown", [*MEASUREMENTS, "all"])
    def test_prices_stones_with_unknown_measurements(self, model: Model, unknown: str) -> None:
        rows = some_stones(50, seed=2).rows.copy()
        for name in MEASUREMENTS if unknown == "all" else [unknown]:
            rows[name] = np.nan
        prices = model.price(DiamondTable(rows))
        assert np.isfinite(prices).all()
        assert (prices > 0).all()

    def test_prices_a_stone_alone_as_among_others(self, model: Model) -> None:
        table = some_stones(40, seed=3)
        alone = [float(model.price(table[at : at + 1])[0]) for at in range(len(table))]
        np.testing.assert_allclose(model.price(table), alone, rtol=1e-6)

    def test_does_not_look_at_prices(self, model: Model) -> None:
        rows = some_stones(40, seed=4).rows.copy()
        before = model.price(DiamondTable(rows))
        rows["price"] = 1.0
        np.testing.assert_array_equal(model.price(DiamondTable(rows)), before)

    def test_is_shared_by_threads(self, model: Model) -> None:
        tables = [some_stones(30, seed=seed) for seed in range(8)]
        one_by_one = [model.price(table) for table in tables]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(model.price, tables))
        np.testing.assert_array_equal(one_by_one, together)


class ModelFamilyContract:
    """Inherit, and supply ``family``; it is fitted to made-up stones a few times.

    Give ``trials`` another value where the family takes long.
    """

    trials: int | None = 0

    @pytest.fixture
    def family(self) -> ModelFamily:
        raise NotImplementedError("supply the family under test")

    def fit(self, family: ModelFamily, table: DiamondTable, seed: int = 0) -> FittedModel:
        return family.fit(table, seed=seed, trials=self.trials, progress=no_progress)

    def test_has_a_name_that_can_begin_a_model_id(self, family: ModelFamily) -> None:
        assert family.name.isalnum()
        assert family.name == family.name.lower()

    def test_learns_prices_of_stones_it_has_not_seen(self, family: ModelFamily) -> None:
        fitted = self.fit(family, some_stones(600))
        unseen = some_stones(300, seed=9)
        error = np.abs(fitted.model.price(unseen) - unseen.price).mean()
        guess = np.abs(np.median(unseen.price) - unseen.price).mean()
        assert error < guess / 2

    def test_predicts_out_of_fold_for_every_stone(self, family: ModelFamily) -> None:
        table = some_stones(400)
        fitted = self.fit(family, table)
        for prices in (fitted.out_of_fold, fitted.out_of_fold_four_cs):
            assert prices.shape == (len(table),)
            assert np.isfinite(prices).all()
            assert (prices > 0).all()
        # A model's prices for stones that it has learned fit better than out-of-fold ones.
        learned = np.abs(fitted.model.price(table) - table.price).mean()
        assert learned < np.abs(fitted.out_of_fold - table.price).mean()

    def test_gives_the_same_model_for_the_same_seed(self, family: ModelFamily) -> None:
        table = some_stones(300)
        first, second = (self.fit(family, table).files[ONNX_FILE] for _ in range(2))
        assert first == second

    def test_tells_its_progress_in_shares(self, family: ModelFamily) -> None:
        told: list[tuple[str, float]] = []
        family.fit(
            some_stones(300),
            seed=0,
            trials=self.trials,
            progress=lambda doing, share: told.append((doing, share)),
        )
        assert told
        assert all(doing and 0.0 <= share <= 1.0 for doing, share in told)
