"""The XGBoost family: boosted trees on a linear model, with parameters tuned by Optuna."""
