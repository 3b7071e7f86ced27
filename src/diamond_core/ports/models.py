"""Models, model families and reports."""

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
"""The served file: the model as an ONNX graph."""

ESTIMATOR_FILE: Final = "estimator.joblib"
"""The file for data scientists: the pickled estimator. Loading it can run any code in it."""

REPORT_FILE: Final = "report.html"
"""The training report, one page."""


class Model(Protocol):
    """Prices stones. Threads can share it."""

    def price(self, stones: Stones) -> Floats:
        """Return a price in USD for each stone, shape (n,), finite and above zero.

        *stones* is a table or one ``Diamond``. A stone of any allowed weight and grades gets a
        price, even if all other fields are unknown. The same stone always gets the same price,
        alone or among others.
        """
        ...


ModelLoader = Callable[[memoryview, tuple[str, ...]], Model]
"""Returns the model from a file's bytes; it uses the given features, in this order.

Raises ``ValueError`` if the bytes are not a model that it may load.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """The result of a family's training.

    Attributes:
        model: the model in the form that is served.
        features: the fields of a stone that its graph uses, in the order of the columns.
        files: the files to store, by name; ``model.onnx`` is served: a graph from ``features``
            (float32, shape (n, len(features)), NaN = unknown) to ``price`` (USD).
        out_of_fold: for each training stone the price (USD, shape (n,)) from a model that was
            fitted without it, for unbiased price ranges.
        out_of_fold_four_cs: the same, from carat, cut, color and clarity alone.
        ordered: the names of those of the 4 Cs of which the family promises order: if no more is
            known of a stone, a better grade or a greater weight never lowers the price.
        ordered_measured: those of which it promises the same for stones with measurements.
        details: JSON values for the card: candidates with their scores, parameters.
        libraries: the versions of Python and of the packages that decide what ``model.onnx``
            contains, by name.
    """

    model: Model
    features: tuple[str, ...]
    files: Mapping[str, bytes]
    out_of_fold: Floats
    out_of_fold_four_cs: Floats
    ordered: tuple[str, ...] = ()
    ordered_measured: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)


class ModelFamily(Protocol):
    """A kind of model that can be trained."""

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
        """Train on all stones of *table*, whose prices are known.

        The same table, *weights*, *seed* and *trials* give the same ``model.onnx``. *trials* is the
        maximum number of trials in the parameter search; 0: use the defaults; None: the family
        decides. *weights* are the stones' weights in the training, shape (n,), above zero; None:
        all equal. *study* is the URL of a storage for the search, so that other processes can join
        it and it can be resumed; a family without a search ignores it.

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
        model: the model in the form that is served.
        stones: the training stones.
        evaluation: the model's evaluation on the hold-out.
        champion: the evaluation of the champion at that time on the same hold-out, or None.
        rejected: the rejected rows of the data.
    """

    card: ModelCard
    model: Model
    stones: DiamondTable
    evaluation: Evaluation
    champion: Evaluation | None
    rejected: Sequence[RejectedRow]


ReportWriter = Callable[[ReportInput], bytes]
"""Returns the page that is stored with the model as ``report.html``."""
