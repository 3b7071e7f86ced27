"""Tables of prices and XGBoost's trees as one ONNX graph.

The features of the trees are computed in float64 and rounded to float32, as in training. A split
is as in XGBoost: left if the value is less than the threshold, both float32.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xgboost as xgb
from onnx import TensorProto

from diamond_adapters.families.features import FEATURES, FOUR_CS, MEASUREMENTS
from diamond_adapters.families.onnx_graph import ML, Graph
from diamond_adapters.families.price_rule import PriceRule
from diamond_adapters.families.price_table import PriceTables
from diamond_adapters.families.xgboost.trees import OF_FOUR_CS
from diamond_adapters.models.onnx_model import INPUT


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
    """Add the sum of the leaves of the second group's trees, float32 of shape (n, 1)."""
    raw = json.loads(booster.save_raw("json"))
    trees = raw["learner"]["gradient_booster"]["model"]["trees"]
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("tree", "node", "feature", "value", "leaf", "yes", "no", "unknown_to_yes")
    }
    for number, tree in enumerate(trees):
        left = tree["left_children"]
        columns["tree"] += [number] * len(left)
        columns["node"] += range(len(left))
        columns["feature"] += tree["split_indices"]
        columns["value"] += tree["split_conditions"]  # of a leaf: its value
        columns["leaf"] += [child == -1 for child in left]
        columns["yes"] += left
        columns["no"] += tree["right_children"]
        columns["unknown_to_yes"] += tree["default_left"]
    leaf = np.array(columns["leaf"])
    tree_ids, node_ids = np.array(columns["tree"]), np.array(columns["node"])
    values = np.array(columns["value"], dtype=np.float32)
    return add(
        "TreeEnsembleRegressor",
        features,
        domain=ML,
        aggregate_function="SUM",
        n_targets=1,
        post_transform="NONE",
        nodes_treeids=tree_ids.tolist(),
        nodes_nodeids=node_ids.tolist(),
        nodes_featureids=np.where(leaf, 0, np.array(columns["feature"]) - len(OF_FOUR_CS)).tolist(),
        nodes_values=np.where(leaf, np.float32(0.0), values).tolist(),
        nodes_modes=["LEAF" if end else "BRANCH_LT" for end in leaf],
        nodes_truenodeids=np.where(leaf, 0, columns["yes"]).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, columns["no"]).tolist(),
        nodes_missing_value_tracks_true=np.where(leaf, 0, columns["unknown_to_yes"]).tolist(),
        target_treeids=tree_ids[leaf].tolist(),
        target_nodeids=node_ids[leaf].tolist(),
        target_ids=[0] * int(leaf.sum()),
        target_weights=values[leaf].tolist(),
    )
