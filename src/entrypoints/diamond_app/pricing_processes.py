"""Price the parts of a file on all cores, in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Final, Self, TypeVar

from diamond_app.settings import Settings
from diamond_core import ModelId, PriceDiamonds, Unavailable

_Part = TypeVar("_Part")
_Priced = TypeVar("_Priced")

AHEAD: Final = 64
"""How many parts can be priced before the one that comes next in the file."""

_price_diamonds: PriceDiamonds | None = None
"""What this process prices with, if it is one of a pool."""


def cores() -> int:
    """Return how many cores this process can use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class PricingProcesses:
    """A ``PriceParts`` of this process and *others*, which all price with the same model.

    The others load it themselves, from the *settings*; until they have, this one prices alone. Use it
    in a ``with`` block. Of what is read ahead, at most ``AHEAD`` parts are in memory.

    Raises:
        Unavailable: a process has ended.
    """

    def __init__(self, settings: Settings, price_diamonds: PriceDiamonds, others: int) -> None:
        self._price_diamonds = price_diamonds.pinned()
        self._others = others
        # a copy of this process could inherit a lock that another thread holds
        context = multiprocessing.get_context("spawn")
        id = self._price_diamonds.card.id
        self._pool = ProcessPoolExecutor(others, context, _start, (settings, id))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __call__(
        self, price: Callable[[_Part, PriceDiamonds], _Priced], parts: Iterable[_Part]
    ) -> Iterator[_Priced]:
        waiting: deque[Future[_Priced]] = deque()
        with _ended_processes():
            for part in parts:
                if sum(not each.done() for each in waiting) < 2 * self._others:
                    waiting.append(self._pool.submit(_price, price, part))
                else:
                    here: Future[_Priced] = Future()
                    here.set_result(price(part, self._price_diamonds))
                    waiting.append(here)
                while waiting and (waiting[0].done() or len(waiting) > AHEAD):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


@contextmanager
def _ended_processes() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as ex:
        raise Unavailable("a process that prices has ended; perhaps there is no memory") from ex


def _start(settings: Settings, id: ModelId) -> None:
    """Load the model in a new process."""
    from diamond_app.container import build_container

    global _price_diamonds  # noqa: PLW0603  # a pool keeps nothing else for its processes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    _price_diamonds = PriceDiamonds(build_container(settings).history().load(id))


def _price(price: Callable[[Any, PriceDiamonds], Any], part: Any) -> Any:
    assert _price_diamonds is not None  # noqa: S101  # ``_start`` has set it
    return price(part, _price_diamonds)
