"""The answers about runs of the pipeline; see ``responses``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import msgspec
from msgspec import Struct

from diamond_app.responses import MODEL_ID, TIME, described
from diamond_core.codec import to_plain
from diamond_core.stones.gate import EDGES

if TYPE_CHECKING:
    import diamond_core

RUN_ID: Final = "20261123-142233-9f3a1c"


class Level(Struct, frozen=True):
    """A comparison of a delivery with the store: two distributions of ratios."""

    level: Annotated[float, described("The median ratio of the delivery.", 1.62)]
    delivered: Annotated[
        list[int], described("How many stones of the delivery are between two 'edges'.", [0, 7])
    ]
    stored: Annotated[list[int], described("The same for a sample of the store.", [4, 3])]


class RunDelivery(Struct, frozen=True):
    """A delivery as a run found it."""

    id: Annotated[str, described("The delivery's id.", "3f9a1c22b7e0")]
    source: Annotated[str, described("Where it came from.", "incoming/2026-11-23.csv")]
    rows: Annotated[int, described("Rows read.", 412, ge=0)]
    new: Annotated[int, described("Stones that the store did not have.", 398, ge=0)]
    known: Annotated[int, described("Stones that it had.", 4, ge=0)]
    corrected: Annotated[int, described("Stones that it had with other values.", 2, ge=0)]
    rejected: Annotated[int, described("Rows that can't be used.", 8, ge=0)]
    status: Annotated[
        Literal["added", "known", "held"],
        described("known: it was added before; held: a person must release it.", "added"),
    ]
    reason: Annotated[str, described("Why it is held.", "")]
    levels: Annotated[
        dict[str, Level],
        described(
            "'price': prices / what the stones are worth; 'carat': weights / the median weight of"
            " the store. Empty if the delivery was known, or has too few stones.",
            {},
        ),
    ]


class PipelineRun(Struct, frozen=True, kw_only=True):
    """What one run of the pipeline did."""

    id: Annotated[str, described("The run's id; ids sort by time.", RUN_ID)]
    started_at: Annotated[str, described("When it started (UTC).", TIME, format="date-time")]
    finished_at: Annotated[
        str | None, described("When it ended; null: it has not.", TIME, format="date-time")
    ]
    outcome: Annotated[
        Literal["running", "trained", "nothing new", "held", "failed", "interrupted"],
        described(
            "running: or its process ended, which the next run finds out; held: a delivery is held,"
            " the others were trained on.",
            "trained",
        ),
    ]
    by: Annotated[str, described("Who started it.", "diamond")]
    code: Annotated[str, described("The version of diamond-core that ran.", "0.1.0")]
    settings: Annotated[dict[str, Any], described("What decides the models.", {"seed": 0})]
    version: Annotated[int | None, described("The version of the stones; null: none yet.", 7)]
    deliveries: Annotated[list[RunDelivery], described("The deliveries that it read.", [])]
    models: Annotated[list[str], described("The ids of the models that it trained.", [MODEL_ID])]
    champion: Annotated[str | None, described("The champion after the run.", MODEL_ID)]
    promoted: Annotated[bool, described("Whether the run changed the champion.", True)]
    problems: Annotated[list[str], described("What failed, in one sentence each.", [])]
    drift: Annotated[
        dict[str, str],
        described("A sentence for each thing that has drifted in the last week.", {}),
    ]
    seconds: Annotated[
        dict[str, float], described("How long each step took.", {"data": 1.3, "training": 84.2})
    ]

    @classmethod
    def of(cls, run: diamond_core.PipelineRun) -> Self:
        """Return the answer for a run."""
        return msgspec.convert(to_plain(run), cls)


class PipelineRuns(Struct, frozen=True):
    """A page of the pipeline's runs."""

    runs: Annotated[list[PipelineRun], described("The runs, newest first.")]
    edges: Annotated[
        list[float], described("The ratios between which stones are counted.", [0.0625, 1, 16])
    ]
    next: Annotated[
        str | None, described("The 'before' of the next page; null: this is the last.", RUN_ID)
    ]

    @classmethod
    def of(cls, page: Sequence[diamond_core.PipelineRun], *, more: bool) -> Self:
        """Return the answer for a page of runs; *more*: there are older ones."""
        return cls(
            [PipelineRun.of(each) for each in page], list(EDGES), page[-1].id if more else None
        )
