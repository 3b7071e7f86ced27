"""The trees' features in two groups, and the settings that keep each tree within one of them.

The first group are the 4 Cs, without constraints: these trees become part of a table. The second
are copies of the 4 Cs and the measurements: these trees are served, and with better grades their
sum never falls. If the groups shared a column, the branches of one tree could mix them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

Parameters = Mapping[str, float | int]
"""By XGBoost's names: learning_rate, max_depth, ..."""

OF_FOUR_CS: Final = (
    *("carat", "cut", "color", "clarity"),
    *("color_clarity", "all_grades", "weighted_grades", "worse_grade", "better_grade"),
)
OF_MEASURED: Final = (
    *("carat", "cut", "color", "clarity", "color_clarity", "worse_grade"),
    *("depth", "table", "x", "y", "z", "spread", "roundness", "height"),
)
TREE_FEATURES: Final = OF_FOUR_CS + OF_MEASURED
BINS: Final = 256

_RISING: Final = ("color", "clarity", "color_clarity", "worse_grade")
_HUBER_SLOPE: Final = 0.03
"""Above about 3 %, the loss is linear in the error, as in the mean absolute error."""


def four_cs_columns(features: NDArray[Any]) -> NDArray[np.float32]:
    """Return the columns of the first group, shape (n, 9), in the order of ``OF_FOUR_CS``."""
    carat, cut, color, clarity = np.asarray(features, dtype=np.float64)[:, :4].T
    both = color + clarity
    engineered = [both, both + cut, color + 1.6 * clarity]
    extremes = [np.minimum(color, clarity), np.maximum(color, clarity)]
    columns = [carat, cut, color, clarity, *engineered, *extremes]
    return np.column_stack(columns).astype(np.float32)


def measured_columns(features: NDArray[Any]) -> NDArray[np.float32]:
    """Return the columns of the second group, shape (n, 14), in the order of ``OF_MEASURED``.

    The spread is the cube of the mean diameter over that of a round brilliant of this weight and
    depth, up to a constant factor. Unlike logarithms, products and square roots are rounded the
    same everywhere, so the graph and this function agree exactly and take the same branches.
    """
    exact = np.asarray(features, dtype=np.float64)
    carat, cut, color, clarity, depth, table, x, y, z = exact.T
    area = x * y
    spread = area * np.sqrt(area) * depth / carat
    grades = [cut, color, clarity, color + clarity, np.minimum(color, clarity)]
    columns = [carat, *grades, depth, table, x, y, z, spread, x / y, z / x]
    return np.column_stack(columns).astype(np.float32)


def tree_features(features: NDArray[Any]) -> NDArray[np.float32]:
    """Return the columns that the trees split on, shape (n, 23), in the order of TREE_FEATURES."""
    return np.hstack([four_cs_columns(features), measured_columns(features)])


def booster_settings(
    parameters: Parameters, seed: int, bins: int, *, order_cut: bool
) -> dict[str, Any]:
    """Return all of XGBoost's settings.

    The second group may only rise with the grades of color and clarity; with *order_cut* also with
    those of cut.
    """
    rising = (*_RISING, "cut") if order_cut else _RISING
    first = len(OF_FOUR_CS)
    groups = [list(range(first)), list(range(first, len(TREE_FEATURES)))]
    signs = [0] * first + [int(name in rising) for name in OF_MEASURED]
    return {
        **parameters,
        "objective": "reg:pseudohubererror",
        "huber_slope": _HUBER_SLOPE,
        "tree_method": "hist",
        "max_bin": bins,
        "base_score": 0.0,
        "interaction_constraints": json.dumps(groups),
        "monotone_constraints": f"({','.join(map(str, signs))})",
        "seed": seed,
        "nthread": 1,
        "eval_metric": "mae",
        "verbosity": 0,
    }


def split_by_group(booster: xgb.Booster) -> tuple[xgb.Booster, xgb.Booster]:
    """Return the trees of the first and of the second group; both take ``TREE_FEATURES``.

    A tree without a split is a constant, and belongs to the first.
    """
    raw = json.loads(booster.save_raw("json"))
    trees = raw["learner"]["gradient_booster"]["model"]["trees"]
    of_first = [
        tree["left_children"][0] == -1 or tree["split_indices"][0] < len(OF_FOUR_CS)
        for tree in trees
    ]
    first, second = (
        _booster_of(
            raw, [t for t, is_first in zip(trees, of_first, strict=True) if is_first == kind]
        )
        for kind in (True, False)
    )
    return first, second


def _booster_of(raw: dict[str, Any], trees: list[Any]) -> xgb.Booster:
    """Return a booster with the settings of *raw* and the given trees."""
    booster = xgb.Booster({"nthread": 1})
    learner = raw["learner"]
    model = learner["gradient_booster"]["model"]
    changed = {
        **model,
        "trees": [{**tree, "id": number} for number, tree in enumerate(trees)],
        "tree_info": [0] * len(trees),
        "iteration_indptr": list(range(len(trees) + 1)),
        "gbtree_model_param": {**model["gbtree_model_param"], "num_trees": str(len(trees))},
    }
    gradient_booster = {**learner["gradient_booster"], "model": changed}
    whole = {**raw, "learner": {**learner, "gradient_booster": gradient_booster}}
    booster.load_model(bytearray(json.dumps(whole).encode()))
    booster.set_param({"nthread": 1})
    return booster
