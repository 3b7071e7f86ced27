"""The report's section on how the model was chosen: candidates, trials, parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any, Final

from diamond_adapters.report import charts
from diamond_adapters.report.table import figure, table

_SHOWN: Final = 12
_SCORE: Final = "cross_validated_mae"


def search_section(details: Mapping[str, Any]) -> str:
    """Return the section, from the ``details`` of a card, which hold what its family chose.

    ``candidates`` and ``trials`` are lists of objects with ``cross_validated_mae`` in USD and a
    ``name`` or ``number``; trials stand in their order and may have a ``state``, 'complete' or
    another, and ``parameters``. Everything else is shown as it is.
    """
    parts = []
    trials = _scored(details.get("trials"))
    if len(trials) > 1:
        drawn = charts.history(
            [charts.Trial(_described(each), float(each[_SCORE]), _pruned(each)) for each in trials]
        )
        caption = "Error of each trial; the line is the best so far. Hollow: stopped early."
        parts.append(figure(drawn, caption))
    candidates = sorted(
        _scored(details.get("candidates")) or [each for each in trials if not _pruned(each)],
        key=lambda each: float(each[_SCORE]),
    )
    if candidates:
        rows = [[_name(each), f"{each[_SCORE]:,.2f}"] for each in candidates[:_SHOWN]]
        best = table(["candidate", "cross-validated MAE $"], rows)
        if len(candidates) > _SHOWN:
            best += f"<p class='note'>The best {_SHOWN} of {len(candidates):,}.</p>"
        parts.append(f"<div>{best}</div>")
    rest = {name: value for name, value in details.items() if name not in ("candidates", "trials")}
    if rest:
        text = escape(json.dumps(rest, indent=2, ensure_ascii=False, default=str))
        parts.append(f"<details open><summary>Details</summary><pre>{text}</pre></details>")
    if not parts:
        return ""
    return (
        "<section><h2>How it was chosen</h2><p class='note'>Scored by cross-validation on the"
        " training stones alone, without the hold-out.</p>"
        f"<div class='pair'>{''.join(parts)}</div></section>"
    )


def _scored(values: object) -> Sequence[Mapping[str, Any]]:
    """Return the entries that have a score; a family may put anything there."""
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
    if "name" in entry:
        return str(entry["name"])
    return f"trial {entry.get('number', '?')}"


def _described(trial: Mapping[str, Any]) -> str:
    parameters = trial.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        return _name(trial)
    values = (
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in parameters.items()
    )
    return f"{_name(trial)} ({', '.join(values)})"


def _pruned(trial: Mapping[str, Any]) -> bool:
    return str(trial.get("state", "complete")) != "complete"
