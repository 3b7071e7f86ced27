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
from typing import Any, Self, TypeVar

from diamond_app.settings import Settings
from diamond_core import ModelId, PriceDiamonds, Unavailable

_Part = TypeVar("_Part")
_Priced = TypeVar("_Priced")

_price_diamonds: PriceDiamonds | None = None
"""What this process prices with, if it is one of a pool."""


def cores() -> int:
    """Return how many cores this process can use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class PricingProcesses:
    """A ``PriceParts`` of *count* processes, which price with the model *id*.

    They load it themselves, from the *settings*. Use it in a ``with`` block. At most four parts for
    each process are in memory.

    Raises:
        Unavailable: a process has ended.
    """

    def __init__(self, settings: Settings, id: ModelId, count: int) -> None:
        self._count = count
        # a copy of this process could inherit a lock that another thread holds
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(count, context, _start, (settings, id))

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
                waiting.append(self._pool.submit(_price, price, part))
                if len(waiting) > 4 * self._count:
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
