"""Stores of stones."""
