"""The outcomes of predictions as stones to train on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from diamond_core import BATCH_ROWS, FIELDS, PRICE, Outcome, OutcomeLog, RawStones, current

_COLUMNS: Final = ("id", *FIELDS, PRICE.name, "date")
_HEADER: Final = (*_COLUMNS, "number")
"""With the number, outcomes that are corrected back to what they were are another delivery."""


class OutcomeSource:
    """A ``StoneSource`` of the last outcome of each prediction; a stone's id is the prediction's.

    So a corrected outcome corrects the stone that it added before, to an earlier date too.
    """

    name = "outcomes"

    def __init__(self, outcomes: OutcomeLog) -> None:
        self._outcomes = outcomes

    def read(self) -> Iterator[RawStones]:
        first = 1
        rest = current(self._outcomes.read())
        while (some := list(islice(rest, BATCH_ROWS))) or first == 1:
            rows = [_row(each) for each in some]
            columns = {name: [row[at] for row in rows] for at, name in enumerate(_COLUMNS)}
            lines = range(first, first + len(rows))
            yield RawStones(
                self.name,
                columns,
                lines,
                header=_HEADER,
                delivered=list(zip(lines, rows, strict=True)),
                supersedes=True,
            )
            first += BATCH_ROWS


def _row(outcome: Outcome) -> tuple[object, ...]:
    values = [getattr(outcome.diamond, name) for name in FIELDS]
    plain = [str(each) if isinstance(each, str) else each for each in values]
    return outcome.id, *plain, outcome.price_paid, outcome.paid_on.isoformat(), outcome.number
