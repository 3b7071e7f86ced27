"""The history of models: their cards, damage of their files, and promotions."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

import numpy as np

from diamond_core.codec import decode, encode
from diamond_core.errors import (
    Conflict,
    FamilyFailed,
    ModelDamaged,
    ModelFileNotFound,
    ModelNotFound,
    Unavailable,
)
from diamond_core.models.evaluation import Evaluation
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.models.promotion import Promotion
from diamond_core.models.support import Support
from diamond_core.ports import (
    ESTIMATOR_FILE,
    ONNX_FILE,
    REPORT_FILE,
    FittedModel,
    Model,
    ModelLoader,
    ModelRepository,
)
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import FIELDS, Clarity, Color, Cut
from diamond_core.stones.npy import from_npy, to_npy
from diamond_core.stones.similarity import SimilarStones, sorted_samples

CARD_FILE: Final = "card.json"
"""The name of a model's card among its files."""

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

SMOKE_TEST: Final = DiamondTable.from_diamonds(
    [
        Diamond(carat=0.5, cut=Cut.IDEAL, color=Color.D, clarity=Clarity.IF),
        Diamond(
            carat=1.0,
            cut=Cut.GOOD,
            color=Color.G,
            clarity=Clarity.SI1,
            depth=62.0,
            table=58.0,
            x=6.4,
            y=6.4,
            z=3.97,
        ),
    ]
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A loaded, checked and tested model, with its card, its training stones and their support."""

    card: ModelCard
    model: Model
    similar: SimilarStones
    support: Support

    @classmethod
    def of(cls, card: ModelCard, model: Model, samples: DiamondTable) -> Self:
        """Return a model with its training stones, in the order of ``sorted_samples``."""
        support = Support(samples, card.price_ranges.effects)
        return cls(card, model, SimilarStones(samples), support)

    def evaluated(self, holdout: DiamondTable) -> Evaluation:
        """Return its predictions for *holdout*."""
        prices = self.model.price(holdout)
        return Evaluation.of(holdout, prices, self.card.price_ranges, self.support.gaps(holdout))


class ModelHistory:
    """All trained models, in any ``ModelRepository``. Threads can share it.

    Every method raises ``Unavailable`` if the repository can't be reached.

    Args:
        repository: stores the bytes.
        load_graph: loads a model from an ONNX graph.
        load_estimator: loads a model without a graph from its pickled estimator. None: such models
            are not opened, because unpickling can run any code in the file.
    """

    def __init__(
        self,
        repository: ModelRepository,
        load_graph: ModelLoader,
        load_estimator: ModelLoader | None = None,
    ) -> None:
        self._repository = repository
        self._load_graph = load_graph
        self._load_estimator = load_estimator

    def publish(self, card: ModelCard, fitted: FittedModel, stones: DiamondTable) -> ModelCard:
        """Add a model to the history, completely or not at all; return its card with file digests.

        *stones* are its training stones. Models of the same ones share one file of them. It is
        stored first: hold the exclusive work ``TRAINING``, so that ``PruneModels`` does not take it
        for an unused one.

        Raises:
            ModelExists: the card's id is already used.
            FamilyFailed: a file's name is invalid, or the card's details are not JSON values.
        """
        for name in fitted.files:
            if _FILE_NAME.fullmatch(name) is None or name == CARD_FILE:
                raise FamilyFailed(card.family, f"a model can't have a file named {name!r}")
        samples = to_npy(sorted_samples(stones))
        digests = {name: _digest(data) for name, data in fitted.files.items()}
        card = replace(card, files=digests, samples=_digest(samples))
        files = {**fitted.files, CARD_FILE: encoded(card)}
        self._repository.share(card.samples, samples)
        self._repository.add(card.id, files)
        return card

    def ids(self) -> Sequence[ModelId]:
        """Return the ids of all models, in any order."""
        return self._repository.ids()

    def card(self, id: ModelId) -> ModelCard:
        """Return one model's card.

        Raises:
            ModelNotFound: the model does not exist.
            ModelDamaged: its card can't be read.
        """
        try:
            data = bytes(self._repository.read(id, CARD_FILE))
        except ModelFileNotFound:
            if id in self._repository.ids():
                raise ModelDamaged(id, f"it has no {CARD_FILE}") from None
            raise ModelNotFound(id) from None
        try:
            card = decode(ModelCard, data)
        except ValueError as ex:
            raise ModelDamaged(id, f"{CARD_FILE} is not a valid model card ({ex})") from ex
        if card.id != id:
            raise ModelDamaged(id, f"{CARD_FILE} belongs to {card.id}")
        return card

    def cards(self) -> Sequence[ModelCard]:
        """Return all readable cards, newest first."""
        return self.cards_and_problems()[0]

    def cards_and_problems(self) -> tuple[list[ModelCard], dict[ModelId, str]]:
        """Return the readable cards, newest first, and for each other model what is wrong."""
        cards: list[ModelCard] = []
        problems: dict[ModelId, str] = {}
        unreachable: dict[ModelId, Unavailable] = {}
        for id in self._repository.ids():
            try:
                cards.append(self.card(id))
            except ModelDamaged as ex:
                problems[id] = ex.detail
            except ModelNotFound:
                continue  # removed meanwhile
            except Unavailable as ex:
                unreachable[id] = ex
        for id, outage in unreachable.items():
            if not cards and not problems:
                raise outage
            problems[id] = f"it can't be reached now: {outage}"
        cards.sort(key=lambda card: (card.created_at, card.id), reverse=True)
        return cards, problems

    def problems(self) -> Mapping[ModelId, str]:
        """Return what is wrong with models; every file is checked against its card."""
        cards, problems = self.cards_and_problems()
        sound: set[str] = set()
        for card in cards:
            try:
                for name in card.files:
                    self._checked(card, name)
                if card.samples not in sound:
                    self._checked_samples(card)
                    sound.add(card.samples)
            except ModelDamaged as ex:
                problems[card.id] = ex.detail
        return problems

    def check(self, card: ModelCard) -> None:
        """Check that the files that are served are still those of *card*.

        Raises:
            ModelDamaged: a file is missing or differs.
        """
        try:
            now = self.card(card.id)
        except ModelNotFound:
            raise ModelDamaged(card.id, "all its files are missing") from None
        if now != card:
            raise ModelDamaged(card.id, f"{CARD_FILE} was changed")
        self._checked(card, _served_file(card))
        self._checked_samples(card)

    def open(self, card: ModelCard) -> Model:
        """Return the model; its file is checked against its card.

        Raises:
            ModelDamaged: a file is missing or differs, or the model can't be served.
        """
        unknown = [name for name in card.features if name not in FIELDS]
        if unknown:
            raise ModelDamaged(card.id, f"it uses {', '.join(unknown)}, unknown to this version")
        name = _served_file(card)
        load = self._load_graph if name == ONNX_FILE else self._load_estimator
        if load is None or name not in card.files:
            reason = f"it has no {ONNX_FILE}"
            if name in card.files:
                reason += f", and the settings do not allow loading its {ESTIMATOR_FILE}"
            raise ModelDamaged(card.id, reason)
        data = self._checked(card, name)
        with _damage_of(card.id, f"{name} can't be loaded"):
            return load(data, card.features)

    def samples(self, card: ModelCard) -> DiamondTable:
        """Return the model's training stones in the order of ``sorted_samples``.

        Raises:
            ModelDamaged: the stones are missing or differ.
        """
        data = self._checked_samples(card)
        with _damage_of(card.id, f"its samples {card.samples} can't be read"):
            return from_npy(data)

    def load(self, id: ModelId) -> LoadedModel:
        """Load a model for serving, and test it on two stones.

        Raises:
            ModelNotFound: the model does not exist.
            ModelDamaged: its files differ from its card, or it can't price stones.
        """
        card = self.card(id)
        model = self.open(card)
        samples = self.samples(card)
        with _damage_of(id, "it fails to price two ordinary stones"):
            loaded = LoadedModel.of(card, model, samples)
            prices = model.price(SMOKE_TEST)
            if prices.shape != (len(SMOKE_TEST),) or not (np.isfinite(prices) & (prices > 0)).all():
                raise ModelDamaged(id, "it does not price two ordinary stones")
            card.price_ranges.of_table(SMOKE_TEST, prices, loaded.support.gaps(SMOKE_TEST))
            for stone, price in zip(SMOKE_TEST, prices.tolist(), strict=True):
                card.price_ranges.of(stone, price, loaded.support.gap(stone))
        return loaded

    def report(self, id: ModelId) -> bytes:
        """Return the model's training report.

        Raises:
            ModelNotFound: the model does not exist, or it has no report.
            ModelDamaged: the report differs from the published one.
        """
        card = self.card(id)
        if REPORT_FILE not in card.files:
            raise ModelFileNotFound(id, REPORT_FILE)
        return bytes(self._checked(card, REPORT_FILE))

    def copy(self, id: ModelId, to: ModelHistory) -> None:
        """Add the model to another history, byte for byte; it is not promoted there.

        Like ``publish``, it stores the shared file first.

        Raises:
            ModelNotFound: the model does not exist.
            ModelDamaged: one of its files is missing or differs; nothing was added.
            ModelExists: the other history has a model with this id.
        """
        card = self.card(id)
        files = {name: bytes(self._checked(card, name)) for name in card.files}
        files[CARD_FILE] = bytes(self._repository.read(id, CARD_FILE))
        samples = bytes(self._checked_samples(card))
        to._repository.share(card.samples, samples)
        to._repository.add(id, files)

    def location(self, id: ModelId, name: str = CARD_FILE) -> str:
        """Return where a file of the model is stored, for users."""
        return self._repository.location(id, name)

    def promotions(self) -> Sequence[Promotion]:
        """Return all promotions, oldest first; those that can't be read are skipped."""
        return _readable(self._repository.promotions())

    def champion(self) -> ModelId | None:
        """Return the id of the model that was promoted last, or None before the first promotion."""
        promotions = self.promotions()
        return promotions[-1].model_id if promotions else None

    def candidates(self) -> Sequence[ModelId]:
        """Return the ids of the promoted models, the last first: the first that loads is served."""
        promoted = (promotion.model_id for promotion in reversed(self.promotions()))
        return list(dict.fromkeys(promoted))

    def serving(self) -> LoadedModel | None:
        """Return the model that a service which starts now would serve, or None if there is none."""
        for id in self.candidates():
            try:
                return self.load(id)
            except (ModelNotFound, ModelDamaged):
                continue
        return None

    def last_number(self, after: int = 0) -> int:
        """Return the number of the last promotion above *after*, else *after*. Cheap."""
        records = self._repository.promotions(after)
        return records[-1][0] if records else after

    def promote(
        self,
        id: ModelId,
        *,
        previous: ModelId | None,
        at: datetime,
        by: str,
        reason: str,
        rolled_back: bool = False,
    ) -> Promotion:
        """Promote a model to champion if *previous* is the champion now, and store the promotion.

        Raises:
            ModelNotFound: the model does not exist.
            ModelDamaged: its card can't be read.
            Conflict: another model was promoted meanwhile.
        """
        self.card(id)
        records = self._repository.promotions()
        promotions = _readable(records)
        present = promotions[-1].model_id if promotions else None
        if present != previous:
            raise Conflict(f"the champion is now {present}, not {previous}")
        promotion = Promotion(
            number=records[-1][0] + 1 if records else 1,
            model_id=id,
            at=at,
            by=by,
            reason=reason,
            previous=previous,
            rolled_back=rolled_back,
        )
        self._repository.promote(promotion.number, encode(promotion))
        return promotion

    def _checked(self, card: ModelCard, name: str) -> memoryview:
        """Return the bytes of a file, which must be the published ones."""
        if _FILE_NAME.fullmatch(name) is None:
            raise ModelDamaged(card.id, f"its card names a file {name!r}")
        try:
            data = self._repository.read(card.id, name)
        except ModelFileNotFound:
            raise ModelDamaged(card.id, f"{name} is missing") from None
        if _digest(data) != card.files.get(name):
            raise ModelDamaged(
                card.id, f"{name} is not the file that was trained (SHA-256 differs)"
            )
        return data

    def _checked_samples(self, card: ModelCard) -> memoryview:
        """Return the bytes of the shared file of its stones, which must be the published ones."""
        if _DIGEST.fullmatch(card.samples) is None:
            raise ModelDamaged(card.id, f"its card names the samples {card.samples!r}")
        data = self._repository.read_shared(card.samples)
        if data is None:
            raise ModelDamaged(card.id, f"its samples {card.samples} are missing")
        if _digest(data) != card.samples:
            raise ModelDamaged(
                card.id, f"its samples {card.samples} were changed (SHA-256 differs)"
            )
        return data


def _digest(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _served_file(card: ModelCard) -> str:
    return ONNX_FILE if ONNX_FILE in card.files else ESTIMATOR_FILE


@contextmanager
def _damage_of(id: ModelId, what: str) -> Iterator[None]:
    """Turn any error about a file into ``ModelDamaged``, except an outage."""
    try:
        yield
    except (ModelDamaged, Unavailable):
        raise
    except Exception as ex:  # a file can contain anything
        cause = " ".join(str(ex).split()) or type(ex).__name__
        raise ModelDamaged(id, f"{what} ({cause})") from ex


def encoded(card: ModelCard) -> bytes:
    """Return the card as it is stored.

    Raises:
        FamilyFailed: the family's details are not JSON values.
    """
    try:
        return encode(card)
    except (TypeError, ValueError) as ex:
        raise FamilyFailed(card.family, f"its details are not JSON values ({ex})") from ex


def _readable(records: Sequence[tuple[int, bytes]]) -> list[Promotion]:
    promotions = []
    for number, data in records:
        try:
            promotions.append(replace(decode(Promotion, data), number=number))
        except ValueError as ex:
            _log.warning("promotion %d can't be read: %s", number, ex)
    return promotions
