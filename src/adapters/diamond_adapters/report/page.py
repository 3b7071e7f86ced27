"""The report as one self-contained page: sections of text, tables and inline SVG."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import Final

import numpy as np

from diamond_adapters.report import charts
from diamond_adapters.report.data_section import data_section, rejected_section
from diamond_adapters.report.importance import permutation_importance
from diamond_adapters.report.scales import dollars
from diamond_adapters.report.search_section import search_section
from diamond_adapters.report.table import figure, table
from diamond_core.breakdown import PRICE, groups_of
from diamond_core.diamond_table import Floats
from diamond_core.ports import Training

_BAND: Final = "price band, $"


def write_report(training: Training) -> bytes:
    """Return the page, UTF-8; it asks for nothing from elsewhere."""
    card, holdout = training.card, training.holdout
    predicted = training.model.price(holdout)
    low, high = card.price_ranges.of_table(holdout, predicted)
    style = files("diamond_adapters.report").joinpath("report.css").read_text("utf-8")
    body = [
        _head(training),
        _accuracy(holdout.price, predicted, low, high),
        _by_group(training, predicted, low, high),
        _coverage(training),
        _importance(training),
        search_section(card.details),
        data_section(training),
        rejected_section(training.rejected),
        _footer(training),
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(card.id)} - training report</title><style>{style}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )
    return page.encode()


def _head(training: Training) -> str:
    card, m = training.card, training.card.metrics
    facts = [
        ("Mean absolute error", f"${m.mae:,.0f}", f"{m.mape:.1%} of the price on average"),
        ("RMSE", f"${m.rmse:,.0f}", "root mean squared error: large ones count more"),
        ("R2", f"{m.r2:.4f}", "share of the price variance explained"),
        (
            "From the 4 Cs alone",
            f"${card.metrics_four_cs.mae:,.0f}",
            "mean absolute error without measurements",
        ),
        (
            "Price range holds",
            f"{card.coverage:.1%}",
            f"made to hold {card.price_ranges.coverage:.0%} of prices",
        ),
        (
            "Worst price decile",
            f"${m.worst_decile:,.0f}",
            "mean absolute error in the hardest tenth",
        ),
    ]
    tiles = "".join(
        f'<div class="tile"><span>{escape(name)}</span><b>{escape(value)}</b>'
        f"<small>{escape(note)}</small></div>"
        for name, value, note in facts
    )
    return (
        f"<header><p class='kicker'>diamond-core training report</p><h1>{escape(card.id)}</h1>"
        f"<p class='lead'>A <b>{escape(card.family)}</b> model, trained on"
        f" {card.data.training_rows:,} diamonds on {card.created_at:%-d %B %Y at %H:%M} UTC in"
        f" {card.seconds:.1f} seconds, and scored on {card.data.holdout_rows:,} others that it"
        f" has never seen.</p>{_verdict(training)}</header>"
        f"<div class='tiles'>{tiles}</div>"
    )


def _verdict(training: Training) -> str:
    c = training.card.comparison
    if c is None:
        return "<p class='verdict'>There was no champion to compare it with.</p>"
    interval = f"95 % interval {c.low:+,.2f} to {c.high:+,.2f}, paired bootstrap"
    if c.is_better:
        word, style = f"${-c.difference:,.2f} less than the champion", "better"
    elif c.low > 0:
        word, style = f"${c.difference:,.2f} more than the champion", "worse"
    else:
        word, style = "no differently from the champion, beyond the noise,", "even"
    return (
        f"<p class='verdict {style}'>It errs {word} of that day, <code>{escape(c.champion)}</code>"
        f" ({interval}; mean absolute error ${c.champion_mae:,.2f} on the same stones).</p>"
    )


def _accuracy(actual: Floats, predicted: Floats, low: Floats, high: Floats) -> str:
    return _section(
        "How close the prices are",
        "Each square stands for hold-out stones; the stronger its colour, the more of them.",
        "<div class='pair'>"
        + figure(
            charts.density(actual, predicted),
            "Predicted over actual price; on the line both are equal.",
        )
        + figure(
            charts.residuals(actual, predicted, low, high),
            "Relative error over the price: median, middle half and middle 90 % of stones;"
            " dashed, what the price range allows.",
        )
        + "</div>",
    )


def _by_group(training: Training, predicted: Floats, low: Floats, high: Floats) -> str:
    holdout, comparison = training.holdout, training.card.comparison
    errors = np.abs(predicted - holdout.price)
    held = (low <= holdout.price) & (holdout.price <= high)
    before = None
    if training.champion is not None and comparison is not None:
        before = np.abs(training.champion.price(holdout) - holdout.price)
    rows: dict[str, list[list[str]]] = {}
    tops: dict[str, list[charts.Bar]] = {}
    for group in groups_of(holdout):
        by = _BAND if group.by == PRICE else group.by
        mae = group.mean(errors)
        champion = None if before is None else group.mean(before)
        share = group.mean(errors / holdout.price)
        bias = group.mean(predicted / holdout.price - 1.0)
        line = [group.name, f"{len(group.rows):,}", f"{mae:,.0f}", f"{share:.1%}", f"{bias:+.1%}"]
        line.append(f"{group.mean(held):.1%}")
        if champion is not None:
            line += [f"{champion:,.0f}", f"{round(mae - champion) or 0:+,}"]
        rows.setdefault(by, []).append(line)
        tops.setdefault(by, []).append(charts.Bar(group.name, share, f"{share:.1%}"))
    columns = ["stones", "MAE $", "MAPE", "bias", "in range"]
    if before is not None:
        columns += ["champion $", "change $"]
    blocks = []
    for by, lines in rows.items():
        title = f"Mean absolute error by {by.partition(',')[0]}, in percent of the price"
        drawn = figure(charts.bars(tops[by], title), f"{title}.")
        blocks.append(f"<div class='groups'>{drawn}{table([by, *columns], lines)}</div>")
    return _section(
        "Where it errs",
        "Hold-out errors by price band (five of equally many stones) and by grade, worst grade"
        " first. Bias is the mean of predicted over actual price, less one.",
        "".join(blocks),
    )


def _coverage(training: Training) -> str:
    card = training.card
    wanted = card.price_ranges.coverage
    blocks = []
    for by, shares in (
        ("actual", card.coverage_by_quintile),
        ("predicted", card.coverage_by_predicted_quintile),
    ):
        names = ["cheapest fifth", "second", "third", "fourth", "dearest fifth"]
        names = names if len(shares) == len(names) else [f"{n + 1}" for n in range(len(shares))]
        rows = [charts.Bar(n, s, f"{s:.1%}", wanted) for n, s in zip(names, shares, strict=True)]
        drawn = charts.bars(rows, f"Coverage by {by} price", mark="stated", most=1.0)
        caption = f"Share of hold-out prices inside the range, by {by} price; mark: stated."
        blocks.append(figure(drawn, caption))
    return _section(
        "How far the price range can be trusted",
        f"Ranges are made to hold {wanted:.0%} of prices; of the hold-out they hold"
        f" {card.coverage:.1%}. Where a measurement is unknown, the range is as wide as the errors of"
        " prices from carat, cut, color and clarity alone suggest.",
        f"<div class='pair'>{''.join(blocks)}</div>",
    )


def _importance(training: Training) -> str:
    grown = permutation_importance(training.model, training.holdout)
    rows = [
        charts.Bar(name, usd, f"+{dollars(usd)}" if usd >= 0.5 else "$0")
        for name, usd in grown.items()
    ]
    return _section(
        "What it relies on",
        "By how much the mean absolute error grows when one thing is shuffled among the stones."
        " Shuffled weights and sizes contradict each other, so these two share their credit.",
        figure(charts.bars(rows, "Permutation importance"), "Permutation importance, USD."),
    )


def _footer(training: Training) -> str:
    card = training.card
    trials = "" if card.trials is None else f" --trials {card.trials}"
    return (
        f"<footer><p>Made again with <code>diamond train --family {escape(card.family)}"
        f" --seed {card.seed}{trials} --force</code> on the same data (digest"
        f" <code>{escape(card.data.digest)}</code>), diamond-core {escape(card.version)}.</p>"
        "<p>MAE: mean absolute error. MAPE: the same in percent of each price. Hold-out: stones"
        " kept from training, chosen by a hash of the stone itself, the same for every model."
        "</p></footer>"
    )


def _section(title: str, note: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p class='note'>{escape(note)}</p>{content}</section>"
