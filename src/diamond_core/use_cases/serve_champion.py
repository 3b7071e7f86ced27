"""Keep the champion at hand: load it, follow a new one, never serve a broken one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diamond_core.diamond import Clarity, Color, Cut, Diamond
from diamond_core.diamond_table import DiamondTable
from diamond_core.errors import DiamondError, ModelDamaged, NoChampion
from diamond_core.model_card import ModelCard, ModelId
from diamond_core.ports import Model, ModelRepository
from diamond_core.similarity import SimilarStones

SMOKE_TEST = DiamondTable.from_diamonds(
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


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that was loaded, checked and tried, with its card and its comparable stones."""

    card: ModelCard
    model: Model
    similar: SimilarStones


def load_for_serving(repository: ModelRepository, id: ModelId) -> ServedModel:
    """Load a model with all that serving needs, and price two stones with it.

    Raises:
        ModelNotFound: there is no such model.
        ModelDamaged: its files differ from its card, or it can't price.
    """
    card = repository.card(id)
    model = repository.open(id)
    samples = repository.samples(id)
    prices = model.price(SMOKE_TEST)
    if prices.shape != (len(SMOKE_TEST),) or not (np.isfinite(prices) & (prices > 0)).all():
        raise ModelDamaged(id, "it does not price two ordinary stones")
    return ServedModel(card, model, SimilarStones(samples))


class Champion:
    """The model that is served now. ``refresh`` follows the repository; threads may share it."""

    def __init__(self, repository: ModelRepository) -> None:
        self._repository = repository
        self._served: ServedModel | None = None
        self._refused: ModelId | None = None
        self._problem: str | None = None
        self._lock = threading.Lock()

    def get(self) -> ServedModel:
        """Return the model that is served now.

        Raises:
            NoChampion: no model could be loaded so far.
        """
        served = self._served
        if served is None:
            raise NoChampion
        return served

    @property
    def problem(self) -> str | None:
        """Why the model that is served is not the champion, or None if it is."""
        return self._problem

    def refresh(self) -> bool:
        """Look for a new champion; load it, try it, then swap. Return whether it was swapped.

        A champion that can't be loaded is refused once and told in ``problem``; the model of
        before goes on, and where there is none, the latest earlier champion that is sound.
        """
        with self._lock:
            try:
                wanted = self._repository.champion()
            except DiamondError as ex:
                self._problem = str(ex)
                return False
            if self._served is not None and self._served.card.id == wanted:
                self._problem = self._refused = None
                return False
            if wanted is None or wanted == self._refused:
                return False
            for id in self._worth_trying(wanted):
                try:
                    self._served = load_for_serving(self._repository, id)
                except DiamondError as ex:
                    if id == wanted:
                        self._refused, self._problem = id, str(ex)
                else:
                    if id == wanted:
                        self._refused = self._problem = None
                    return True
            return False

    def _worth_trying(self, wanted: ModelId) -> Iterator[ModelId]:
        """Yield the champion and, where nothing is served yet, earlier champions, latest first."""
        yield wanted
        if self._served is None:
            earlier = (promotion.model_id for promotion in self._repository.promotions())
            for id in dict.fromkeys(reversed(list(earlier))):
                if id != wanted:
                    yield id
