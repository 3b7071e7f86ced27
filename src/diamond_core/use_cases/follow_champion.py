"""Follow the champion: load it, switch to a new one, never serve a damaged one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from diamond_core.errors import DiamondError, ModelDamaged, NoChampion, Unavailable
from diamond_core.models.model_card import ModelId
from diamond_core.use_cases.model_history import LoadedModel, ModelHistory

_FIRST_PAUSE: Final = 1.0
_MAXIMUM_PAUSE: Final = 60.0
_CHECK_SECONDS: Final = 60.0
"""How often the files of the served model are checked, which takes 10 ms for 6 MB."""


class ChampionFollower:
    """The model that is served now. ``refresh`` follows the history; threads can share it.

    Args:
        history: the models.
        seconds: a monotonic clock.
    """

    def __init__(
        self, history: ModelHistory, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._history = history
        self._seconds = seconds
        self._served: LoadedModel | None = None
        self._damage: str | None = None
        self._loss: str | None = None
        self._outage: str | None = None
        self._number = 0
        self._candidates: list[ModelId] = []
        self._pause = 0.0
        self._next_try = self._next_check = 0.0
        self._lock = threading.Lock()

    def get(self) -> LoadedModel:
        """Return the model that is served now.

        Raises:
            NoChampion: no model is served.
        """
        served = self._served
        if served is None:
            raise NoChampion(self.problem or "")
        return served

    @property
    def problem(self) -> str | None:
        """What is wrong with the champion, or with the files of the served model; else None."""
        return self._outage or self._damage or self._loss

    def refresh(self) -> bool:
        """Check for a new champion; load it, test it, then swap. Return whether it was swapped.

        If the champion can't be loaded, ``problem`` says why. Then the previous model is still
        served or, if there is none, the latest earlier champion that can be loaded. A damaged
        champion is retried with growing pauses; after an outage, the next call retries.
        """
        with self._lock:
            before = self._served
            try:
                self._check()
                outage = self._load()
                self._check_files()
            except Unavailable as ex:
                outage = ex
            self._outage = None if outage is None else str(outage)
            swapped = self._served is not before
            if outage is not None and not swapped:
                self._next_try = 0.0  # retry at once after an outage
            return swapped

    def _check(self) -> None:
        """Check for a new promotion; if there is none, only the next number is read."""
        number = self._history.last_number(self._number)
        if number != self._number or not self._number:
            self._candidates = list(self._history.candidates())
            self._number = number
            self._pause = self._next_try = 0.0

    def _check_files(self) -> None:
        """Check the files of the served model, unless that was done a moment ago."""
        if self._served is None or self._seconds() < self._next_check:
            return
        card, self._loss = self._served.card, None
        try:
            self._history.check(card)
        except ModelDamaged as ex:
            self._loss = f"the model {card.id!r} is served, but can't be loaded again: {ex.detail}"
        self._next_check = self._seconds() + _CHECK_SECONDS

    def _load(self) -> Unavailable | None:
        """Load the champion, or if no model is served, the first that loads; return an outage."""
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
                outage = outage or ex  # an earlier champion may still be available
            except DiamondError as ex:
                if id == self._candidates[0]:
                    self._damage = str(ex)
                    self._pause = min(max(self._pause * 2.0, _FIRST_PAUSE), _MAXIMUM_PAUSE)
                    self._next_try = self._seconds() + self._pause
            else:
                self._loss, self._next_check = None, self._seconds() + _CHECK_SECONDS
                if id == self._candidates[0]:
                    self._damage = None
                break
        return outage
