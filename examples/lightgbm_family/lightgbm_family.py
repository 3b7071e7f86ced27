"""LightGBM as a model family of diamond-core: fit log prices, serve the trees as ONNX."""

from __future__ import annotations

import io
from typing import Any

import joblib
import numpy as np
from lightgbm import LGBMRegressor
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import TransformedTargetRegressor

from diamond_adapters.models.onnx_model import INPUT, OUTPUT, OnnxModel
from diamond_core import (
    ESTIMATOR_FILE,
    ONNX_FILE,
    DiamondTable,
    FittedModel,
    Progress,
    TooFewStones,
    folds,
)

FEATURES = ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z")
FOLDS = 5
MINIMUM_STONES = 100


class LightGbmFamily:
    """Gradient-boosted trees on log prices. It has no search: *trials* and *study* change nothing."""

    name = "lightgbm"

    def fit(
        self,
        table: DiamondTable,
        *,
        seed: int,
        trials: int | None,
        weights: np.ndarray | None,
        study: str | None,
        progress: Progress,
    ) -> FittedModel:
        if len(table) < MINIMUM_STONES:
            raise TooFewStones(len(table), MINIMUM_STONES)
        if weights is None:
            weights = np.ones(len(table))
        four_cs = table.four_cs()
        out_of_fold, out_of_fold_four_cs = np.empty(len(table)), np.empty(len(table))
        fold = folds(table, FOLDS, seed)
        for number in range(FOLDS):
            progress("cross-validating", number / (FOLDS + 1))
            held = fold == number
            estimator = fitted(table[~held], weights[~held], seed)
            out_of_fold[held] = estimator.predict(table[held].features(FEATURES))
            out_of_fold_four_cs[held] = estimator.predict(four_cs[held].features(FEATURES))
        progress("fitting all stones", FOLDS / (FOLDS + 1))
        estimator = fitted(table, weights, seed)
        graph = to_onnx(estimator.regressor_.booster_)
        file = io.BytesIO()
        joblib.dump(estimator, file)
        return FittedModel(
            model=OnnxModel(graph, FEATURES),
            features=FEATURES,
            files={ONNX_FILE: graph, ESTIMATOR_FILE: file.getvalue()},
            out_of_fold=out_of_fold,
            out_of_fold_four_cs=out_of_fold_four_cs,
            details={"parameters": estimator.regressor_.get_params()},
        )


def fitted(table: DiamondTable, weights: np.ndarray, seed: int) -> TransformedTargetRegressor:
    """Fit all stones twice: as they are, and as if only the 4 Cs were known."""
    features = np.vstack([each.features(FEATURES) for each in (table, table.four_cs())])
    trees = LGBMRegressor(
        n_estimators=300,
        learning_rate=0.05,
        num_leaves=31,
        random_state=seed,
        n_jobs=1,  # with the next two: the same trees on any machine
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )
    estimator = TransformedTargetRegressor(trees, func=np.log, inverse_func=np.exp)
    weights = np.tile(weights / weights.mean(), 2)
    return estimator.fit(features, np.tile(table.price, 2), sample_weight=weights)


def to_onnx(booster: Any) -> bytes:
    """Return the graph: features (n, 9) to prices in USD; the logarithm is undone inside."""
    nodes: dict[str, list[Any]] = {name: [] for name in NODE_ATTRIBUTES}
    leaves: dict[str, list[Any]] = {"treeids": [], "nodeids": [], "ids": [], "weights": []}

    def add(tree: int, node: dict[str, Any], place: int) -> int:
        """Add a node and all below it, numbered from *place*; return the next free number."""
        at, is_leaf = len(nodes["treeids"]), "leaf_value" in node
        row = [tree, place, 0, 0.0, "LEAF", 0, 0, 0]
        for column, value in zip(nodes.values(), row, strict=True):
            column.append(value)
        if is_leaf:
            for column, value in zip(
                leaves.values(), [tree, place, 0, node["leaf_value"]], strict=True
            ):
                column.append(value)
            return place + 1
        right = add(tree, node["left_child"], place + 1)
        nodes["modes"][at] = "BRANCH_LEQ"
        nodes["featureids"][at] = node["split_feature"]
        nodes["values"][at] = rounded_down(node["threshold"])
        nodes["truenodeids"][at], nodes["falsenodeids"][at] = place + 1, right
        nodes["missing_value_tracks_true"][at] = int(goes_left_if_unknown(node))
        return add(tree, node["right_child"], right)

    for tree, info in enumerate(booster.dump_model()["tree_info"]):
        add(tree, info["tree_structure"], 0)
    # The first tree holds the average. Added in float64 in the end, it costs the sum no digits.
    first = [at for at, tree in enumerate(leaves["treeids"]) if tree == 0]
    average = float(np.mean([leaves["weights"][at] for at in first]))
    for at in first:
        leaves["weights"][at] -= average
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        ["log_price"],
        domain="ai.onnx.ml",
        n_targets=1,
        **{f"nodes_{name}": values for name, values in nodes.items()},
        **{f"target_{name}": values for name, values in leaves.items()},
    )
    steps = [
        ensemble,
        helper.make_node("Cast", ["log_price"], ["exact"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["exact", "average"], ["whole"]),
        helper.make_node("Exp", ["whole"], ["column"]),
        helper.make_node("Reshape", ["column", "all"], [OUTPUT]),
    ]
    graph = helper.make_graph(
        steps,
        "lightgbm",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", len(FEATURES)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["n"])],
        [
            numpy_helper.from_array(np.array([-1]), "all"),
            numpy_helper.from_array(np.array([average]), "average"),
        ],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString(deterministic=True))


NODE_ATTRIBUTES = (
    *("treeids", "nodeids", "featureids", "values", "modes"),
    *("truenodeids", "falsenodeids", "missing_value_tracks_true"),
)


def rounded_down(threshold: float) -> float:
    """Return the largest float32 up to *threshold*: float32 features split there all the same."""
    nearest = np.float32(threshold)
    if float(nearest) > threshold:  # compared as float64, which numpy would not do by itself
        nearest = np.nextafter(nearest, np.float32(-np.inf))
    return float(nearest)


def goes_left_if_unknown(node: dict[str, Any]) -> bool:
    """Tell where LightGBM sends NaN: as learned, or as a zero where it met none in training."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(node["threshold"] >= 0.0)
