"""Stones: their fields, one stone, a table of stones, cleaning, hold-out and similarity."""
