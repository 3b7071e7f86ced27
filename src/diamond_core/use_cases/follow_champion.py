"""Keep the champion at hand: load it, follow a new one, never serve a broken one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from diamond_core.errors import DiamondError, NoChampion, Unavailable
from diamond_core.models.model_card import ModelId
from diamond_core.use_cases.model_history import LoadedModel, ModelHistory

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class ChampionFollower:
    """The model that is served now. ``refresh`` follows the history; threads may share it.

    Args:
        history: the models.
        seconds: a clock that only goes forward.
    """

    def __init__(
        self, history: ModelHistory, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._history = history
        self._seconds = seconds
        self._served: LoadedModel | None = None
        self._damage: str | None = None
        self._outage: str | None = None
        self._number = 0
        self._candidates: list[ModelId] = []
        self._pause = 0.0
        self._next_try = 0.0
        self._lock = threading.Lock()

    def get(self) -> LoadedModel:
        """Return the model that is served now.

        Raises:
            NoChampion: no model could be loaded so far.
        """
        served = self._served
        if served is None:
            raise NoChampion(self.problem or "")
        return served

    @property
    def problem(self) -> str | None:
        """Why the model that is served is not the champion, or None if it is."""
        return self._outage or self._damage

    def refresh(self) -> bool:
        """Look for a new champion; load it, try it, then swap. Return whether it was swapped.

        Where the champion can't be loaded, ``problem`` says why, the previous model goes on, and
        where there is none, the latest earlier champion that is sound. A damaged champion is tried
        again with growing pauses, an outage at the next call.
        """
        with self._lock:
            before = self._served
            try:
                self._look()
                outage = self._load()
            except Unavailable as ex:
                outage = ex
            self._outage = None if outage is None else str(outage)
            swapped = self._served is not before
            if outage is not None and not swapped:
                self._next_try = 0.0  # an outage is no reason to wait
            return swapped

    def _look(self) -> None:
        """Note a new promotion: one look at the next number where there is none."""
        number = self._history.last_number(self._number)
        if number != self._number or not self._number:
            self._candidates = list(self._history.candidates())
            self._number = number
            self._pause = self._next_try = 0.0

    def _load(self) -> Unavailable | None:
        """Load the champion, or where nothing is served the first that can be; return an outage."""
        served = None if self._served is None else self._served.card.id
        if not self._candidates or served == self._candidates[0]:
            self._damage = None
            return None
        if self._seconds() < self._next_try:
            return None
        outage: Unavailable | None = None
        for id in self._candidates if served is None else self._candidates[:1]:
            try:
                self._served = self._history.load(id)
            except Unavailable as ex:
                outage = outage or ex  # an earlier champion may be within reach
            except DiamondError as ex:
                if id == self._candidates[0]:
                    self._damage = str(ex)
                    self._pause = min(max(self._pause * 2.0, _FIRST_PAUSE), _LONGEST_PAUSE)
                    self._next_try = self._seconds() + self._pause
            else:
                if id == self._candidates[0]:
                    self._damage = None
                break
        return outage
