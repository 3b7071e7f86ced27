"""The answers about drift; see ``responses``."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Self

import msgspec
from msgspec import Struct

from diamond_app.responses import MODEL_ID, TIME, described
from diamond_core.codec import to_plain
from diamond_core.stones.fields import GRADES

if TYPE_CHECKING:
    from diamond_core import DriftLimits, Monitoring


class FieldDrift(Struct, frozen=True, kw_only=True):
    """The stones that were priced beside the training data, for one field or for the price."""

    field: Annotated[str, described("The field; 'price' is the predicted price.", "carat")]
    psi: Annotated[
        float,
        described("The population stability index, less the mean of noise.", 0.03, ge=0),
    ]
    significant: Annotated[bool, described("Whether noise can't explain the change.", False)]
    drifted: Annotated[
        bool, described("Whether 'psi' is above 'psi_threshold', and significant.", False)
    ]
    unknown: Annotated[float, described("The share without a value.", 0.9)]
    unknown_in_training: Annotated[float, described("The same of the training stones.", 0.0)]
    bins: Annotated[
        list[str], described("The bins of values, by the order of values.", ["below 0.32"])
    ]
    requests: Annotated[list[float], described("The share of the stones in each bin.", [0.1, 0.9])]
    training: Annotated[list[float], described("The same of the training stones.", [0.2, 0.8])]


class RequestDay(Struct, frozen=True):
    """The requests of a day."""

    day: Annotated[str, described("Its beginning (UTC).", TIME, format="date-time")]
    requests: Annotated[int, described("All recorded requests.", 5120, ge=0)]
    client_errors: Annotated[int, described("Those answered with 4xx.", 12, ge=0)]
    server_errors: Annotated[int, described("Those answered with 5xx.", 0, ge=0)]


class Drift(Struct, frozen=True, kw_only=True):
    """How far the stones that are priced have moved away from the training data."""

    at: Annotated[str, described("When it was computed (UTC).", TIME, format="date-time")]
    since: Annotated[
        str, described("The beginning of the window, a whole hour.", TIME, format="date-time")
    ]
    model: Annotated[str, described("The champion, whose training data it is.", MODEL_ID)]
    requests: Annotated[int, described("Distinct stones that were priced.", 4900, ge=0)]
    repeated: Annotated[int, described("Repetitions of them, which do not count.", 220, ge=0)]
    fields: Annotated[list[FieldDrift], described("Each field, then the price.")]
    outside_training_range: Annotated[
        float, described("The share with a number outside the training range.", 0.004)
    ]
    psi_threshold: Annotated[float, described("The PSI that is tolerated.", 0.1)]
    outside_threshold: Annotated[float, described("The share that is tolerated.", 0.05)]
    price_level: Annotated[
        float | None,
        described("Mean predicted price / mean training price; null: no requests.", 1.04),
    ]
    drifted: Annotated[bool, described("Whether anything has drifted.", False)]
    alarms: Annotated[list[str], described("What has drifted, in one sentence each.", [])]
    days: Annotated[list[RequestDay], described("Requests and errors by day, oldest first.")]

    @classmethod
    def of(cls, found: Monitoring, since: datetime, limits: DriftLimits) -> Self:
        """Return the answer for the window from *since* until *found* was computed."""
        drift = found.drift(since, limits)
        first = drift.since.replace(hour=0)
        more = {
            "at": found.at.isoformat(),
            "model": found.model_id,
            "psi_threshold": limits.psi,
            "outside_threshold": limits.outside,
            "alarms": list(drift.alarms().values()),
            "fields": [
                to_plain(each) | {"bins": _bins(each.field, each.edges)} for each in drift.fields
            ],
            "days": to_plain([day for day in found.days if day.day >= first]),
        }
        return msgspec.convert(to_plain(drift) | more, cls)


def _bins(name: str, edges: tuple[float, ...]) -> list[str]:
    if name in GRADES:
        return [str(grade) for grade in GRADES[name].grades]
    if not edges:
        return ["all"]
    texts = [f"{edge:,.10g}" for edge in edges]
    between = [f"{low} - {high}" for low, high in pairwise(texts)]
    return [f"< {texts[0]}", *between, f"\N{GREATER-THAN OR EQUAL TO} {texts[-1]}"]
