"""What was last computed about the requests, and is kept for those who ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from diamond_core.codec import decode, encode
from diamond_core.models.model_card import ModelId
from diamond_core.models.profile import Profile
from diamond_core.monitoring.drift import Drift, DriftLimits
from diamond_core.monitoring.hourly_counts import HourCounts
from diamond_core.monitoring.live_error import LiveErrors
from diamond_core.monitoring.shadow import ShadowComparison

_LIVE_WINDOW: Final = timedelta(weeks=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDay:
    """The requests of one day.

    Attributes:
        day: its beginning, in UTC.
        requests: the number of all requests that are recorded.
        client_errors, server_errors: how many of them were answered with 4xx and 5xx.
    """

    day: datetime
    requests: int
    client_errors: int
    server_errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The requests of the last weeks, counted.

    Attributes:
        at: when they were counted.
        since: the beginning of the first hour.
        model_id: the champion, with whose training data they are compared.
        profile: the profile of that data.
        hours: the counts of the stones that were priced by whatever model; see ``HourCounts``.
        days: the requests by day, oldest first.
        live: the errors of each model against the prices that were really paid.
        shadows: the prices of shadows, compared with those that were answered; the newest first.
        shadow_problem: why the shadow can't price, or ''.
    """

    at: datetime
    since: datetime
    model_id: ModelId
    profile: Profile
    hours: tuple[HourCounts, ...]
    days: tuple[RequestDay, ...]
    live: tuple[LiveErrors, ...] = ()
    shadows: tuple[ShadowComparison, ...] = ()
    shadow_problem: str = ""

    def live_of(self, model_id: str) -> LiveErrors | None:
        """Return the live errors of a model, or None if no price is known that was paid."""
        return next((each for each in self.live if each.model_id == model_id), None)

    def shadows_of(self, model_id: str) -> list[ShadowComparison]:
        """Return the comparisons in which a model or its shadow is *model_id*."""
        return [each for each in self.shadows if each.involves(model_id)]

    def bias_alarm(self, limits: DriftLimits) -> str:
        """Return a sentence if the champion's prices were too far from what was paid, or ''.

        The prices paid in the last four weeks count.
        """
        live = self.live_of(self.model_id)
        since = (self.at - _LIVE_WINDOW).date()
        return "" if live is None else live.bias_alarm(since, limits.bias)

    def drift(self, since: datetime, limits: DriftLimits) -> Drift:
        """Return the drift of the whole hours from *since* until ``at``."""
        first = max(self.since, since.replace(minute=0, second=0, microsecond=0))
        counts = HourCounts.sum(self.hours, self.profile, first)
        return Drift.of(counts, self.profile, first, limits)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return what a JSON text describes.

        Raises:
            ValueError: it is something else.
        """
        return decode(cls, text)

    def to_json(self) -> bytes:
        """Return it as JSON text; ``from_json`` reads it."""
        return encode(self)
