"""Tables of prices and XGBoost's trees as one ONNX graph.

The features of the trees are computed in float64 and rounded to float32, as in training. A split
is as in XGBoost: left if the value is less than the threshold, both float32.
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np
import xgboost as xgb
from onnx import TensorProto, numpy_helper

from diamond_adapters.families.features import FEATURES, FOUR_CS, MEASUREMENTS
from diamond_adapters.families.onnx_graph import ML, Graph
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import PriceTables
from diamond_adapters.families.xgboost.trees import OF_FOUR_CS
from diamond_adapters.models.onnx_model import INPUT

_SUM: Final = 1
_NO_TRANSFORM: Final = 0
_LESS: Final = 1
"""How ``TreeEnsemble`` calls these: its attributes are numbers."""


def export(tables: PriceTables, booster: xgb.Booster, rule: PriceRule) -> bytes:
    """Return the graph: ``FEATURES`` (n, 9) float32 to prices (n,) float64 in USD.

    A stone without any measurement has the price of the first table; the others have the price of
    the second one and the trees of *booster*, all of the second group.
    """
    add = Graph(FEATURES)
    exact = add("Cast", INPUT, to=TensorProto.DOUBLE)

    def with_measurements() -> str:
        unknown = add("IsNaN", add.columns(INPUT, MEASUREMENTS))
        known = add("Cast", add("Not", unknown), to=TensorProto.DOUBLE)
        measured = add("ReduceMax", known, add.constant([1], np.int64), keepdims=1)
        logs = tables.add_to(add, exact, measured)
        if not booster.num_boosted_rounds():
            return logs
        of_trees = add("Cast", _trees(add, _columns(add, exact), booster), to=TensorProto.DOUBLE)
        counted = add("Mul", of_trees, measured)
        return add("Add", logs, add("Reshape", counted, add.constant([-1], np.int64)))

    value = add.choose(
        add.any_known(MEASUREMENTS), with_measurements, lambda: tables.add_to(add, exact)
    )
    rule.add_to(add, value, log_price=True)
    return add.serialized("xgboost")


def _columns(add: Graph, exact: str) -> str:
    """Compute the same as ``trees.measured_columns``, in the same order of operations."""
    carat, color, clarity, depth, x, y, z = (
        add.columns(exact, [name]) for name in ("carat", "color", "clarity", "depth", "x", "y", "z")
    )
    area = add("Mul", x, y)
    cubed = add("Mul", area, add("Sqrt", area))
    spread = add("Div", add("Mul", cubed, depth), carat)
    columns = [
        add.columns(exact, FOUR_CS),
        add("Add", color, clarity),
        add("Min", color, clarity),
        add.columns(exact, MEASUREMENTS),
        *(spread, add("Div", x, y), add("Div", z, x)),
    ]
    return add("Cast", add("Concat", *columns, axis=1), to=TensorProto.FLOAT)


def _trees(add: Graph, features: str, booster: xgb.Booster) -> str:
    """Add the sum of the leaves of the second group's trees, float32 of shape (n, 1).

    ``TreeEnsemble`` numbers the branches and the leaves of all trees apart. A tree that is a single
    leaf becomes a branch that leads to it on both sides.
    """
    raw = json.loads(booster.save_raw("json"))
    trees = raw["learner"]["gradient_booster"]["model"]["trees"]
    names = ("left_children", "right_children", "split_indices", "split_conditions", "default_left")
    starts = np.cumsum([0, *(len(tree["left_children"]) for tree in trees)])[:-1]
    left, right, feature, value, unknown_left = (
        np.concatenate([tree[name] for tree in trees]) for name in names
    )
    offset = np.repeat(starts, np.diff([*starts, len(left)]))
    is_leaf = left == -1
    alone = np.zeros(len(left), dtype=bool)
    alone[starts] = is_leaf[starts]
    is_branch = ~is_leaf | alone
    numbers = np.where(is_leaf, np.cumsum(is_leaf), np.cumsum(is_branch)) - 1
    children = {}
    for side, child in (("true", left), ("false", right)):
        at = np.where(alone, np.arange(len(left)), child + offset)[is_branch]
        children[f"nodes_{side}nodeids"] = numbers[at].tolist()
        children[f"nodes_{side}leafs"] = is_leaf[at].astype(int).tolist()
    split = np.where(alone, 0.0, value)[is_branch].astype(np.float32)
    columns = np.where(alone, 0, feature - len(OF_FOUR_CS))[is_branch]
    return add(
        "TreeEnsemble",
        features,
        domain=ML,
        aggregate_function=_SUM,
        n_targets=1,
        post_transform=_NO_TRANSFORM,
        tree_roots=(np.cumsum(is_branch) - 1)[starts].tolist(),
        nodes_featureids=columns.tolist(),
        nodes_splits=numpy_helper.from_array(split),
        nodes_modes=numpy_helper.from_array(np.full(len(split), _LESS, dtype=np.uint8)),
        nodes_missing_value_tracks_true=unknown_left[is_branch].astype(int).tolist(),
        leaf_targetids=[0] * int(is_leaf.sum()),
        leaf_weights=numpy_helper.from_array(value[is_leaf].astype(np.float32)),
        **children,
    )
