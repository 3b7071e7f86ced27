"""Plugins of installed packages: adapters by URL scheme, families by name.

A package registers a plugin as an entry point; no change in this library is needed.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Final

from diamond_core import DiamondError, InvalidUrl

FAMILIES: Final = "diamond_core.families"
MODEL_REPOSITORIES: Final = "diamond_core.model_repositories"
REQUEST_LOGS: Final = "diamond_core.request_logs"
OUTCOME_LOGS: Final = "diamond_core.outcome_logs"
SHADOW_LOGS: Final = "diamond_core.shadow_logs"
STONE_SOURCES: Final = "diamond_core.stone_sources"
STONE_STORES: Final = "diamond_core.stone_stores"
_EXTRAS: Final = {
    "obstore": "s3",
    "dask": "cluster",
    "distributed": "cluster",
    "pyarrow": "cluster",
}
"""The extras other than ``train``, by the packages that only they install."""


def can_train() -> bool:
    """Return whether the extra ``train`` is installed."""
    return find_spec("sklearn") is not None


def why_not_loaded(error: Exception) -> str:
    """Return why a plugin can't be imported, with the command that helps if there is one."""
    if isinstance(error, ModuleNotFoundError) and (error.name in _EXTRAS or not can_train()):
        return not_installed(error)
    return f"it can't be loaded: {error}"


def not_installed(ex: ImportError) -> str:
    """Return the message that a package of an extra is missing."""
    extra = _EXTRAS.get(ex.name or "", "train")
    return f"{ex.name} is not installed; run: pip install 'diamond-core[{extra}]'"


def find(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of *group* by name; none is imported."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda p: p.name)}


def open_url(group: str, url: str, **options: object) -> Any:
    """Open *url* with the adapter for its scheme.

    An entry point of *group* has the scheme as its name, and is called with the URL and *options*.

    Raises:
        InvalidUrl: no adapter is installed for the scheme, it can't be imported, or it can't use
            the URL.
    """
    scheme, colon, _ = url.partition(":")
    scheme = scheme.lower()
    known = find(group)
    if not colon or scheme not in known:
        schemes = ", ".join(f"{name}:" for name in known)
        raise InvalidUrl(f"use a URL that begins with one of {schemes}")
    try:
        adapter = known[scheme].load()
    except Exception as ex:  # a plugin's import can raise anything
        raise InvalidUrl(f"the adapter for {scheme!r}: {why_not_loaded(ex)}") from ex
    try:
        return adapter(url, **options)
    except DiamondError:
        raise
    except Exception as ex:  # its text can contain a password
        raise InvalidUrl(
            f"the adapter for {scheme!r} can't use this URL ({type(ex).__name__})"
        ) from None
