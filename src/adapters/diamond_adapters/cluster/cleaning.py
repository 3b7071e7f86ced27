"""Read and clean the parts of sources on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby, repeat
from operator import itemgetter

from diamond_adapters.cluster.dask_engine import DaskEngine
from diamond_core import CleanBatch, DivisibleSource, StoneSource, clean_here


def clean_on(
    engine: DaskEngine, sources: Sequence[StoneSource], today: date
) -> Iterator[CleanBatch]:
    """Yield the clean batches of all *sources*, in order: ``CleanSources`` on a cluster.

    Raises:
        SourceUnreadable: as ``clean_here``, or a worker has other files than this host.
        Unavailable: the cluster is gone.
    """
    parts: list[tuple[bool, StoneSource]] = []
    for source in sources:
        there = source.parts(engine.threads) if isinstance(source, DivisibleSource) else ()
        parts += [(True, part) for part in there] or [(False, source)]
    for is_there, some in groupby(parts, itemgetter(0)):
        of_some = [part for _, part in some]
        if is_there:
            for batches in engine.map(_cleaned, of_some, repeat(today, len(of_some))):
                yield from batches
        else:
            yield from clean_here(of_some, today)


def _cleaned(source: StoneSource, today: date) -> list[CleanBatch]:
    return list(clean_here([source], today))
