"""Train trees on a Dask cluster: each worker has some of the rows, and all grow the same trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import dask.array as da
import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from xgboost import dask as xgb_dask

from diamond_adapters.cluster.dask_engine import DaskEngine
from diamond_adapters.families.linear.design import Matrix
from diamond_adapters.families.xgboost.boost import TrainingRows, boosted_here
from diamond_adapters.families.xgboost.effort import VERY_MANY_STONES
from diamond_adapters.families.xgboost.trees import TREE_FEATURES, tree_features

_ROWS: Final = 100_000
"""How many rows are sent at a time, at most."""


def boosted_on(
    engine: DaskEngine, settings: Mapping[str, Any], rows: TrainingRows, rounds: int
) -> xgb.Booster:
    """Train on all workers, each with all of its threads.

    Bins and sums are those of all rows, but the sums are rounded, and rows are sampled, by worker: the
    trees are nearly those of a training alone. Up to ``VERY_MANY_STONES``, that is not worth its time
    or a model of its own: one worker trains the very same trees as alone.

    Raises:
        Unavailable: the cluster, or a part of it, is gone.
    """
    if len(rows.targets) <= VERY_MANY_STONES:
        (booster,) = engine.map(boosted_here, [settings], [engine.share(rows)], [rounds])
        return booster
    size = min(_ROWS, -(-len(rows.targets) // len(engine.workers)))
    parts = list(rows.parts(size))
    kept = engine.keep(_rows, *zip(*parts, strict=True))
    widths = [(len(targets),) for _, targets, _ in parts]
    columns = _array(engine, kept, 0, [(*width, len(TREE_FEATURES)) for width in widths])
    targets, importance = (_array(engine, kept, at, widths) for at in (1, 2))
    del parts, kept
    of_workers = {name: value for name, value in settings.items() if name != "nthread"}

    def train() -> xgb.Booster:
        with engine.client.as_current(), xgb.config_context(verbosity=0):
            data = xgb_dask.DaskQuantileDMatrix(
                engine.client, columns, targets, weight=importance, max_bin=settings["max_bin"]
            )
            trained = xgb_dask.train(engine.client, of_workers, data, rounds)
        booster: xgb.Booster = trained["booster"]
        return booster

    booster = engine.watched(train)
    booster.set_param({"nthread": 1})
    return booster


def _rows(
    features: NDArray[Any], targets: Matrix, importance: Matrix
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return some rows as XGBoost keeps them."""
    return tree_features(features), targets.astype(np.float32), importance.astype(np.float32)


def _array(
    engine: DaskEngine, kept: Sequence[Any], at: int, shapes: Sequence[tuple[int, ...]]
) -> Any:
    """Return one value of the *kept* parts as an array of the cluster."""
    blocks = [
        da.from_delayed(each.future, shape=shape, dtype=np.float32)
        for each, shape in zip(engine.keep(itemgetter(at), kept), shapes, strict=True)
    ]
    return da.concatenate(blocks)
