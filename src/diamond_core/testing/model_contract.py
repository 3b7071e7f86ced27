"""The contracts of ``Model`` and ``ModelFamily``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from diamond_core.models.inversions import four_c_inversions, measured_inversions
from diamond_core.ports import ONNX_FILE, FittedModel, Model, ModelFamily, no_progress
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import UNKNOWN_GRADE, DiamondTable
from diamond_core.stones.fields import FIELDS, GRADES, OPTIONAL, Clarity, Color, Cut
from diamond_core.testing.samples import some_stones

_ALL_CARATS = np.concatenate(
    [[0.001, 0.05, 0.1, 0.15], np.arange(18, 520) / 100, [6, 8, 10, 20, 999]]
)
"""Ordinary weights in steps of 0.01 carat, and some beyond them."""


class ModelContract:
    """Inherit, and supply ``model``.

    Set ``ordered`` and ``ordered_measured`` to those of the 4 Cs of which the family promises order,
    see ``FittedModel``: then the model must have no inversion in them.
    """

    ordered: tuple[str, ...] = ()
    ordered_measured: tuple[str, ...] = ()

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
            for cut in Cut
            for color in Color
            for clarity in Clarity
        ]
        prices = model.price(DiamondTable.from_diamonds(stones))
        assert np.isfinite(prices).all()
        assert (prices > 0).all()

    @pytest.mark.parametrize("unknown", [*OPTIONAL, "all"])
    def test_prices_stones_with_unknown_measurements(self, model: Model, unknown: str) -> None:
        rows = some_stones(50, seed=2).rows_of_today()
        for name in OPTIONAL if unknown == "all" else [unknown]:
            rows[name] = UNKNOWN_GRADE if name in GRADES else np.nan
        prices = model.price(DiamondTable(rows))
        assert np.isfinite(prices).all()
        assert (prices > 0).all()

    def test_prices_a_stone_alone_as_among_others(self, model: Model) -> None:
        table = some_stones(40, seed=3)
        among_others = model.price(table)
        slices = [float(model.price(table[at : at + 1])[0]) for at in range(len(table))]
        np.testing.assert_allclose(slices, among_others, rtol=1e-6)
        alone = [float(model.price(stone)[0]) for stone in table]
        np.testing.assert_allclose(alone, among_others, rtol=1e-6)

    def test_is_never_cheaper_for_a_better_stone_where_order_is_promised(
        self, model: Model
    ) -> None:
        found = four_c_inversions(model.price, _ALL_CARATS)
        measured = measured_inversions(model.price, some_stones(5_000, seed=5))
        assert {name: found[name] for name in self.ordered} == dict.fromkeys(self.ordered, 0.0)
        assert [measured[name] for name in self.ordered_measured] == [0.0] * len(
            self.ordered_measured
        )

    def test_does_not_look_at_prices(self, model: Model) -> None:
        rows = some_stones(40, seed=4).rows_of_today()
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
    """Inherit, and supply ``family``; it is fitted to synthetic stones a few times.

    Set ``trials`` to another value if the family is slow.
    """

    trials: int | None = 0

    @pytest.fixture
    def family(self) -> ModelFamily:
        raise NotImplementedError("supply the family under test")

    def fit(self, family: ModelFamily, table: DiamondTable, **options: Any) -> FittedModel:
        usual: dict[str, Any] = {
            "seed": 0,
            "trials": self.trials,
            "weights": None,
            "study": None,
            "progress": no_progress,
        }
        return family.fit(table, **(usual | options))

    def test_has_a_name_that_can_begin_a_model_id(self, family: ModelFamily) -> None:
        assert family.name.isalnum()
        assert family.name == family.name.lower()

    def test_learns_prices_of_stones_it_has_not_seen(self, family: ModelFamily) -> None:
        fitted = self.fit(family, some_stones(600))
        unseen = some_stones(300, seed=9)
        error = np.abs(fitted.model.price(unseen) - unseen.price).mean()
        guess = np.abs(np.median(unseen.price) - unseen.price).mean()
        assert error < guess / 2

    def test_names_the_fields_that_its_model_takes(self, family: ModelFamily) -> None:
        features = self.fit(family, some_stones(300)).features
        assert features
        assert set(features) <= set(FIELDS)

    def test_predicts_out_of_fold_for_every_stone(self, family: ModelFamily) -> None:
        table = some_stones(400)
        fitted = self.fit(family, table)
        for prices in (fitted.out_of_fold, fitted.out_of_fold_four_cs):
            assert prices.shape == (len(table),)
            assert np.isfinite(prices).all()
            assert (prices > 0).all()
        # A model's errors on its training stones are lower than its out-of-fold errors.
        learned = np.abs(fitted.model.price(table) - table.price).mean()
        assert learned < np.abs(fitted.out_of_fold - table.price).mean()

    def test_keeps_the_order_that_it_promises(self, family: ModelFamily) -> None:
        fitted = self.fit(family, some_stones(600))
        found = four_c_inversions(fitted.model.price)
        measured = measured_inversions(fitted.model.price, some_stones(2_000, seed=9))
        broken = [name for name in fitted.ordered if found[name]]
        broken += [f"{name}, measured" for name in fitted.ordered_measured if measured[name]]
        assert not broken

    def test_gives_the_same_model_for_the_same_seed(self, family: ModelFamily) -> None:
        table = some_stones(300)
        first, second = (self.fit(family, table).files[ONNX_FILE] for _ in range(2))
        assert first == second

    def test_learns_more_from_stones_of_more_weight(self, family: ModelFamily) -> None:
        now, before = some_stones(400), some_stones(400, seed=1).rows_of_today()
        before["price"] *= 0.5
        table = DiamondTable.concatenate([now, DiamondTable(before)])
        weights = np.repeat([1.0, 0.001], 400)
        unseen = some_stones(200, seed=9)
        prices = self.fit(family, table, weights=weights).model.price(unseen)
        assert np.median(prices / unseen.price) > 0.9
        prices = self.fit(family, table, weights=weights[::-1]).model.price(unseen)
        assert np.median(prices / unseen.price) < 0.6

    def test_reports_its_progress_in_shares(self, family: ModelFamily) -> None:
        reported: list[tuple[str, float]] = []

        def progress(step: str, share: float) -> None:
            reported.append((step, share))

        self.fit(family, some_stones(300), progress=progress)
        assert reported
        assert all(step and 0.0 <= share <= 1.0 for step, share in reported)
