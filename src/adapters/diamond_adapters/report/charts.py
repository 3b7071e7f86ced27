"""The charts of a report: the data that ``plot.js`` and ``bars.js`` draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diamond_core.models.evaluation import Evaluation
from diamond_core.stones.diamond_table import Floats

Axis = dict[str, Any]
_CELLS: Final = 52
_COLUMNS: Final = 48
_LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of text; the first *words* columns are words, the others numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


@dataclass(frozen=True, slots=True)
class Chart:
    """The data of a chart for its program, its caption, and a table of the same data."""

    data: dict[str, Any]
    caption: str
    table: Table | None = None


def density(evaluation: Evaluation) -> Chart:
    """Show predicted over actual prices."""
    actual, predicted = evaluation.stones.price, evaluation.predicted
    price = _axis(np.concatenate([actual, predicted]), "usd", log=True, margin=0.02)
    ends = [price["low"], price["high"]]
    data = {
        "kind": "plot",
        "label": "Predicted over actual prices of the hold-out stones",
        "x": price | {"title": "Actual price, USD"},
        "y": price | {"title": "Predicted price, USD"},
        "layers": [
            _cells(price, price, actual, predicted),
            {"mark": "line", "look": "plain", "name": "Predicted = actual", "x": ends, "y": ends},
        ],
    }
    rows = [
        [_span(actual[group]), f"{len(group):,}"]
        + [f"{value:,.0f}" for value in np.quantile(predicted[group], (0.05, 0.5, 0.95))]
        for group in _groups(actual, 10)
    ]
    columns = ["actual price, USD", "stones", "predicted: 5%", "median", "95%"]
    return Chart(data, "Predicted over actual price.", Table(columns, rows))


def residuals(evaluation: Evaluation) -> Chart:
    """Show the relative errors over the predicted price: all of them, and their quantiles."""
    actual, predicted = evaluation.stones.price, evaluation.predicted
    errors = predicted / actual - 1.0
    groups = _groups(predicted, min(24, max(len(predicted) // 8, 1)))
    at = [float(np.median(predicted[group])) for group in groups]
    levels = np.array([np.quantile(errors[group], _LEVELS) for group in groups])
    # a range from low to high allows errors from predicted / high - 1 to predicted / low - 1
    allowed = [
        np.array([np.median(predicted[group] / end[group] - 1.0) for group in groups])
        for end in (evaluation.high, evaluation.low)
    ]
    bound = float(np.clip(np.abs(np.quantile(errors, [0.003, 0.997])).max(), 0.05, 1.0)) * 1.15
    x = _axis(predicted, "usd", log=True, margin=0.02) | {"title": "Predicted price, USD"}
    y = {"low": -bound, "high": bound, "format": "change", "title": "Predicted against actual"}
    over = {"x": _short(at), "series": 1}
    data = {
        "kind": "plot",
        "label": "Relative errors of the hold-out stones over the predicted price",
        "x": x,
        "y": y,
        "layers": [
            _cells(x, y, predicted, errors) | {"look": "faint"},
            _band("Middle 90%", levels[:, 0], levels[:, 4]) | over | {"look": "wide-band"},
            _band("Middle 50%", levels[:, 1], levels[:, 3]) | over,
            _line("Price range", allowed[0]) | over | {"look": "plain dashed"},
            _line("", allowed[1]) | over | {"look": "plain dashed"},
            _line("Median error", levels[:, 2]) | over | {"walk": True},
            {"mark": "line", "look": "plain", "x": [x["low"], x["high"]], "y": [0.0, 0.0]},
        ],
    }
    rows = [
        [_span(predicted[group]), f"{len(group):,}"]
        + [f"{value:+.1%}" for value in (*levels[row], allowed[0][row], allowed[1][row])]
        for row, group in enumerate(groups)
    ]
    columns = ["predicted price, USD", "stones", "error: 5%", "25%", "median", "75%", "95%"]
    columns += ["price range: low", "high"]
    return Chart(data, "Relative error over the predicted price.", Table(columns, rows))


def histogram(values: Floats, what: str, format: str) -> Chart:
    """Show the distribution of *values* among the training stones, on a log scale."""
    x = _axis(values, format, log=True)
    edges = _edges(x, _COLUMNS)
    # rounding must not exclude the extremes
    edges[0], edges[-1] = min(edges[0], values.min()), max(edges[-1], values.max())
    counts = np.histogram(values, edges)[0].tolist()
    data = {
        "kind": "plot",
        "label": f"Distribution of the training stones by {what}",
        "height": 250,
        "x": x | {"title": what},
        "y": {"low": 0, "high": max(counts) * 1.05, "format": "number", "title": "Stones"},
        "layers": [{"mark": "columns", "values": counts}],
    }
    rows = [
        [f"{low:,.4g} to {high:,.4g}", f"{count:,}"]
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        if count
    ]
    return Chart(data, f"Training stones by {what}.", Table([what, "stones"], rows))


def changes(counts: Sequence[tuple[float, float, int]]) -> Chart:
    """Show how many stones have which relative change.

    *counts* are (low, high, stones) of equally wide intervals; the outermost half percent of the
    stones at each end are added to the outer columns.
    """
    lows, highs, stones = np.array(counts).T
    step = round(float(highs[0] - lows[0]), 6)
    at = np.round(lows / step).astype(int)
    shares = np.cumsum(stones) / stones.sum()
    first, last = at[np.searchsorted(shares, [0.005, 0.995])].tolist()
    wide = -(-(last - first + 1) // _COLUMNS)  # intervals in a column
    low = first // wide * wide  # a multiple, so that zero is between two columns
    columns = np.clip((at - low) // wide, 0, (last - low) // wide)
    values = np.bincount(columns, stones).astype(int).tolist()
    edges = [(low + wide * number) * step for number in range(len(values) + 1)]
    data = {
        "kind": "plot",
        "label": "Distribution of the stones by relative change of the price",
        "height": 250,
        "x": {"low": edges[0], "high": edges[-1], "format": "change", "title": "Change"},
        "y": {"low": 0, "high": max(values) * 1.05, "format": "number", "title": "Stones"},
        "layers": [{"mark": "columns", "values": values}],
    }
    rows = [
        [f"{low:+.1%} to {high:+.1%}", f"{count:,}"]
        for (low, high), count in zip(pairwise(edges), values, strict=True)
        if count
    ]
    return Chart(data, "Stones by change of the price.", Table(["change", "stones"], rows))


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its length, the text at its end, and a mark to compare it with."""

    label: str
    value: float
    text: str
    mark: float | None = None


def bars(
    rows: Sequence[Bar],
    what: str,
    by: str,
    *,
    mark: str = "",
    maximum: float = 0.0,
    minimum: float = 0.0,
) -> Chart:
    """Compare values by name; *mark* explains the marks, the axis extends to *maximum*.

    Bars below *minimum* are cut there.
    """
    title = f"{what} by {by}"
    data = {
        "kind": "bars",
        "label": title,
        "maximum": maximum,
        "mark": mark,
        "rows": [
            {"label": row.label, "value": max(row.value, minimum), "text": row.text}
            | ({} if row.mark is None else {"mark": row.mark})
            for row in rows
        ],
    }
    return Chart(data, f"{title}.", Table([by, what], [[row.label, row.text] for row in rows]))


@dataclass(frozen=True, slots=True)
class Trial:
    """One tuning trial: its name, its parameters, its error in USD, whether it was pruned."""

    name: str
    parameters: str
    mae: float
    pruned: bool


def history(trials: Sequence[Trial]) -> Chart:
    """Show the error of each tuning trial, in order, and the best complete trial so far."""
    values = np.array([trial.mae for trial in trials])
    upper = float(np.quantile(values, 0.9)) * 1.02  # a few bad trials must not compress the rest
    y = _axis(np.minimum(values, upper), "usd", margin=0.06)
    numbers = np.arange(1, len(values) + 1)
    best = np.minimum.accumulate([np.inf if trial.pruned else trial.mae for trial in trials])
    shown = best <= y["high"]
    points = [
        {
            "x": number,
            "y": trial.mae,
            "hollow": trial.pruned,
            "text": f"{trial.name}{trial.parameters and f' ({trial.parameters})'}: {trial.mae:,.2f} USD",
        }
        for number, trial in zip(numbers.tolist(), trials, strict=True)
    ]
    data: dict[str, Any] = {
        "kind": "plot",
        "label": "Cross-validated error of each tuning trial",
        "x": {"low": 0.5, "high": len(values) + 0.5, "format": "number", "title": "Trial"},
        "y": y | {"title": "Cross-validated MAE, USD"},
        "layers": [
            {"mark": "dots", "size": 3.5, "name": "Trial (hollow: pruned)", "points": points},
        ],
    }
    if shown.any():
        line = _line("Best so far", best[shown])
        data["layers"].append(line | {"x": numbers[shown].tolist(), "series": 1})
    rows = [
        [each.name, each.parameters, "pruned" if each.pruned else "complete", f"{each.mae:,.2f}"]
        for each in trials
    ]
    columns = ["trial", "parameters", "state", "MAE, USD"]
    return Chart(data, "Error of each trial, in order.", Table(columns, rows, words=3))


def _axis(values: ArrayLike, format: str, *, log: bool = False, margin: float = 0.0) -> Axis:
    """Return an axis for all *values*; *margin* is the share of it that is free at both ends."""
    array = np.asarray(values, dtype=np.float64)
    low, high = float(array.min()), float(array.max())
    if not low < high:
        low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
    if log:
        room = (high / low) ** margin
        return {"low": low / room, "high": high * room, "kind": "log", "format": format}
    room = margin * (high - low)
    return {"low": low - room, "high": high + room, "format": format}


def _edges(axis: Axis, count: int) -> Floats:
    """Return the edges of *count* intervals that look equally wide, as ``scales.js`` does."""
    space = np.geomspace if axis.get("kind") == "log" else np.linspace
    return space(axis["low"], axis["high"], count + 1)


def _cells(x: Axis, y: Axis, across: Floats, up: Floats) -> dict[str, Any]:
    counts, _, _ = np.histogram2d(across, up, [_edges(x, _CELLS), _edges(y, _CELLS)])
    cells = [
        [int(column), int(row), int(counts[column, row])] for column, row in np.argwhere(counts)
    ]
    return {"mark": "cells", "across": _CELLS, "up": _CELLS, "cells": cells}


def _band(name: str, low: ArrayLike, high: ArrayLike) -> dict[str, Any]:
    return {"mark": "band", "name": name, "low": _short(low), "high": _short(high)}


def _line(name: str, y: ArrayLike) -> dict[str, Any]:
    return {"mark": "line", "name": name, "y": _short(y)}


def _groups(values: Floats, count: int) -> list[NDArray[np.intp]]:
    """Return the row indices of up to *count* equally large groups, lowest *values* first."""
    return np.array_split(np.argsort(values, kind="stable"), min(count, len(values)))


def _span(values: Floats) -> str:
    return f"{values.min():,.0f} to {values.max():,.0f}"


def _short(values: ArrayLike) -> list[float]:
    """Return *values* rounded to the precision of a chart."""
    return [float(f"{value:.5g}") for value in np.asarray(values, dtype=np.float64).tolist()]
