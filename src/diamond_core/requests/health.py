"""The health of a request log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLogHealth:
    """The health of the request log, for all processes that share it.

    Attributes:
        pending: the number of stored exchanges that are not in the database yet.
        oldest_age_seconds: the age of the oldest pending exchange; 0 if there is none.
        bytes: the size of the spool on disk, without dead letters and damaged files.
        limit: the maximum size of the spool; 0 if there is no spool.
        shipped: the number of exchanges that were moved to the database.
        lost: the number of exchanges that were answered but could not be recorded.
        dead_letters: the number of exchanges that the database refused.
        damaged: the number of files that can't be read completely; readable exchanges are moved.
        database_bytes: the size of the database, if it has a limit; else 0.
        database_limit: its maximum size; 0: no limit.
        silent_seconds: the time since the shipper last wrote its state, while exchanges waited.
        problem: what needs attention, in one or more sentences; '' if nothing does.
    """

    pending: int = 0
    oldest_age_seconds: float = 0.0
    bytes: int = 0
    limit: int = 0
    shipped: int = 0
    lost: int = 0
    dead_letters: int = 0
    damaged: int = 0
    database_bytes: int = 0
    database_limit: int = 0
    silent_seconds: float = 0.0
    problem: str = ""
