"""Train a model of the history again, and compare the two."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from diamond_core.errors import NotReproducible, UnknownFamily
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.ports import ONNX_FILE, ModelFamily, Progress, StoneStore, no_progress
from diamond_core.stones.holdout import in_holdout
from diamond_core.stones.stone_records import StoneRecords
from diamond_core.use_cases.model_history import ModelHistory
from diamond_core.use_cases.train_models import TrainingConfig, fit_family
from diamond_core.use_cases.training_split import TrainingSplit
from diamond_core.use_cases.training_stones import TrainingStones, read_version
from diamond_core.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A model that was trained again.

    Attributes:
        card: the card of the first training.
        same: whether ``model.onnx`` is the same, byte for byte.
        libraries: the libraries whose versions differ: name -> the versions then and now, '' if
            it was or is not installed. Where they differ, another result is no surprise.
    """

    card: ModelCard
    same: bool
    libraries: Mapping[str, tuple[str, str]]


class ReproduceModel:
    """Gives back the rows that a model was trained on, and trains it again."""

    def __init__(
        self, families: Mapping[str, ModelFamily], history: ModelHistory, store: StoneStore
    ) -> None:
        self._families = families
        self._history = history
        self._store = store

    def rows(self, id: ModelId) -> StoneRecords:
        """Return every stone that the model was trained on, with its id, date and delivery.

        Raises:
            ModelNotFound, ModelDamaged: there is no such model, or its card can't be read.
            NotReproducible: it was not trained on the store of stones.
        """
        records, _ = read_version(self._store, _version_of(self._history.card(id)))
        return records[~in_holdout(records.table)]

    def __call__(self, id: ModelId, *, progress: Progress = no_progress) -> Reproduction:
        """Train the model again from the same version of the stones; nothing is stored.

        Raises:
            ModelNotFound, ModelDamaged: there is no such model, or its card can't be read.
            NotReproducible: it was not trained on the store of stones.
            UnknownFamily, FamilyFailed: its family is not installed, or failed.
        """
        card = self._history.card(id)
        version = _version_of(card)
        if card.family not in self._families:
            raise UnknownFamily(card.family, list(self._families))
        config = TrainingConfig(
            seed=card.seed,
            trials=card.trials,
            half_life=card.data.half_life,
            window=card.data.window,
        )
        progress("reading the stones", 0.0)
        stones = TrainingStones.from_store(self._store, version)
        split = TrainingSplit.of(stones, half_life=config.half_life, window=config.window)
        fitted = fit_family(self._families[card.family], split, config, progress)
        now = {**fitted.libraries, "diamond-core": __version__}
        then = {**card.libraries, "diamond-core": card.version}
        return Reproduction(
            card=card,
            same=hashlib.sha256(fitted.files.get(ONNX_FILE, b"")).hexdigest()
            == card.files.get(ONNX_FILE),
            libraries={
                name: (then.get(name, ""), now.get(name, ""))
                for name in sorted({*then, *now})
                if then.get(name) != now.get(name)
            },
        )


def _version_of(card: ModelCard) -> int:
    if card.data.version is None:
        raise NotReproducible(card.id)
    return card.data.version
