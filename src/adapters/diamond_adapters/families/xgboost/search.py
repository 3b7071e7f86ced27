"""The search for better parameters of boosted trees."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from diamond_adapters.engine import HERE, Engine
from diamond_adapters.families.weights import Weights
from diamond_adapters.families.xgboost.effort import USUAL
from diamond_adapters.families.xgboost.folds import BoostedFolds
from diamond_adapters.families.xgboost.regressor import defaults_for
from diamond_adapters.families.xgboost.study import run_study
from diamond_adapters.families.xgboost.trees import Parameters
from diamond_core.stones.diamond_table import DiamondTable

SPACE_VERSION: Final = 4
"""Increase it when the search space or the score changes: a new version starts new studies."""

_MAXIMUM_DEPTH: Final = 9
_COARSE_BINS: Final = 64
_EFFORT: Final = replace(USUAL, patience=10)
_SPEED: Final = 3.0
"""Factor of a trial's learning rate: a third of the trees are nearly as informative."""
_FOLDS_TRIED: Final = 3
"""The number of folds of a trial, one by one: a poor trial is pruned before the next fold."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The outcome of a search.

    Attributes:
        parameters: the best, or the defaults if none was better.
        history: each trial's number, state, score (USD) and parameters, for the card.
    """

    parameters: Parameters
    history: Sequence[Mapping[str, Any]]


def search(
    table: DiamondTable,
    weights: Weights,
    *,
    url: str | None,
    trials: int,
    seed: int,
    order_cut: bool = False,
    trials_done: Callable[[int], None],
    engine: Engine = HERE,
) -> SearchResult:
    """Return the result of *trials* trials in the study at *url*; the first tries the defaults.

    A trial is trained on coarsely binned stones with their measurements, for speed. Its score is
    the mean absolute error in USD, averaged over three of the folds.

    Raises:
        InvalidUrl, Unavailable: see ``run_study``.
    """
    folds = BoostedFolds(
        table,
        weights,
        seed=seed,
        also_four_cs=False,
        bins=_COARSE_BINS,
        effort=_EFFORT,
        order_cut=order_cut,
        engine=engine,
    )
    defaults = defaults_for(len(table))

    def objective(trial: optuna.Trial) -> float:
        parameters = _suggested(trial, max(_MAXIMUM_DEPTH, int(defaults["max_depth"])))
        parameters["learning_rate"] *= _SPEED
        errors: list[float] = []
        with closing(folds.errors(parameters, _FOLDS_TRIED)) as of_folds:
            for number, error in enumerate(of_folds):
                errors.append(error)
                trial.report(float(np.mean(errors)), number)
                if trial.should_prune():
                    raise optuna.TrialPruned
        return float(np.mean(errors))

    finished = run_study(
        url,
        study_name(table, weights, seed, order_cut=order_cut),
        objective,
        first=defaults,
        trials=trials,
        seed=seed,
        trials_done=trials_done,
    )
    complete = [trial for trial in finished if trial.state == TrialState.COMPLETE]
    best = min(complete, key=lambda trial: trial.values[0]).params if complete else defaults
    return SearchResult(dict(best), [_for_the_card(trial) for trial in finished])


def study_name(table: DiamondTable, weights: Weights, seed: int, *, order_cut: bool = False) -> str:
    """Return the study's name: it depends on the data, the weights, the seed and the space."""
    name = f"xgboost-{SPACE_VERSION}-{table.digest()}-{seed}{'-cut' if order_cut else ''}"
    if weights is None:
        return name
    return f"{name}-{hashlib.sha256(weights.tobytes()).hexdigest()[:16]}"


def _suggested(trial: optuna.Trial, depth: int) -> dict[str, float | int]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
        "max_depth": trial.suggest_int("max_depth", 3, depth),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.5, 30.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "colsample_bynode": trial.suggest_float("colsample_bynode", 0.4, 1.0),
        "lambda": trial.suggest_float("lambda", 1e-3, 30.0, log=True),
        "alpha": trial.suggest_float("alpha", 1e-4, 3.0, log=True),
    }


def _for_the_card(trial: FrozenTrial) -> Mapping[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "cross_validated_mae": trial.value,  # for a pruned trial: the last reported value
        "parameters": trial.params,
    }
