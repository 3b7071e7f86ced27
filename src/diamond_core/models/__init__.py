"""Trained models: their cards, errors, price ranges and promotions."""
