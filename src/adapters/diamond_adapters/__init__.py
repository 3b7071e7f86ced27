"""Adapters of diamond_core's ports: sources, model families, repositories and request logs."""
