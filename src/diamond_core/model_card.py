"""All that is known of a trained model, and of who became champion when."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from diamond_core.diamond import LIMITS
from diamond_core.diamond_table import DiamondTable
from diamond_core.errors import InvalidModelId
from diamond_core.evaluation import Comparison, Metrics
from diamond_core.price_range import PriceRanges

_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ModelId(str):
    """A model's name: lower-case letters, digits and single hyphens, at most 80 characters."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if len(text) > 80 or _ID.fullmatch(text) is None:
            raise InvalidModelId(text)
        return super().__new__(cls, text)

    @classmethod
    def new(cls, family: str, at: datetime) -> Self:
        """Return a new id such as ``linear-20261123-142233-9f3a1c``."""
        return cls(f"{family}-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """What a model was trained on: where from, its digest, and how many rows went where."""

    source: str
    digest: str
    rows: int
    rejected: int
    training_rows: int
    holdout_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """All that is known of a trained model.

    Attributes:
        seconds: how long the training took.
        trials: how many tuning trials were asked for, or None for the family's own choice.
        metrics: errors on the hold-out, all measurements known.
        metrics_four_cs: the same with only carat, cut, color and clarity known.
        coverage: the share of hold-out prices inside the price range.
        coverage_by_quintile: the same for five equally large groups by actual price, the
            cheapest first.
        coverage_by_predicted_quintile: the same by predicted price.
        price_ranges: how the model's price ranges are made.
        training_range: field -> (least, most) among the training stones.
        data: what the model was trained on.
        comparison: against the champion of that day; None if there was none.
        details: what the family wants to tell: candidates with their scores, parameters.
        files: file name -> SHA-256; a file that differs is not loaded.
        version: the version of this library.
    """

    id: ModelId
    family: str
    created_at: datetime
    seed: int
    seconds: float
    trials: int | None = None
    metrics: Metrics
    metrics_four_cs: Metrics
    coverage: float
    coverage_by_quintile: tuple[float, ...] = ()
    coverage_by_predicted_quintile: tuple[float, ...] = ()
    price_ranges: PriceRanges
    training_range: Mapping[str, tuple[float, float]]
    data: DataSummary
    comparison: Comparison | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the card as plain JSON values; ``from_json`` reads it back."""
        return asdict(self) | {
            "id": str(self.id),
            "created_at": self.created_at.isoformat(),
            "coverage_by_quintile": list(self.coverage_by_quintile),
            "coverage_by_predicted_quintile": list(self.coverage_by_predicted_quintile),
            "price_ranges": self.price_ranges.to_json(),
            "training_range": {name: list(ends) for name, ends in self.training_range.items()},
            "details": dict(self.details),
            "files": dict(self.files),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a card back.

        Raises:
            KeyError, TypeError, ValueError: *values* is no card.
        """
        comparison = values["comparison"]
        return cls(
            **{
                **values,
                "id": ModelId(values["id"]),
                "created_at": datetime.fromisoformat(values["created_at"]),
                "metrics": Metrics(**values["metrics"]),
                "metrics_four_cs": Metrics(**values["metrics_four_cs"]),
                "coverage_by_quintile": tuple(values.get("coverage_by_quintile", ())),
                "coverage_by_predicted_quintile": tuple(
                    values.get("coverage_by_predicted_quintile", ())
                ),
                "price_ranges": PriceRanges.from_json(values["price_ranges"]),
                "training_range": {
                    name: (ends[0], ends[1]) for name, ends in values["training_range"].items()
                },
                "data": DataSummary(**values["data"]),
                "comparison": None if comparison is None else Comparison(**comparison),
            }
        )


def training_range(table: DiamondTable) -> dict[str, tuple[float, float]]:
    """Return the least and most of each number among *table*'s stones, where any is known."""
    ranges = {}
    for name in LIMITS:
        column = table.column(name)
        known = column[column == column]
        if len(known):
            ranges[name] = (float(known.min()), float(known.max()))
    return ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A model's becoming the champion: which, when, by whom and why."""

    model_id: ModelId
    at: datetime
    by: str
    reason: str
    previous: ModelId | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the promotion as plain JSON values; ``from_json`` reads it back."""
        return asdict(self) | {"at": self.at.isoformat()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a promotion back.

        Raises:
            KeyError, TypeError, ValueError: *values* is no promotion.
        """
        previous = values["previous"]
        return cls(
            **{
                **values,
                "model_id": ModelId(values["model_id"]),
                "at": datetime.fromisoformat(values["at"]),
                "previous": None if previous is None else ModelId(previous),
            }
        )
