"""How a request log is doing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLogHealth:
    """How the request log is doing, all processes that share it together.

    Attributes:
        pending: exchanges that are kept and can't be found in the database yet.
        oldest_age_seconds: for how long the oldest of them has waited; 0 without any.
        bytes: what they take on the disk, without those that are set aside.
        limit: how much they may take; 0 where nothing ever waits.
        shipped: exchanges that reached the database.
        lost: exchanges that were answered and could not be kept.
        dead_letters: exchanges that the database refuses, set aside.
        damaged: files of exchanges that can't be read; what can be read of them is moved.
        silent_seconds: for how long what moves exchanges into the database has not been heard of,
            while there was something to move.
        problem: what needs attention, in a sentence or more; '' if nothing.
    """

    pending: int = 0
    oldest_age_seconds: float = 0.0
    bytes: int = 0
    limit: int = 0
    shipped: int = 0
    lost: int = 0
    dead_letters: int = 0
    damaged: int = 0
    silent_seconds: float = 0.0
    problem: str = ""
