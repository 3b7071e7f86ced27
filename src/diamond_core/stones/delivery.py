"""Deliveries of stones to a store: their rows, and what became of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from diamond_core.codec import decode, encode
from diamond_core.stones.cleaning import RawStones
from diamond_core.stones.stone_records import StoneRecords, clean_records

ADDED: Final = "added"
HELD: Final = "held"
KNOWN: Final = "known"

_encode = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a store knows about one delivery.

    Attributes:
        id: derived from the digest, so that the same rows always have the same id.
        source: where it came from; it contains no password.
        digest: SHA-256 of its header and its rows, as they were delivered.
        at: when it arrived.
        header: the names of its columns.
        rows: the number of its rows: ``new`` + ``known`` + ``corrected`` + ``rejected``.
        new: stones that the store did not have.
        known: stones that the store had already, or has with a later date.
        corrected: stones whose id the store had, with other values.
        rejected: rows that are not usable stones.
        status: ``added``: its stones are in the store; ``held``: a person must release it first;
            ``known``: the store had this delivery already, and nothing was done.
        reason: why it is held, or who released it.
        reasons: the reasons for rejected rows with their counts, the most frequent first.
        levels: what the gate measured; see ``diamond_core.stones.gate``.
        supersedes: whether its rows are right whatever date the store has for their ids.
    """

    id: str
    source: str
    digest: str
    at: datetime
    header: tuple[str, ...] = ()
    rows: int = 0
    new: int = 0
    known: int = 0
    corrected: int = 0
    rejected: int = 0
    status: str = ADDED
    reason: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, Any] = field(default_factory=dict)
    supersedes: bool = False

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the delivery that a JSON text describes.

        Raises:
            ValueError: it describes no delivery.
        """
        return decode(cls, text.encode())

    def to_json(self) -> str:
        """Return the delivery as JSON text; ``from_json`` reads it."""
        return encode(self).decode()

    @property
    def day(self) -> date:
        """The date of its prices that have none."""
        return self.at.date()


@dataclass(frozen=True, slots=True)
class DeliveredRows:
    """Some rows of a delivery, as they were delivered and as stones.

    Attributes:
        lines: the line of each row in its source, shape (n,).
        cells: each row's cells as a JSON array, n texts.
        reasons: why each row is not a usable stone, '' if it is one; n texts.
        records: the stones of the usable rows, in the order of ``lines``; their dates as delivered.
    """

    lines: NDArray[np.int64]
    cells: Sequence[str]
    reasons: Sequence[str]
    records: StoneRecords

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each row is a usable stone, shape (n,)."""
        return np.array([not each for each in self.reasons], dtype=bool)

    @classmethod
    def of(cls, raw: RawStones, *, today: date) -> tuple[Self, Sequence[tuple[str, ...]]]:
        """Clean a batch of a source; also return all reasons of each rejected row."""
        cleaned = clean_records(raw, today=today)
        delivered = raw.delivered or _delivered(raw)
        reasons = {row.line: row.reasons for row in cleaned.rejected}
        return (
            cls(
                np.array([line for line, _ in delivered], dtype=np.int64),
                [_as_json(cells) for _, cells in delivered],
                ["; ".join(reasons.get(line, ())) for line, _ in delivered],
                cleaned.records,
            ),
            list(reasons.values()),
        )


def _as_json(cells: Sequence[object]) -> str:
    """Return the cells as a JSON array; ten times as fast for plain texts as the encoder."""
    try:
        joined = '","'.join(cells)  # type: ignore[arg-type]  # or else an error
    except TypeError:
        odd = (isinstance(each, float) and not math.isfinite(each) for each in cells)
        # JSON has no NaN: other readers of the table would refuse the row
        return _encode([str(each) if no else each for each, no in zip(cells, odd, strict=True)])
    if joined.count('"') != 2 * (len(cells) - 1) or "\\" in joined or not joined.isprintable():
        return _encode(list(cells))
    return f'["{joined}"]'


def header_of(raw: RawStones) -> tuple[str, ...]:
    """Return the names of the columns of ``DeliveredRows.cells``."""
    return tuple(str(each) for each in raw.header or raw.columns)


def _delivered(raw: RawStones) -> list[tuple[int, Sequence[object]]]:
    """Return the rows of a source that gives only columns."""
    rows = list(zip(raw.lines, zip(*raw.columns.values(), strict=True), strict=True))
    ragged: list[tuple[int, Sequence[object]]] = [(each.line, ()) for each in raw.malformed]
    return sorted([*rows, *ragged], key=lambda row: row[0])
