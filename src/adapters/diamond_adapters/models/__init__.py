"""Served models, and the repository of models and promotions."""
