"""The versions of the libraries that make a model."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version


def versions_of(*packages: str) -> dict[str, str]:
    """Return the versions of Python, numpy and those of *packages* that are installed."""
    versions = {"python": platform.python_version()}
    for name in sorted({"numpy", *packages}):
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
