"""What prices stones, and what learns to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from diamond_core.models.evaluation import Evaluation
from diamond_core.models.model_card import ModelCard
from diamond_core.ports.surroundings import Progress
from diamond_core.stones.cleaning import RejectedRow
from diamond_core.stones.diamond import Stones
from diamond_core.stones.diamond_table import DiamondTable, Floats

ONNX_FILE: Final = "model.onnx"
"""The file that is served: the model as an ONNX graph."""

ESTIMATOR_FILE: Final = "estimator.joblib"
"""The file for data scientists: the estimator, pickled. To load it runs whatever code it holds."""

REPORT_FILE: Final = "report.html"
"""The file of the training's report, one page."""


class Model(Protocol):
    """Something that prices stones. Threads may share it."""

    def price(self, stones: Stones) -> Floats:
        """Return a price in USD for each stone, shape (n,), finite and above zero.

        *stones* are a table, or one ``Diamond``. A stone of any allowed weight and grades gets a
        price, whatever else of it is unknown, and the same stone always the same price, alone or
        among others.
        """
        ...


ModelLoader = Callable[[memoryview, tuple[str, ...]], Model]
"""Returns the model in a file's bytes, which takes the given features in their order.

Raises ``FamilyFailed`` where the bytes make none.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """What a family returns from training.

    Attributes:
        model: prices stones as it will be served.
        features: the fields of a stone that its graph takes, in the order of the columns.
        files: what to keep, by file name; ``model.onnx`` is what is served: a graph from
            ``features`` (float32, shape (n, len(features)), NaN = unknown) to ``price`` (USD).
        out_of_fold: for each training stone the price (USD, shape (n,)) by a model that was
            fitted without it, for honest price ranges.
        out_of_fold_four_cs: the same, from carat, cut, color and clarity alone.
        details: JSON values worth showing: candidates with their scores, parameters.
    """

    model: Model
    features: tuple[str, ...]
    files: Mapping[str, bytes]
    out_of_fold: Floats
    out_of_fold_four_cs: Floats
    details: Mapping[str, Any] = field(default_factory=dict)


class ModelFamily(Protocol):
    """A way to learn prices from stones."""

    @property
    def name(self) -> str:
        """The family's name: lower-case letters and digits."""
        ...

    def fit(
        self,
        table: DiamondTable,
        *,
        seed: int,
        trials: int | None,
        weights: Floats | None,
        study: str | None,
        progress: Progress,
    ) -> FittedModel:
        """Learn from all of *table*, whose prices are known.

        The same table, *weights*, *seed* and *trials* give the same ``model.onnx``. *trials* bounds
        the search for better parameters: 0 takes the defaults, None the family's own choice.
        *weights* say how much each stone counts, shape (n,), above zero; None: all the same.
        *study* is the URL of a storage that keeps the search, so that others may join it and an
        interrupted one goes on; a family without a search ignores it.

        Raises:
            TooFewStones: *table* is too small for this family.
            FamilyFailed: the model could not be fitted or exported.
            InvalidUrl: *study* can't be used.
            Unavailable: the storage of the study failed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """One finished training, for a report.

    Attributes:
        card: the model's card, before its files have digests.
        model: prices stones as it will be served.
        stones: those that the model was trained on.
        evaluation: the model on the hold-out.
        champion: the champion of that day on the same hold-out, or None.
        rejected: the rows of the data that were left out.
    """

    card: ModelCard
    model: Model
    stones: DiamondTable
    evaluation: Evaluation
    champion: Evaluation | None
    rejected: Sequence[RejectedRow]


ReportWriter = Callable[[ReportInput], bytes]
"""Returns the page that is kept as ``report.html`` beside the model."""
