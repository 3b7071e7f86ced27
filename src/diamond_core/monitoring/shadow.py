"""The shadow: a model that prices what the champion prices; its prices are only recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Self

import numpy as np

from diamond_core.monitoring.changes import (
    COLUMNS,
    ChangedErrors,
    Changes,
    ErrorSums,
    change_columns,
    changes_of,
)

_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPrice:
    """The price that the shadow gives a stone, beside the price that was answered.

    Attributes:
        id: the prediction's id.
        priced_at: when the stone was priced, in UTC.
        model_id, price: who priced it, and the price that was answered, in USD.
        shadow_model_id, shadow_price: the shadow, and its price in USD.
    """

    id: str
    priced_at: datetime
    model_id: str
    price: float
    shadow_model_id: str
    shadow_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowComparison(Changes):
    """The prices of a shadow, compared with those of a model that was answered.

    Attributes:
        model_id: the model whose prices were answered: the old prices.
        shadow_model_id: the shadow: the new ones.
        since, until: when the first and the last of the stones were priced, in UTC.
        errors: the errors of both; None if no paid price is known.
    """

    model_id: str
    shadow_model_id: str
    since: datetime
    until: datetime
    errors: ChangedErrors | None

    def involves(self, model_id: str) -> bool:
        """Return whether the model or the shadow is *model_id*."""
        return model_id in (self.model_id, self.shadow_model_id)

    def verdict(self) -> str:
        """Return a sentence that says whose error is less, if that is more than noise."""
        errors = self.errors
        if errors is None:
            return "no price is known that was paid"
        some = f"{errors.outcomes:,} outcome{'' if errors.outcomes == 1 else 's'}"
        if not errors.is_significant:
            return f"on {some}, no difference of the errors is more than noise"
        better = self.shadow_model_id if errors.difference < 0 else self.model_id
        return f"the error of {better} is ${abs(errors.difference):,.2f} less, on {some}"

    @classmethod
    def of(cls, prices: Iterable[ShadowPrice], paid: Mapping[str, float]) -> tuple[Self, ...]:
        """Compare each pair of a model and a shadow, the one with the newest price first.

        The memory does not depend on the number of prices.

        Args:
            prices: the prices of any models and shadows.
            paid: the paid price in USD by the id of a prediction.
        """
        sums: dict[tuple[str, str], _Sums] = {}
        rest = iter(prices)
        while some := list(islice(rest, _AT_ONCE)):
            pairs: dict[tuple[str, str], list[ShadowPrice]] = {}
            for each in some:
                pairs.setdefault((each.model_id, each.shadow_model_id), []).append(each)
            for pair, group in pairs.items():
                sums.setdefault(pair, _Sums(paid)).add(group)
        found = [
            cls(
                model_id=model,
                shadow_model_id=shadow,
                since=each.since,
                until=each.until,
                errors=each.errors.result(),
                **changes_of(each.changes),
            )
            for (model, shadow), each in sums.items()
        ]
        return tuple(sorted(found, key=lambda each: each.until, reverse=True))


class _Sums:
    """Sums over the prices of one pair."""

    def __init__(self, paid: Mapping[str, float]) -> None:
        self.changes = np.zeros(COLUMNS)
        self.errors = ErrorSums(paid)
        self._times: tuple[datetime, ...] = ()

    @property
    def since(self) -> datetime:
        return self._times[0]

    @property
    def until(self) -> datetime:
        return self._times[1]

    def add(self, prices: list[ShadowPrice]) -> None:
        old = np.array([each.price for each in prices])
        new = np.array([each.shadow_price for each in prices])
        self.changes += np.stack(change_columns(old, new)).sum(axis=1)
        self.errors.add([each.id for each in prices], old, new)
        times = [*self._times, *(each.priced_at for each in prices)]
        self._times = min(times), max(times)
