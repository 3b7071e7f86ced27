"""Where the expensive work of a training is done: in this process, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

_Result = TypeVar("_Result")
_Value = TypeVar("_Value")


class Engine(Protocol):
    """Does the same work for many pieces. A piece is one value of each of some columns.

    Results are in the order of the pieces, whatever finishes first, so that sums of them do not
    depend on where the work was done. Work, pieces and results can be pickled, except those that
    are kept.
    """

    def map(
        self, work: Callable[..., _Result], *columns: Iterable[Any]
    ) -> Generator[_Result, None, None]:
        """Yield the results; in this process, one is computed when it is asked for.

        A generator that is closed early gives up what nobody has asked for.

        Raises:
            Unavailable: the cluster, or a part of it, is gone.
        """
        ...

    def parallel(
        self, work: Callable[..., _Result], *columns: Iterable[Any]
    ) -> Generator[_Result, None, None]:
        """Yield the results, computed at the same time, in this process in threads.

        Raises:
            Unavailable: the cluster, or a part of it, is gone.
        """
        ...

    def keep(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Sequence[Any]:
        """Return the results where they are, as values of a column; they need not be pickled.

        Raises:
            Unavailable: the cluster, or a part of it, is gone.
        """
        ...

    def share(self, value: _Value) -> _Value:
        """Return *value* as a value of a column for many pieces: it is sent only once.

        Raises:
            Unavailable: the cluster, or a part of it, is gone.
        """
        ...


class Here:
    """The ``Engine`` of this process."""

    def map(
        self, work: Callable[..., _Result], *columns: Iterable[Any]
    ) -> Generator[_Result, None, None]:
        yield from map(work, *columns)

    def parallel(
        self, work: Callable[..., _Result], *columns: Iterable[Any]
    ) -> Generator[_Result, None, None]:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            yield from pool.map(work, *columns)

    def keep(self, work: Callable[..., Any], *columns: Iterable[Any]) -> Sequence[Any]:
        return list(self.parallel(work, *columns))

    def share(self, value: _Value) -> _Value:
        return value


HERE: Final = Here()
