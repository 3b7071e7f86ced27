"""The health of the spool: what waits in it, its size, and what needs attention."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.rows import time_of
from diamond_adapters.requests.shipper_state import ShipperState
from diamond_adapters.requests.spool_files import (
    DAMAGED,
    begun_at,
    files_in,
    last_row,
    reading,
    row_at,
    sizes,
)
from diamond_core import RequestLogHealth, Unavailable

_NEAR: Final = 0.8
_LITTLE_DISK: Final = 64 << 20
_RECENT_SECONDS: Final = 600.0
_LONG_SECONDS: Final = 15.0
_SILENT_SECONDS: Final = 10.0


def health_of(folder: Path, limit: int, losses: Losses) -> RequestLogHealth:
    """Return the health of the spool in *folder*, all its processes together."""
    state = ShipperState.read(folder)
    files = files_in(folder)
    pending, age = _waiting(state, files)
    silent = _silent(state, files)
    size = sum(size for _, size in sizes(folder))
    lost, lost_at = losses.read()
    letters = DeadLetters(folder)
    dead, damaged = 0, len(files_in(folder / DAMAGED)) + state.unreadable
    problems = [
        _shipper(silent),
        _database(state, pending, age),
        _room(state),
        _disk(folder),
        _losses(lost, lost_at),
    ]
    if size > limit * _NEAR:
        problems.append(
            f"the spool uses {size / limit:.0%} of its limit; when it is full, exchanges are lost"
        )
    try:
        dead = len(letters.ids())
    except Unavailable:
        problems.append("the dead letters can't be read")
    if dead:
        are = _count(dead, "exchange is a dead letter", "exchanges are dead letters")
        problems.append(f"{are}: the database refuses them; see: diamond requests dead-letters")
    if damaged:
        are = _count(damaged, "file of the spool can't be read", "files of the spool can't be read")
        problems.append(f"{are}; damaged ones are kept in {folder.name}/{DAMAGED}")
    return RequestLogHealth(
        pending=pending,
        oldest_age_seconds=age,
        bytes=size,
        limit=limit,
        shipped=state.shipped,
        lost=lost,
        dead_letters=dead,
        damaged=damaged,
        database_bytes=state.size,
        database_limit=state.limit,
        silent_seconds=silent,
        problem="; ".join(filter(None, problems)),
    )


def _waiting(state: ShipperState, files: list[Path]) -> tuple[int, float]:
    """Return the number of waiting exchanges, and the age of the oldest one in seconds."""
    pending, oldest = 0, 0.0
    for path in files:
        mark = state.marks.get(path.stem, 0)
        with suppress(OSError, sqlite3.Error, ValueError), reading(path) as connection:
            pending += max(0, last_row(connection) - mark)
            row = None if oldest else row_at(connection, mark + 1)
            if row is not None:
                oldest = time_of(row).timestamp()
    return pending, max(0.0, time.time() - oldest) if oldest else 0.0


def _silent(state: ShipperState, files: list[Path]) -> float:
    """Return for how many seconds no shipper has written its state while exchanges waited."""
    return max(0.0, time.time() - max(state.at, begun_at(files[0]))) if files else 0.0


def _shipper(silent: float) -> str:
    if silent < _SILENT_SECONDS:
        return ""
    return f"the process that moves exchanges to the database has not responded for {silent:.0f} s"


def _database(state: ShipperState, pending: int, age: float) -> str:
    waiting = _count(pending, "exchange waits in the spool", "exchanges wait in the spool")
    if state.problem:
        return f"the database of the request log accepts nothing; {waiting}"
    if age > _LONG_SECONDS:
        return f"the database of the request log is slow; {waiting}, the oldest for {age:.0f} s"
    return ""


def _room(state: ShipperState) -> str:
    if not state.limit or state.size < state.limit * _NEAR:
        return ""
    if state.size < state.limit:
        used = f"{state.size / state.limit:.0%}"
        return f"the request log uses {used} of its limit; when it is full, bodies are not kept"
    return "the request log is full: bodies are not kept; prune it, or raise its limit"


def _disk(folder: Path) -> str:
    with suppress(OSError):
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        if free < _LITTLE_DISK:
            return f"the disk of the spool has only {free >> 20} MiB left"
    return ""


def _losses(lost: int, lost_at: float) -> str:
    if not lost or time.time() - lost_at > _RECENT_SECONDS:
        return ""
    at = datetime.fromtimestamp(lost_at, UTC).strftime("%H:%M:%S UTC")
    were = _count(lost, "exchange was", "exchanges were")
    return f"{were} answered but could not be recorded, the last at {at}"


def _count(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
