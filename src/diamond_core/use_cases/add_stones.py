"""Add deliveries to the store of stones: read them whole, check them, keep what is new."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diamond_core.errors import Conflict, DeliveryNotFound, SourceUnreadable
from diamond_core.ports import (
    Clock,
    ExclusiveWork,
    Progress,
    StoneSource,
    StoneStore,
    StoneVersion,
    no_progress,
)
from diamond_core.stones.cleaning import kind_of, missing_columns
from diamond_core.stones.delivery import ADDED, HELD, KNOWN, DeliveredRows, Delivery, header_of
from diamond_core.stones.gate import GateLimits, LevelSample, Pricer, levels, why_held
from diamond_core.stones.known_stones import (
    CORRECTED,
    NEW,
    REPEATED,
    SortedStones,
    StoneMarks,
    sort_out,
)
from diamond_core.stones.stone_records import StoneRecords
from diamond_core.use_cases.model_history import ModelHistory

STORING: Final = "stones"
"""The name of the exclusive work."""
_SHOWN_REASONS: Final = 20
_ATTEMPTS: Final = 100


@dataclass(frozen=True, slots=True)
class AddedStones:
    """The result of an addition: what became of each source, and the store afterwards."""

    deliveries: Sequence[Delivery]
    version: StoneVersion | None


class AddStones:
    """Adds deliveries to the store, and releases those that were held.

    Every step can be repeated: an addition that was killed is finished by the next one.
    """

    def __init__(
        self,
        store: StoneStore,
        history: ModelHistory,
        exclusive: ExclusiveWork,
        clock: Clock,
        limits: GateLimits | None = None,
    ) -> None:
        self._store = store
        self._history = history
        self._exclusive = exclusive
        self._clock = clock
        self._limits = limits or GateLimits()

    def __call__(
        self,
        sources: Sequence[StoneSource],
        *,
        progress: Progress = no_progress,
        waiting: Callable[[str], None] = lambda _: None,
        unreadable: Callable[[SourceUnreadable], None] | None = None,
    ) -> AddedStones:
        """Add the rows of each source as one delivery; what is already there changes nothing.

        *unreadable* gets the error of a source that can't be read, and the others are added.

        Raises:
            SourceUnreadable: without *unreadable*; the sources before it are added.
        """
        added: list[Delivery] = []
        with self._exclusive.hold(STORING, waiting):
            self._finish()
            worth = functools.cache(self._worth)  # loads the champion once, if it is needed
            for number, source in enumerate(sources):
                progress(f"reading {source.name}", number / len(sources))
                try:
                    delivery = self._add(source, worth)
                except SourceUnreadable as ex:
                    if unreadable is None:
                        raise
                    unreadable(ex)
                    continue
                added.append(delivery)
            return AddedStones(added, self._store.version())

    def release(
        self, id: str, *, by: str, waiting: Callable[[str], None] = lambda _: None
    ) -> Delivery:
        """Add the stones of a delivery that is held.

        Raises:
            DeliveryNotFound: there is no such delivery.
            Conflict: it is not held, or a later delivery has superseded it.
        """
        with self._exclusive.hold(STORING, waiting):
            self._finish()
            delivery = find_delivery(self._store, id)
            if delivery.status != HELD:
                raise Conflict(f"the delivery {id!r} is not held: it is {delivery.status}")
            if delivery.supersedes:
                self._check_is_last(delivery)
            reason = f"released by {by}; it was held: {delivery.reason}"
            return self._put_sorted_out(replace(delivery, status=ADDED, reason=reason))

    def _finish(self) -> None:
        """Put the stones of deliveries whose process ended too early."""
        deliveries = self._store.deliveries()
        stored = {version.delivery for version in self._store.versions()}
        for delivery in reversed(deliveries):
            changes = delivery.status == ADDED and delivery.new + delivery.corrected > 0
            if changes and delivery.id not in stored:
                self._put_sorted_out(delivery)

    def _add(self, source: StoneSource, worth: Callable[[], Pricer | None]) -> Delivery:
        intake = _Intake(source, self._clock())
        kept: list[tuple[StoneVersion | None, NDArray[np.int64], SortedStones]] = []

        def conclude() -> Delivery | None:
            if any(each.id == intake.id for each in self._store.deliveries()):
                return None
            present = self._store.version()
            marks, sample = self._stored()
            lines, delivered = intake.stones()
            found = sort_out(marks, delivered, intake.at.date(), supersedes=intake.supersedes)
            kept.append((present, lines[found.kept], found))
            delivery = _counted(intake.delivery(), found)
            measured = levels(intake.sample.table, sample.table, worth())
            reason = why_held(
                missing=missing_columns(intake.columns),
                rows=delivery.rows,
                reasons=delivery.reasons,
                rejected=delivery.rejected,
                sorted_stones=found,
                levels=measured,
                is_first=present is None,
                limits=self._limits,
            )
            return replace(
                delivery, status=HELD if reason else ADDED, reason=reason, levels=measured
            )

        try:
            delivery = self._store.receive(intake.rows(), conclude)
        except Conflict:  # another host adds the same delivery
            delivery = None
        if delivery is None:
            return _repeated(find_delivery(self._store, intake.id))
        if delivery.status == ADDED:
            try:
                self._put(delivery, *kept[0])
            except Conflict:
                return self._put_sorted_out(delivery)
        return delivery

    def _put_sorted_out(self, delivery: Delivery) -> Delivery:
        """Put the stones of a stored delivery; return it with what they bring to the store now."""
        for _ in range(_ATTEMPTS):
            present = self._store.version()
            lines, found = self._sorted_out(delivery)
            counted = _counted(delivery, found)
            self._store.update(counted)
            with suppress(Conflict):  # other hosts have added stones
                self._put(counted, present, lines[found.kept], found)
                return counted
        raise Conflict(f"other hosts add stones all the time; add {delivery.source!r} again")

    def _put(
        self,
        delivery: Delivery,
        present: StoneVersion | None,
        kept: NDArray[np.int64],
        found: SortedStones,
    ) -> None:
        """Put the stones at the lines *kept* of a delivery into the store, as one version.

        Raises:
            Conflict: *present*, for which they were found, is not the present version any more.
        """
        if not len(kept):
            return

        def stones() -> Iterator[StoneRecords]:
            for some in self._store.delivered(delivery.id):
                chosen = np.isin(some.lines[some.usable], kept)
                if chosen.any():
                    yield some.records[chosen].dated(delivery.day)

        total = (present.stones if present else 0) + found.growth
        corrects = bool((found.kept & found.matched).any())
        self._store.put(delivery, stones(), after=present, total=total, corrects=corrects)

    def _stored(self) -> tuple[StoneMarks, LevelSample]:
        """Return the marks of all stones in the store, and a sample of them."""
        sample = LevelSample()
        marks = []
        if self._store.version() is not None:
            for records in self._store.stones():
                marks.append(StoneMarks.of(records))
                sample.add(records.table)
        return StoneMarks.concatenate(marks), sample

    def _check_is_last(self, delivery: Delivery) -> None:
        for each in self._store.deliveries():
            is_later = each.at > delivery.at and each.source == delivery.source
            if is_later and each.supersedes and each.status == ADDED:
                raise Conflict(f"the delivery {each.id!r}, which is later, has all its stones")

    def _sorted_out(self, delivery: Delivery) -> tuple[NDArray[np.int64], SortedStones]:
        """Return the lines of a stored delivery's stones, in their order, and what they bring."""
        stored = self._stored()[0]
        lines, marks = self._marks_of(delivery)
        return lines, sort_out(stored, marks, delivery.day, supersedes=delivery.supersedes)

    def _marks_of(self, delivery: Delivery) -> tuple[NDArray[np.int64], StoneMarks]:
        """Return the lines and the marks of a stored delivery's stones, in their order."""
        lines, marks = [np.empty(0, np.int64)], []
        for some in self._store.delivered(delivery.id):
            lines.append(some.lines[some.usable])
            marks.append(StoneMarks.of(some.records))
        joined = np.concatenate(lines)
        order = np.argsort(joined, kind="stable")
        return joined[order], StoneMarks.concatenate(marks)[order]

    def _worth(self) -> Pricer | None:
        """Return the champion's prices, or None if no model can be served."""
        served = self._history.serving()
        return None if served is None else served.model.price


class _Intake:
    """One delivery while it is read: what its rows say about it."""

    def __init__(self, source: StoneSource, at: datetime) -> None:
        self._source = source
        self._sha = hashlib.sha256()
        self._header: tuple[str, ...] = ()
        self._lines: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        self._marks: list[StoneMarks] = []
        self._reasons: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._rows = self._rejected = 0
        self.at = at
        self.columns: Sequence[str] = ()
        self.supersedes = False
        self.sample = LevelSample()

    def rows(self) -> Iterator[DeliveredRows]:
        for raw in self._source.read():
            if not self._header:
                self._header, self.columns = header_of(raw), tuple(raw.columns)
                self.supersedes = raw.supersedes
                self._sha.update(json.dumps(self._header).encode())
            some, reasons = DeliveredRows.of(raw, today=self.at.date())
            self._sha.update("\n".join(["", *some.cells]).encode("utf-8", "surrogateescape"))
            self._rows += len(some.lines)
            self._rejected += len(reasons)
            for each in reasons:
                for reason in each:
                    self._reasons[self._examples.setdefault(kind_of(reason), reason)] += 1
            self._lines.append(some.lines[some.usable])
            self._marks.append(StoneMarks.of(some.records))
            self.sample.add(some.records.table)
            del raw, reasons  # so that only one batch is in memory
            yield some
            del some

    def stones(self) -> tuple[NDArray[np.int64], StoneMarks]:
        """Return the lines and the marks of all usable rows; they are kept nowhere else."""
        lines, marks = np.concatenate(self._lines), StoneMarks.concatenate(self._marks)
        self._lines, self._marks = [], []
        return lines, marks

    @property
    def id(self) -> str:
        return self._sha.hexdigest()[:12]

    def delivery(self) -> Delivery:
        return Delivery(
            id=self.id,
            source=self._source.name,
            digest=self._sha.hexdigest(),
            at=self.at,
            header=self._header,
            rows=self._rows,
            rejected=self._rejected,
            reasons=dict(self._reasons.most_common(_SHOWN_REASONS)),
            supersedes=self.supersedes,
        )


def find_delivery(store: StoneStore, id: str) -> Delivery:
    """Return a delivery by its id.

    Raises:
        DeliveryNotFound: there is no such delivery.
    """
    for delivery in store.deliveries():
        if delivery.id == id:
            return delivery
    raise DeliveryNotFound(id)


def _counted(delivery: Delivery, found: SortedStones) -> Delivery:
    return replace(
        delivery,
        new=found.count(NEW),
        known=found.count(REPEATED),
        corrected=found.count(CORRECTED),
    )


def _repeated(delivery: Delivery) -> Delivery:
    """Return what a repeated delivery brings: nothing, and it stays held if it was."""
    if delivery.status == HELD:
        return delivery
    usable = delivery.rows - delivery.rejected
    return replace(delivery, status=KNOWN, reason="", new=0, known=usable, corrected=0)
