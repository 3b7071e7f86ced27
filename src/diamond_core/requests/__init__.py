"""Exchanges, filters of exchanges, and the health of the request log."""
