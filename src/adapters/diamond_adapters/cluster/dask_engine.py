"""The engine that gives work to the workers of a Dask cluster."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

from dask.sizeof import sizeof
from distributed import CancelledError, Client, Future, KilledWorker
from threadpoolctl import threadpool_limits

from diamond_core import DiamondError, Unavailable

_Result = TypeVar("_Result")
_Value = TypeVar("_Value")

_LOOK: Final = 0.25
"""How often it is checked that the cluster is complete, in seconds, while something is awaited."""
_ANSWER: Final = 30.0
"""How long the scheduler may take to answer, in seconds: its machine can be busy."""
_REASON: Final = 3.0
"""After an error, how long to look for its reason, in seconds: a worker's end is noticed later."""
_AHEAD: Final = 3
"""How many pieces are sent ahead for each thread of the cluster."""
_LARGE: Final = 100_000
"""From this size in bytes on, a piece is sent to a worker, not as a part of the task."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that stays with a worker."""

    future: Future
    worker: str


class DaskEngine:
    """An ``Engine`` on the workers of a Dask cluster.

    It needs all workers that the cluster has at first until the end: what is kept on a worker ends
    with it.

    Args:
        client: a client of the cluster's scheduler.
        name: what messages call the cluster.
    """

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self._name = name
        workers = self._identity()["workers"]
        self.workers: Sequence[str] = sorted(workers)
        self.threads = sum(each["nthreads"] for each in workers.values())

    def map(
        self, work: Callable[..., _Result], *columns: Iterable[Any]
    ) -> Generator[_Result, None, None]:
        waiting: deque[Future] = deque()
        try:
            for piece in zip(*columns, strict=True):
                waiting.append(self._submit(work, piece))
                if len(waiting) >= _AHEAD * self.threads:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for future in waiting:
                with suppress(Exception):  # the cluster can be gone
                    future.cancel()

    def parallel(
        self, work: Callable[..., _Result], *columns: Iterable[Any]
    ) -> Generator[_Result, None, None]:
        return self.map(work, *columns)

    def keep(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Sequence[Any]:
        kept = []
        for number, piece in enumerate(zip(*columns, strict=True)):
            worker = self.workers[number % len(self.workers)]
            kept.append(Kept(self._submit(work, piece, worker), worker))
        for each in kept:
            self.watched(partial(_finished, each.future))
        return kept

    def share(self, value: _Value) -> _Value:
        if value is None:
            return value
        future = self.watched(lambda: self.client.scatter([value], hash=False)[0])
        return cast("_Value", future)

    def _submit(
        self, work: Callable[..., Any], piece: Sequence[Any], worker: str | None = None
    ) -> Future:
        arguments = []
        for value in piece:
            if isinstance(value, Kept):
                worker = value.worker
                arguments.append(value.future)
            else:
                is_large = not isinstance(value, Future) and sizeof(value) > _LARGE
                arguments.append(self.share(value) if is_large else value)
        return self.watched(
            lambda: self.client.submit(
                _on_one_thread, work, *arguments, workers=worker, pure=False, retries=0
            )
        )

    def _result(self, future: Future) -> Any:
        return self.watched(future.result)

    def watched(self, call: Callable[[], _Result]) -> _Result:
        """Return what *call* returns; it can wait for the cluster as long as that is complete.

        Raises:
            Unavailable: the scheduler or a worker is gone.
        """
        outcome: concurrent.futures.Future[_Result] = concurrent.futures.Future()

        def run() -> None:
            try:
                outcome.set_result(call())
            except BaseException as ex:
                outcome.set_exception(ex)

        # a thread that nobody waits for: a call to a scheduler that is gone may never return
        threading.Thread(target=run, daemon=True).start()
        while not concurrent.futures.wait([outcome], _LOOK).done:
            self.check()
        try:
            return outcome.result()
        except DiamondError:
            raise
        except Exception as ex:
            until = time.monotonic() + _REASON
            while time.monotonic() < until:
                self.check()
                time.sleep(_LOOK)
            lost = (CancelledError, concurrent.futures.CancelledError, KilledWorker, OSError)
            if isinstance(ex, lost):
                reason = f"the cluster {self._name} failed: {type(ex).__name__}"
                raise Unavailable(reason) from ex
            raise

    def check(self) -> None:
        """Raise ``Unavailable`` if the scheduler or a worker is gone."""
        present = self._identity()["workers"]
        gone = [each for each in self.workers if each not in present]
        if gone:
            raise Unavailable(
                f"the worker {gone[0]} of the cluster {self._name} has ended; perhaps it had too"
                " little memory"
            )

    def _identity(self) -> Any:
        gone = Unavailable(f"the scheduler of the cluster {self._name} is gone")
        if self.client.status != "running":
            raise gone
        try:
            return self.client.sync(
                self.client.scheduler.identity, n_workers=-1, callback_timeout=_ANSWER
            )
        except Exception as ex:  # Dask raises errors of many kinds
            raise gone from ex


def _finished(future: Future) -> None:
    """Wait for a result that stays with its worker."""
    error = future.exception()
    if error is not None:
        raise error


def _on_one_thread(work: Callable[..., _Result], *piece: Any) -> _Result:
    """Do the work as families do it alone: the order of sums depends on the number of threads."""
    with threadpool_limits(1, user_api="blas"):
        return work(*piece)
