"""A batch is encoded from columns: the same bytes as from an object for each stone."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from histories import following
from hypothesis import example, given
from hypothesis import strategies as st

from diamond_app.price_responses import Prediction, Predictions
from diamond_app.responses import FieldError, encode
from diamond_core import FIELDS, DiamondTable, PriceDiamonds, PriceRanges
from diamond_core.stones.fields import OPTIONAL
from diamond_core.testing import a_card, some_stones

STONES = some_stones(400)
FEATURES = tuple(FIELDS)
CARD = a_card(
    "formula-1",
    features=FEATURES,
    training_range={"carat": (0.5, 1.5), "table": (55.0, 60.0)},
    price_ranges=PriceRanges.calibrate(STONES, STONES.price * 1.1, STONES.price * 1.2, FEATURES),
)


@pytest.fixture(scope="module")
def price_diamonds():
    return PriceDiamonds(following(CARD, STONES))


priced = st.tuples(st.integers(0, len(STONES) - 1), st.integers(0, 2 ** len(OPTIONAL) - 1))


@given(
    rows=st.lists(st.none() | priced, max_size=8),
    id=st.sampled_from(["18ea9846f04c237630ad568397b5eb71", 'a"b\\c\u00e9']),
)
@example(rows=[None, (1, 0), None, None, (2, 31), (3, 4), None], id="a")
def test_has_the_bytes_of_each_prediction_alone(price_diamonds, rows, id):
    good = [row for row in rows if row is not None]
    stones = STONES[np.array([at for at, _ in good], dtype=np.intp)].rows_of_today()
    for stone, (_, unknown) in zip(stones, good, strict=True):
        for bit, name in enumerate(OPTIONAL):
            if unknown >> bit & 1:
                stone[name] = np.nan
    table = DiamondTable(stones)
    left = iter(table)
    alone, wrong = [], {}
    for number, row in enumerate(rows):
        if row is None:
            alone.append(None)
            wrong[number] = [(f"/diamonds/{number}/cut", "is missing")]
        else:
            stone = next(left)
            one = price_diamonds.one(stone)
            alone.append(Prediction.of(one, f"{id}-{number}", stone.carat))
    errors = [FieldError(*each) for found in wrong.values() for each in found]
    together = Predictions.of(price_diamonds.many(table), id, wrong)
    assert encode(together) == encode(Predictions(alone, errors or msgspec.UNSET))
