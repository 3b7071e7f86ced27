"""Charts as inline SVG: no script, no font, no address; colours come from the page's style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from diamond_adapters.report.scales import Scale, dollars, percent
from diamond_core.stones.diamond_table import Floats

WIDTH: Final = 560
HEIGHT: Final = 380
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 46
_CELLS: Final = 52


def density(actual: Floats, predicted: Floats) -> str:
    """Draw predicted over actual prices, both on log scales; darker where more stones lie."""
    both = np.concatenate([actual, predicted])
    x = Scale.of(both, LEFT, WIDTH - RIGHT, log=True, margin=0.02)
    y = Scale(x.low, x.high, HEIGHT - BOTTOM, TOP, log=True)
    parts = [_axes(x, y, "actual price", "predicted price", dollars, dollars)]
    parts += _cells(x, y, actual, predicted, "cell")
    ends = (x(x.low), y(x.low), x(x.high), y(x.high))
    parts.append(_line(*ends, "ideal"))
    return _svg(parts, "Predicted over actual prices", HEIGHT)


def residuals(actual: Floats, predicted: Floats, low: Floats, high: Floats) -> str:
    """Draw the relative error over the price: all stones, the middle half and the middle 90 %.

    *low* and *high* are the ends of the price ranges.
    """
    errors = predicted / actual - 1.0
    order = np.argsort(predicted, kind="stable")
    groups = np.array_split(order, min(24, max(len(order) // 8, 1)))
    levels = np.array([np.quantile(errors[rows], [0.05, 0.25, 0.5, 0.75, 0.95]) for rows in groups])
    at = np.array([np.median(predicted[rows]) for rows in groups])
    bound = float(np.clip(np.abs(np.quantile(errors, [0.003, 0.997])).max(), 0.05, 1.0)) * 1.15
    x = Scale.of(predicted, LEFT, WIDTH - RIGHT, log=True, margin=0.02)
    y = Scale(-bound, bound, HEIGHT - BOTTOM, TOP)
    shown = np.abs(errors) <= bound
    parts = [_axes(x, y, "predicted price", "predicted against actual", dollars, percent)]
    parts += _cells(x, y, predicted[shown], errors[shown], "cell faint")
    for outer, style in ((0, "band wide"), (1, "band")):
        parts.append(_band(x, y, at, levels[:, outer], levels[:, 4 - outer], style))
    # A range from low to high means errors from predicted / high - 1 to predicted / low - 1.
    for end in (predicted / high - 1.0, predicted / low - 1.0):
        middle = [float(np.median(end[rows])) for rows in groups]
        parts.append(_path(x.places(at), y.places(np.clip(middle, -bound, bound)), "range"))
    parts.append(_path(x.places(at), y.places(levels[:, 2]), "median"))
    parts.append(_line(LEFT, y(0), WIDTH - RIGHT, y(0), "ideal"))
    return _svg(parts, "Relative errors over the predicted price", HEIGHT)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its length, the text at its end, and a mark to compare it with."""

    label: str
    value: float
    text: str
    mark: float | None = None


def bars(rows: Sequence[Bar], title: str, *, mark: str = "", maximum: float = 0.0) -> str:
    """Draw horizontal bars; *mark* names what the marks are, the axis ends at *maximum* or later."""
    ends = [maximum, *(row.value for row in rows), *(row.mark or 0.0 for row in rows)]
    longest = max(ends) or 1.0
    name = min(max((len(row.label) for row in rows), default=0) * 7 + 14, 190)
    x = Scale(0.0, longest, name, WIDTH - 84)
    parts, top = [], 4
    for row in rows:
        middle = top + 13
        tooltip = f"{row.label}: {row.text}"
        if row.mark is not None:
            tooltip += f" ({mark} {row.mark:,.4g})"
        parts.append(f"<g><title>{escape(tooltip)}</title>")
        parts.append(
            f'<text x="{name - 8}" y="{middle + 4}" class="end">{escape(row.label)}</text>'
        )
        length = max(x(max(row.value, 0.0)) - name, 1.0)
        parts.append(
            f'<rect x="{name}" y="{top + 3}" width="{length:.1f}" height="19" class="bar"/>'
        )
        if row.mark is not None:
            parts.append(_line(x(row.mark), top, x(row.mark), top + 25, "mark"))
        end = max(name + length, x(row.mark or 0.0)) + 7
        parts.append(f'<text x="{end:.1f}" y="{middle + 4}">{escape(row.text)}</text></g>')
        top += 27
    return _svg(parts, title, top + 4)


@dataclass(frozen=True, slots=True)
class Trial:
    """One tuning trial: what to call it, its error in USD, and whether it was stopped early."""

    label: str
    mae: float
    pruned: bool = False


def history(trials: Sequence[Trial]) -> str:
    """Draw the error of each tuning trial in its order, and the best so far of the finished."""
    values = np.array([trial.mae for trial in trials])
    upper = float(np.quantile(values, 0.9)) * 1.02  # a few bad trials must not hide the rest
    y = Scale.of(np.minimum(values, upper), HEIGHT - BOTTOM, TOP, margin=0.06)
    x = Scale(0.5, len(values) + 0.5, LEFT, WIDTH - RIGHT)
    parts = [_axes(x, y, "trial", "cross-validated MAE", lambda v: f"{v:g}", dollars)]
    numbers = np.arange(1, len(values) + 1)
    for number, trial in zip(numbers.tolist(), trials, strict=True):
        place = f'cx="{x(number)}" cy="{y(min(trial.mae, y.high))}"'
        style = "dot pruned" if trial.pruned else "dot"
        tooltip = f"<title>{escape(trial.label)}: {trial.mae:,.2f} USD</title>"
        parts.append(f'<circle {place} r="3.2" class="{style}">{tooltip}</circle>')
    best = np.minimum.accumulate([np.inf if trial.pruned else trial.mae for trial in trials])
    shown = best <= y.high
    parts.append(_path(x.places(numbers[shown]), y.places(best[shown]), "median"))
    return _svg(parts, "Error of each tuning trial", HEIGHT)


def histogram(values: Floats, title: str, show: Callable[[float], str], *, log: bool = True) -> str:
    """Draw how often values occur."""
    x = Scale.of(values, LEFT, WIDTH - RIGHT, log=log)
    edges = x.edges(48)
    edges[0], edges[-1] = values.min(), values.max()  # rounding must not leave out the ends
    counts, _ = np.histogram(values, edges)
    height = 250
    y = Scale(0.0, float(counts.max()) * 1.05, height - BOTTOM, TOP)
    parts = [_axes(x, y, title, "stones", show, lambda v: f"{v:,.0f}", height=height)]
    lefts, rights = x.places(edges[:-1]), x.places(edges[1:])
    for left, right, count in zip(lefts.tolist(), rights.tolist(), counts.tolist(), strict=True):
        if count:
            top = y(count)
            size = f'width="{max(right - left - 0.6, 0.6):.1f}" height="{y.start - top:.1f}"'
            parts.append(f'<rect x="{left}" y="{top}" {size} class="bar"/>')
    return _svg(parts, f"Distribution of {title}", height)


def _cells(x: Scale, y: Scale, across: Floats, up: Floats, style: str) -> list[str]:
    """Return a small square for each place where stones lie, darker where more do."""
    x_edges, y_edges = x.edges(_CELLS), y.edges(_CELLS)
    counts, _, _ = np.histogram2d(across, up, [x_edges, y_edges])
    lefts, tops = x.places(x_edges), y.places(y_edges)
    wide = round(float(lefts[1] - lefts[0]) + 0.3, 1)
    high = round(float(tops[0] - tops[1]) + 0.3, 1)
    shades = np.log1p(counts) / np.log1p(max(counts.max(), 1.0))
    parts = []
    for column, row in zip(*np.nonzero(counts), strict=True):
        shade = 0.12 + 0.88 * shades[column, row]
        parts.append(
            f'<rect x="{lefts[column]}" y="{tops[row + 1]}" width="{wide}" height="{high}"'
            f' class="{style}" fill-opacity="{shade:.2f}">'
            f"<title>{counts[column, row]:.0f} stones</title></rect>"
        )
    return parts


def _axes(
    x: Scale,
    y: Scale,
    x_title: str,
    y_title: str,
    show_x: Callable[[float], str],
    show_y: Callable[[float], str],
    height: int = HEIGHT,
) -> str:
    parts = []
    for value in x.ticks():
        parts.append(_line(x(value), TOP, x(value), height - BOTTOM, "grid"))
        place = f'x="{x(value)}" y="{height - BOTTOM + 16}"'
        parts.append(f'<text {place} class="middle tick">{escape(show_x(value))}</text>')
    for value in y.ticks():
        parts.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid"))
        place = f'x="{LEFT - 7}" y="{y(value) + 4:.1f}"'
        parts.append(f'<text {place} class="end tick">{escape(show_y(value))}</text>')
    centre = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{centre}" y="{height - 8}" class="middle axis">{escape(x_title)}</text>'
    )
    turned = f'transform="translate(13 {(TOP + height - BOTTOM) / 2}) rotate(-90)"'
    parts.append(f'<text {turned} class="middle axis">{escape(y_title)}</text>')
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def _path(across: Floats, up: Floats, style: str) -> str:
    points = " ".join(f"{x},{y}" for x, y in zip(across.tolist(), up.tolist(), strict=True))
    return f'<polyline points="{points}" class="{style}"/>'


def _band(x: Scale, y: Scale, at: Floats, low: Floats, high: Floats, style: str) -> str:
    across = np.concatenate([x.places(at), x.places(at)[::-1]])
    ends = np.concatenate([low, high[::-1]])
    up = y.places(np.clip(ends, y.low, y.high))
    points = " ".join(f"{a},{b}" for a, b in zip(across.tolist(), up.tolist(), strict=True))
    return f'<polygon points="{points}" class="{style}"/>'


def _svg(parts: Sequence[str], label: str, height: float) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
