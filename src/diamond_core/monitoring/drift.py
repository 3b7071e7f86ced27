"""Drift: how far the stones that are priced have moved away from the training data.

The population stability index (PSI) of a field is the sum over its bins of (q - p) log(q / p), with
the shares p of the training stones and q of the priced ones. Without any change it is not zero: for
n training stones and m priced ones it is about (1 / n + 1 / m) times a chi-squared number with one
degree of freedom fewer than bins (Yurdakul, 2018, Statistical Properties of Population Stability
Index). Two things follow. The PSI that is reported is less by the mean of that noise. And a field
has drifted only if its PSI is above the limit and the change is also significant, by the PSI itself
or by the mean ridit, the rank of a value among the training stones (Bross, 1958): so a few stones
cause no false alarm, and of a million stones a trifle, however significant, is below the limit.

Repeated requests count once, so what counts is distinct stones. Many stones share their weight and
grades: of a million requests with the 4 Cs only, each common stone is left once, beside all rare ones.
So for these requests, the training data is reduced to as many distinct stones in the same way: of the
weights and grades that t training stones share, the share 1 - exp(-rate t) is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import exp, sqrt
from statistics import NormalDist
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.models.profile import Profile
from diamond_core.monitoring.hourly_counts import WindowCounts

MINIMUM_STONES: Final = 50
"""With fewer distinct stones, nothing is said to drift."""

_LEVEL: Final = 0.001
"""The probability of a false alarm, of all fields together."""
_SMOOTHING: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """What is tolerated.

    Attributes:
        psi: the maximum PSI of a field.
        outside: the maximum share of stones outside the training range.
        bias: the maximum bias of the champion's prices against those that were paid, as a share.
    """

    psi: float = 0.1
    outside: float = 0.05
    bias: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDrift:
    """The drift of one field, or of the price.

    Attributes:
        field: its name.
        psi: the PSI of the known values, less the mean of noise, at least zero.
        significant: whether noise can't explain the change.
        drifted: whether it has drifted: *psi* is above the limit, and significant.
        unknown: the share of priced stones without a value.
        unknown_in_training: the same of the training stones. A difference is no drift: many callers
            give the 4 Cs only, and models are scored for that too.
        edges: the inner edges of the bins; empty for a grade.
        requests, training: the share of known values in each bin.
    """

    field: str
    psi: float
    significant: bool
    drifted: bool
    unknown: float
    unknown_in_training: float
    edges: tuple[float, ...]
    requests: tuple[float, ...]
    training: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The stones that were priced in a window, beside the training data.

    Attributes:
        since: the beginning of the window.
        requests: the number of distinct stones.
        repeated: how often one of them had been priced before in the window; that does not count.
        fields: the drift of each field, then of the price.
        outside_training_range: the share of stones with a number outside the training range.
        outside_drifted: whether that is too many.
        price_level: the geometric mean of the predicted prices / that of the training prices.
        drifted: whether anything has drifted.
    """

    since: datetime
    requests: int
    repeated: int
    fields: tuple[FieldDrift, ...]
    outside_training_range: float
    outside_drifted: bool
    price_level: float | None
    drifted: bool

    @classmethod
    def of(
        cls, counts: WindowCounts, profile: Profile, since: datetime, limits: DriftLimits
    ) -> Self:
        """Compare the *counts* of a window with the *profile* of the training data."""
        training = _Training(profile, counts)
        fields = tuple(
            _field_drift(name, counts, profile, training.counts(name), limits.psi)
            for name in counts.bins
        )
        share = counts.outside / max(counts.stones, 1)
        noise = _z(1) * sqrt(limits.outside * (1.0 - limits.outside) / max(counts.stones, 1))
        outside_drifted = counts.stones >= MINIMUM_STONES and share > limits.outside + noise
        mean = counts.log_price / max(counts.stones, 1)
        return cls(
            since=since,
            requests=counts.stones,
            repeated=counts.repeated,
            fields=fields,
            outside_training_range=share,
            outside_drifted=outside_drifted,
            price_level=exp(mean - training.log_price) if counts.stones else None,
            drifted=outside_drifted or any(each.drifted for each in fields),
        )

    def alarms(self) -> Mapping[str, str]:
        """Return a sentence for each thing that has drifted, by the name of the field."""
        found = {
            each.field: f"{each.field} has drifted: its PSI is {each.psi:.2f}"
            for each in self.fields
            if each.drifted
        }
        if self.outside_drifted:
            share = f"{self.outside_training_range:.1%} of the stones"
            found["outside_training_range"] = f"{share} are outside the training range"
        return found


class _Training:
    """The training stones, with as many distinct ones without measurements as a window has."""

    def __init__(self, profile: Profile, window: WindowCounts) -> None:
        self._profile = profile
        self._four_cs = window.four_cs / max(window.stones, 1) if profile.four_cs else 0.0
        distinct = np.array([each.distinct for each in profile.four_cs])
        times = np.array([each.times for each in profile.four_cs])
        low, high = 1e-12, 1e3
        while high / low > 1.001:  # the number of distinct stones grows with the rate
            rate = sqrt(low * high)
            found = float((distinct * -np.expm1(-rate * times)).sum())
            low, high = (rate, high) if found < window.four_cs else (low, rate)
        self._shares = -np.expm1(-low * times)
        mixed = distinct * self._shares
        four_cs = [each.log_price for each in profile.four_cs]
        self.log_price = profile.log_price
        if self._four_cs:
            reduced = float(np.average(four_cs, weights=mixed))
            self.log_price += self._four_cs * (reduced - profile.log_price)

    def counts(self, name: str) -> NDArray[Any]:
        """Return the counts of a field's bins; as many as the training stones have."""
        counts = np.array(self._profile.counts[name])
        if not self._four_cs or name not in self._profile.four_cs[0].counts:
            return counts
        groups = np.array([each.counts[name] for each in self._profile.four_cs])
        reduced = self._shares @ groups
        reduced *= counts.sum() / reduced.sum()
        mixed: NDArray[Any] = (1.0 - self._four_cs) * counts + self._four_cs * reduced
        return mixed


def psi(training: NDArray[Any], priced: NDArray[Any]) -> float:
    """Return the PSI of two arrays of counts of the same bins.

    Each bin gets half a stone more, so that an empty one does not make it infinite.
    """
    p, q = (
        (counts + _SMOOTHING) / (counts.sum() + _SMOOTHING * len(counts))
        for counts in (training, priced)
    )
    return float(((q - p) * np.log(q / p)).sum())


def is_significant(training: NDArray[Any], priced: NDArray[Any], fields: int = 1) -> bool:
    """Return whether the shares of the bins differ by more than noise, for counts of both.

    The probability of a false alarm is at most 0.001 for so many *fields* together (Bonferroni).
    The quantile of the chi-squared distribution is that of Wilson and Hilferty (1931).
    """
    if len(training) < 2:
        return False
    unit, degrees = _unit(training, priced), len(training) - 1
    part = 2.0 / (9.0 * degrees)
    quantile = degrees * (1.0 - part + _z(2 * fields) * sqrt(part)) ** 3
    shares = training / training.sum()
    ridits = np.cumsum(shares) - shares / 2.0
    spread = float((shares * (ridits - 0.5) ** 2).sum())
    shift = abs(float((priced * ridits).sum() / priced.sum()) - 0.5)
    return psi(training, priced) > quantile * unit or shift > _z(4 * fields) * sqrt(spread * unit)


def _unit(training: NDArray[Any], priced: NDArray[Any]) -> float:
    """Return the mean of the PSI's noise for each degree of freedom."""
    return float(1.0 / training.sum() + 1.0 / priced.sum())


def _field_drift(
    name: str, counts: WindowCounts, profile: Profile, training: NDArray[Any], limit: float
) -> FieldDrift:
    priced = counts.bins[name]
    known = int(priced.sum())
    found, significant = 0.0, False
    if known and training.sum():
        noise = (len(training) - 1) * _unit(training, priced)
        found = max(psi(training, priced) - noise, 0.0)
        significant = is_significant(training, priced, len(counts.bins))
    return FieldDrift(
        field=name,
        psi=found,
        significant=significant,
        drifted=known >= MINIMUM_STONES and significant and found > limit,
        unknown=1.0 - known / max(counts.stones, 1),
        unknown_in_training=profile.unknown.get(name, 0.0),
        edges=profile.edges.get(name, ()),
        requests=_shares(priced),
        training=_shares(training),
    )


def _shares(counts: NDArray[Any]) -> tuple[float, ...]:
    return tuple((counts / max(counts.sum(), 1)).tolist())


def _z(fields: int) -> float:
    return NormalDist().inv_cdf(1.0 - _LEVEL / fields)
