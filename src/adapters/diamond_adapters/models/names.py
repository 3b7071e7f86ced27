"""The names of promotions and shared files, in a folder and in an object store."""

from __future__ import annotations

import re
from typing import Final

is_promotion: Final = re.compile(r"[0-9]{6,18}\.json").fullmatch
is_shared: Final = re.compile(r"[0-9a-f]{64}\.npy").fullmatch


def promotion_name(number: int) -> str:
    """Return the name of a promotion; those of equal length sort like their numbers."""
    return f"{number:06}.json"


def shared_name(digest: str) -> str:
    """Return the name of the shared file with this SHA-256."""
    return f"{digest}.npy"
