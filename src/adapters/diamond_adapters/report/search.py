"""The candidates and trials, with scores, in the details of a family's search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from diamond_adapters.report.charts import Trial

_SCORE: Final = "cross_validated_mae"


def trials_of(details: Mapping[str, Any]) -> list[Trial]:
    """Return the scored trials of a card's ``details``, in their order.

    ``trials`` is a list of objects with ``cross_validated_mae`` in USD and a ``name`` or a
    ``number``; ``state`` ('complete' or another) and ``parameters`` are optional.
    """
    return [
        Trial(
            _name(each),
            _parameters(each.get("parameters")),
            float(each[_SCORE]),
            pruned=str(each.get("state", "complete")) != "complete",
        )
        for each in _scored(details.get("trials"))
    ]


def candidates_of(details: Mapping[str, Any], trials: Sequence[Trial]) -> list[tuple[str, float]]:
    """Return the names and scores of ``candidates``, else of the complete trials, best first."""
    found = [(_name(each), float(each[_SCORE])) for each in _scored(details.get("candidates"))]
    found = found or [(trial.name, trial.mae) for trial in trials if not trial.pruned]
    return sorted(found, key=lambda each: each[1])


def _scored(values: object) -> Sequence[Mapping[str, Any]]:
    """Return the entries with a score; *values* can be anything."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return []
    return [
        each
        for each in values
        if isinstance(each, Mapping)
        and isinstance(each.get(_SCORE), (int, float))
        and isfinite(each[_SCORE])
    ]


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["name"]) if "name" in entry else f"trial {entry.get('number', '?')}"


def _parameters(values: object) -> str:
    if not isinstance(values, Mapping):
        return ""
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
