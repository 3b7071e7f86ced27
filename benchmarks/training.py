"""How well and how fast is XGBoost tuned here, against the usual notebook procedure?

The notebook's: prices as they are, 100 TPE trials, each fitted to 80 % of the training side and
scored on the rest, then a fit to the whole side with the best parameters. Both are trained on
the same stones and scored on the same others, side by side. CatBoost on log price (2,000
rounds, depth 6, rate 0.04) joins where it is installed.

    python benchmarks/training.py [--rows 5000] [--seeds 5] [--trials 100]

``--rows 0`` takes the whole bundled data set. Seconds are elapsed and of the processor: where
others use the machine, the second is the fairer one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import optuna
import xgboost as xgb
from sklearn.model_selection import train_test_split

from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.families.xgboost.family import XGBoostFamily
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import DiamondTable, ModelFamily, no_progress
from diamond_core.use_cases.read_stones import read_stones

Prices = np.ndarray
SEED = 42


def notebook(training: DiamondTable, test: DiamondTable, trials: int) -> Prices:
    features, prices = training.features(FEATURES), training.price
    fit_x, score_x, fit_y, score_y = train_test_split(
        features, prices, test_size=0.2, random_state=SEED
    )

    def regressor(parameters: dict) -> xgb.XGBRegressor:
        return xgb.XGBRegressor(random_state=SEED, **parameters)

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("reg_lambda", 1e-8, 10.0, log=True)
        trial.suggest_float("reg_alpha", 1e-8, 10.0, log=True)
        trial.suggest_float("colsample_bytree", 0.3, 1.0)
        trial.suggest_float("subsample", 0.4, 1.0)
        trial.suggest_float("learning_rate", 1e-3, 0.3, log=True)
        trial.suggest_int("n_estimators", 100, 1000)
        trial.suggest_int("max_depth", 3, 9)
        trial.suggest_int("min_child_weight", 1, 10)
        fitted = regressor(trial.params).fit(fit_x, fit_y)
        return float(np.abs(fitted.predict(score_x) - score_y).mean())

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(objective, n_trials=trials)
    return regressor(study.best_params).fit(features, prices).predict(test.features(FEATURES))


def prices_of(
    family: ModelFamily, training: DiamondTable, test: DiamondTable, trials: int | None
) -> Prices:
    fitted = family.fit(
        training, seed=0, trials=trials, weights=None, study=None, progress=no_progress
    )
    return fitted.model.price(test)


def ours(training: DiamondTable, test: DiamondTable, trials: int) -> Prices:
    return prices_of(XGBoostFamily(), training, test, trials)


def defaults(training: DiamondTable, test: DiamondTable, trials: int) -> Prices:
    return prices_of(XGBoostFamily(), training, test, 0)


def linear(training: DiamondTable, test: DiamondTable, trials: int) -> Prices:
    return prices_of(LinearFamily(), training, test, None)


def catboost(training: DiamondTable, test: DiamondTable, trials: int) -> Prices:
    from catboost import CatBoostRegressor

    regressor = CatBoostRegressor(
        iterations=2000, depth=6, learning_rate=0.04, verbose=0, random_seed=SEED,
        allow_writing_files=False,
    )  # fmt: skip
    regressor.fit(training.features(FEATURES), np.log(training.price))
    return np.exp(regressor.predict(test.features(FEATURES)))


@dataclass
class Score:
    mae: float
    elapsed: float
    processor: float


def measure(
    procedure: Callable[[DiamondTable, DiamondTable, int], Prices],
    training: DiamondTable,
    test: DiamondTable,
    trials: int,
) -> Score:
    elapsed, processor = time.perf_counter(), time.process_time()
    prices = procedure(training, test, trials)
    return Score(
        float(np.abs(prices - test.price).mean()),
        time.perf_counter() - elapsed,
        time.process_time() - processor,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000, help="sample size; 0 is all")
    parser.add_argument("--seeds", type=int, default=5, help="how many samples and splits")
    parser.add_argument("--trials", type=int, default=100)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    procedures = {"notebook": notebook, "diamond": ours, "defaults": defaults, "linear": linear}
    try:
        import catboost as _  # only to see whether it is there
    except ImportError:
        print("CatBoost is not installed: left out")
    else:
        procedures["catboost"] = catboost
    stones, _ = read_stones([bundled_source()])
    table = stones.table
    scores: dict[str, list[Score]] = {name: [] for name in procedures}
    print("MAE, elapsed seconds, seconds of the processor")
    print(f"{'seed':>4}  " + "  ".join(f"{name:>24}" for name in procedures))
    for seed in range(options.seeds):
        order = np.random.default_rng(seed).permutation(len(table))
        sample = order[: options.rows or len(table)]
        training, test = train_test_split(sample, test_size=0.2, random_state=SEED + seed)
        for name, procedure in procedures.items():
            scores[name].append(measure(procedure, table[training], table[test], options.trials))
        print(f"{seed:>4}  " + "  ".join(_shown(each[-1]) for each in scores.values()), flush=True)
    means = {
        name: Score(*np.mean([[s.mae, s.elapsed, s.processor] for s in each], axis=0))
        for name, each in scores.items()
    }
    print("mean  " + "  ".join(_shown(each) for each in means.values()))
    for name, each in means.items():
        if name != "notebook":
            print(
                f"{name}: error {each.mae / means['notebook'].mae - 1:+.1%}, elapsed time x "
                f"{each.elapsed / means['notebook'].elapsed:.2f}, processor time x "
                f"{each.processor / means['notebook'].processor:.2f} of the notebook's"
            )


def _shown(score: Score) -> str:
    return f"${score.mae:7.1f} {score.elapsed:6.1f}s {score.processor:6.1f}s".rjust(24)


if __name__ == "__main__":
    main()
