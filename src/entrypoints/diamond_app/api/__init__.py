"""The HTTP service: its routes, errors, request log and pages."""
