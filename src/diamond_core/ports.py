"""What the core needs from outside. ``diamond_core.testing`` holds the contract of each port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, runtime_checkable

from diamond_core.cleaning import RawStones, RejectedRow
from diamond_core.diamond_table import DiamondTable, Floats
from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.model_card import ModelCard, ModelId, Promotion
from diamond_core.traffic import Traffic

Clock = Callable[[], datetime]
"""Returns the present time in UTC."""

Progress = Callable[[str, float], None]
"""Is told what is being done and which share of it (0 to 1) is done."""


def no_progress(doing: str, share: float) -> None:
    """Take no notice."""


class Model(Protocol):
    """Something that prices stones. Threads may share it."""

    def price(self, table: DiamondTable) -> Floats:
        """Return a price in USD for each stone, shape (n,), finite and above zero.

        Unknown measurements are NaN in *table*; a stone of any allowed weight and grades gets
        a price, and the same stone always the same, alone or among others. Prices in *table*
        are not looked at.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """What a family returns from training.

    Attributes:
        model: prices stones as it will be served.
        files: what to keep, by file name; ``model.onnx`` is what is served.
        out_of_fold: for each training stone the price (USD, shape (n,)) by a model that was
            fitted without it, for honest price ranges.
        out_of_fold_four_cs: the same, from carat, cut, color and clarity alone.
        details: JSON values worth telling: candidates with their scores, parameters.
    """

    model: Model
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
        self, table: DiamondTable, *, seed: int, trials: int | None, progress: Progress
    ) -> FittedModel:
        """Learn from all of *table*, whose prices are known.

        The same table, *seed* and *trials* give the same ``model.onnx``. *trials* bounds the
        search for better parameters: 0 takes the defaults, None the family's own choice.

        Raises:
            TooFewStones: *table* is too small for this family.
            FamilyFailed: the model could not be fitted or exported.
        """
        ...


@runtime_checkable
class TunableFamily(ModelFamily, Protocol):
    """A family that can keep its search for parameters outside, where others may join it."""

    def in_study(self, url: str) -> ModelFamily:
        """Return the same family with its searches kept in the storage at *url*.

        A search that was broken off goes on, several processes share the trials of one, and
        searches on other data or with another seed are kept apart.
        """
        ...


ONNX_FILE: Final = "model.onnx"
ESTIMATOR_FILE: Final = "estimator.joblib"


REPORT_FILE: Final = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One finished training, for a report.

    Attributes:
        card: the model's card, before its files have digests.
        model: prices stones as it will be served.
        stones: those that the model was trained on.
        holdout: those that it was scored on.
        rejected: the rows of the data that were left out.
        champion: the model that the card's ``comparison`` is about, or None.
    """

    card: ModelCard
    model: Model
    stones: DiamondTable
    holdout: DiamondTable
    rejected: Sequence[RejectedRow]
    champion: Model | None


ReportWriter = Callable[[Training], bytes]
"""Returns the page that is kept as ``report.html`` beside the model."""


class ModelRepository(Protocol):
    """The history of models, and which of them is the champion. Threads may share it."""

    def publish(self, card: ModelCard, fitted: FittedModel, samples: DiamondTable) -> ModelCard:
        """Add a model to the history, whole or not at all; return its card with file digests.

        *samples* are the training stones in the order of ``sorted_samples``.

        Raises:
            ModelExists: the card's id is taken.
            Unavailable: it could not be stored; the history is as before.
        """
        ...

    def cards(self) -> Sequence[ModelCard]:
        """Return the cards of all models, newest first."""
        ...

    def card(self, id: ModelId) -> ModelCard:
        """Return one model's card.

        Raises:
            ModelNotFound: there is no such model.
            ModelDamaged: its card can't be read.
        """
        ...

    def open(self, id: ModelId) -> Model:
        """Return the model, its files checked against its card.

        Raises:
            ModelNotFound: there is no such model.
            ModelDamaged: a file is missing or differs.
        """
        ...

    def samples(self, id: ModelId) -> DiamondTable:
        """Return the model's training stones in the order of ``sorted_samples``.

        Raises:
            ModelNotFound: there is no such model.
            ModelDamaged: the stones are missing or differ.
        """
        ...

    def promote(self, promotion: Promotion) -> None:
        """Make a model the champion and keep the promotion for good.

        Raises:
            ModelNotFound: there is no such model.
            Conflict: the champion is not ``promotion.previous`` any more.
            Unavailable: it could not be stored; the champion is as before.
        """
        ...

    def champion(self) -> ModelId | None:
        """Return the present champion, or None before the first promotion. Cheap."""
        ...

    def promotions(self) -> Sequence[Promotion]:
        """Return all promotions, oldest first."""
        ...

    def training(self, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
        """Keep others from training while the context lasts.

        Where another training holds it, call *waiting* once with a sentence that says who, and
        wait.
        """
        ...


class RequestLog(Protocol):
    """A record of every exchange with the service. Threads may share it."""

    def append(self, exchange: Exchange) -> None:
        """Keep the exchange for good: it survives a crash of this process.

        An exchange of a serial that is kept already changes nothing.

        Raises:
            Unavailable: the exchange was not kept.
        """
        ...

    def append_all(self, exchanges: Sequence[Exchange]) -> None:
        """Keep all the exchanges for good, in one go; those that are kept already change nothing.

        Raises:
            Refused: one of them can't be kept at any time; the others can, without it.
            Unavailable: some were not kept; to append all of them again is safe.
        """
        ...

    def latest(self, n: int) -> Sequence[Exchange]:
        """Return the last *n* exchanges, newest first, unchanged.

        Raises:
            Unavailable: the record can't be read.
        """
        ...

    def find(
        self,
        wanted: ExchangeFilter,
        *,
        limit: int,
        before: str | None = None,
        bodies: bool = True,
    ) -> Sequence[Exchange]:
        """Return up to *limit* of the exchanges that are *wanted*, newest first.

        *before* is the serial of the last exchange of the page before: what has come in
        meanwhile moves nothing. With *bodies* False the bodies are left empty, which is quick.

        Raises:
            Unavailable: the record can't be read.
        """
        ...


class RequestArchive(Protocol):
    """The whole record, to be counted, summed up and pruned. Threads may share it.

    It may lag behind what a ``RequestLog`` has kept by what is still on its way.
    """

    def count(self, wanted: ExchangeFilter) -> int:
        """Return how many exchanges are *wanted*.

        Raises:
            Unavailable: the record can't be read.
        """
        ...

    def traffic(self, wanted: ExchangeFilter) -> Sequence[Traffic]:
        """Return what went on in the exchanges that are *wanted*, by day and then by route.

        Raises:
            Unavailable: the record can't be read.
        """
        ...

    def prune(self, before: datetime, *, most: int) -> int:
        """Delete up to *most* of the exchanges that occurred *before*, the oldest first.

        Return how many were deleted: 0 when none is left. Others go on writing meanwhile.

        Raises:
            Unavailable: none was deleted.
        """
        ...


class DiamondSource(Protocol):
    """Where training stones come from."""

    @property
    def name(self) -> str:
        """What to call the source in messages and cards; holds no password."""
        ...

    def read(self) -> RawStones:
        """Return all rows there are now.

        Raises:
            SourceUnreadable: it can't be reached or is no table of stones.
        """
        ...
