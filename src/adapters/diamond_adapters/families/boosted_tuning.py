"""The search for better parameters of boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from diamond_adapters.families.boosted_folds import BoostedFolds
from diamond_adapters.families.boosted_price import DEFAULTS, Parameters
from diamond_adapters.families.tuning_study import TuningStudy
from diamond_core.diamond_table import DiamondTable

SPACE_VERSION: Final = 2
"""Counts the changes of what a trial tries or how it is scored: each begins new studies."""

SPACE: Final[Mapping[str, FloatDistribution | IntDistribution]] = {
    "learning_rate": FloatDistribution(0.02, 0.15, log=True),
    "max_depth": IntDistribution(3, 9),
    "min_child_weight": FloatDistribution(0.5, 30.0, log=True),
    "subsample": FloatDistribution(0.4, 1.0),
    "colsample_bytree": FloatDistribution(0.4, 1.0),
    "lambda": FloatDistribution(1e-3, 30.0, log=True),
    "alpha": FloatDistribution(1e-4, 3.0, log=True),
}
_COARSE_BINS: Final = 64
_PATIENCE: Final = 10
_TEMPO: Final = 3.0
"""How much faster than the final model a trial learns: a third of the trees tell nearly as much."""
_TRIED: Final = 3
"""In so many of the folds, one by one: a trial that is poor so far is not tried in the next."""


def study_name(table: DiamondTable, seed: int) -> str:
    """Name the study of this search: other data, seed or space is another study."""
    return f"xgboost-{SPACE_VERSION}-{table.digest()}-{seed}"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of a search.

    Attributes:
        parameters: the best, or the defaults where none was better.
        history: for the card: each trial's number, state, score (USD) and parameters.
    """

    parameters: Parameters
    history: Sequence[Mapping[str, Any]]


def tune(
    table: DiamondTable,
    study: TuningStudy,
    *,
    trials: int,
    seed: int,
    told: Callable[[int], None],
) -> Tuned:
    """Return what *trials* trials found; the defaults are the first.

    A trial learns from coarsely binned stones whose measurements are known: quick, and fair
    to all. Its score is the mean, over three of the folds, of the mean absolute error in USD.
    """
    folds = BoostedFolds(table, seed=seed, twice=False, bins=_COARSE_BINS, patience=_PATIENCE)

    def objective(trial: optuna.Trial) -> float:
        parameters = {name: _suggest(trial, name) for name in SPACE}
        parameters["learning_rate"] *= _TEMPO
        errors: list[float] = []
        for number in range(_TRIED):
            errors += folds.errors(parameters, [number])
            trial.report(float(np.mean(errors)), number)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(errors))

    done = study.run(
        study_name(table, seed),
        objective,
        SPACE,
        first=DEFAULTS,
        trials=trials,
        seed=seed,
        told=told,
    )
    scored = [(each.value, each) for each in done if each.value is not None]
    best = min(scored, key=lambda each: each[0])[1].params if scored else DEFAULTS
    return Tuned(dict(best), [_told_of(trial) for trial in done])


def _suggest(trial: optuna.Trial, name: str) -> float | int:
    space = SPACE[name]
    if isinstance(space, IntDistribution):
        return trial.suggest_int(name, space.low, space.high)
    return trial.suggest_float(name, space.low, space.high, log=space.log)


def _told_of(trial: FrozenTrial) -> Mapping[str, Any]:
    reported = trial.intermediate_values
    mae = trial.value if trial.value is not None else reported.get(trial.last_step or 0)
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "cross_validated_mae": mae,
        "parameters": trial.params,
    }
