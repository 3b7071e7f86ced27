"""One run of the pipeline, as it is kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from diamond_core.codec import decode, encode

RUNNING: Final = "running"
TRAINED: Final = "trained"
NOTHING_NEW: Final = "nothing new"
HELD: Final = "held"
FAILED: Final = "failed"
INTERRUPTED: Final = "interrupted"


def new_run_id(at: datetime) -> str:
    """Return a new id such as ``20261123-142233-9f3a1c``; ids sort by time."""
    return f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun:
    """What one run of the pipeline did.

    Attributes:
        outcome: ``running``; ``trained``; ``nothing new``; ``held``: a delivery waits for a person,
            the others were trained on; ``failed``; ``interrupted``: its process ended.
        by: who started it.
        code: the version of this library.
        settings: what decides the models: families, seed, trials, half-life and window.
        version: the version of the stones, None before the first delivery.
        made_by: the delivery that made this version: another store counts from 1 too.
        complete: whether all families were trained on this version and compared.
        deliveries: the id, source, status, reason and levels of each delivery that the run read.
        models: the ids of the models that were trained.
        champion: the id of the champion afterwards.
        promoted: whether the run changed the champion.
        problems: what failed, in one sentence each.
        drift: a sentence for each thing that has drifted from the training data, by its name.
        seconds: the duration of each step.
    """

    id: str
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str = RUNNING
    by: str = ""
    code: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    made_by: str = ""
    complete: bool = False
    deliveries: tuple[Mapping[str, Any], ...] = ()
    models: tuple[str, ...] = ()
    champion: str | None = None
    promoted: bool = False
    problems: tuple[str, ...] = ()
    drift: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return the run that a JSON text describes.

        Raises:
            ValueError: it describes no run.
        """
        return decode(cls, text)

    def to_json(self) -> bytes:
        """Return the run as JSON text; ``from_json`` reads it."""
        return encode(self)

    @property
    def held(self) -> list[Mapping[str, Any]]:
        """The deliveries that wait for a person."""
        return [each for each in self.deliveries if each["status"] == HELD]
