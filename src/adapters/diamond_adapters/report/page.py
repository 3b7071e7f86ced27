"""The report as one self-contained page: sections of text, tables and inline SVG."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import Final

from diamond_adapters.report import charts
from diamond_adapters.report.data_section import data_section, rejected_section
from diamond_adapters.report.importance import permutation_importance
from diamond_adapters.report.scales import dollars
from diamond_adapters.report.search_section import search_section
from diamond_adapters.report.table import figure, table
from diamond_core.models.error_slices import PRICE_BAND, error_slices
from diamond_core.models.evaluation import Comparison, Evaluation
from diamond_core.models.model_card import ModelCard
from diamond_core.ports import Model, ReportInput

_FIFTHS: Final = ("cheapest fifth", "second", "third", "fourth", "dearest fifth")


def write_report(report: ReportInput, repeat: str = "") -> bytes:
    """Return the page, UTF-8; it asks for nothing from elsewhere.

    *repeat* is the command that repeats the training; empty, the page names none.
    """
    card = report.card
    style = files("diamond_adapters.report").joinpath("report.css").read_text("utf-8")
    body = [
        _head(card),
        _accuracy(report.evaluation),
        _errors(report.evaluation, report.champion if card.comparison is not None else None),
        _coverage(card),
        _importance(report.model, report.evaluation),
        search_section(card.details),
        data_section(report.stones, card.data),
        rejected_section(report.rejected),
        _footer(card, repeat),
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(card.id)} - training report</title><style>{style}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )
    return page.encode()


def _head(card: ModelCard) -> str:
    m = card.metrics
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
            "Price range covers",
            f"{card.coverage:.1%}",
            f"made to cover {card.price_ranges.coverage:.0%} of prices",
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
        f" has never seen.</p>{_verdict(card.comparison)}</header>"
        f"<div class='tiles'>{tiles}</div>"
    )


def _verdict(comparison: Comparison | None) -> str:
    if comparison is None:
        return "<p class='verdict'>There was no champion to compare it with.</p>"
    c, champion = comparison, f"<code>{escape(comparison.champion)}</code>"
    if c.is_better:
        style = "better"
        sentence = f"Its MAE is ${-c.difference:,.2f} lower than that of the champion of that day"
    elif c.low > 0:
        style = "worse"
        sentence = f"Its MAE is ${c.difference:,.2f} higher than that of the champion of that day"
    else:
        style = "even"
        sentence = "Its MAE differs from that of the champion of that day by no more than noise"
    return (
        f"<p class='verdict {style}'>{sentence}, {champion} (95 % interval {c.low:+,.2f} to"
        f" {c.high:+,.2f}, paired bootstrap; the champion's MAE is ${c.champion_mae:,.2f} on the"
        " same stones).</p>"
    )


def _accuracy(evaluation: Evaluation) -> str:
    actual, predicted = evaluation.stones.price, evaluation.predicted
    return _section(
        "How close the prices are",
        "Each square stands for hold-out stones; the stronger its colour, the more of them.",
        "<div class='pair'>"
        + figure(
            charts.density(actual, predicted),
            "Predicted over actual price; on the line both are equal.",
        )
        + figure(
            charts.residuals(actual, predicted, evaluation.low, evaluation.high),
            "Relative error over the price: median, middle half and middle 90 % of stones;"
            " dashed, what the price range allows.",
        )
        + "</div>",
    )


def _errors(evaluation: Evaluation, champion: Evaluation | None) -> str:
    slices = error_slices(evaluation)
    # Both have the same slices, for they are of the same stones.
    champion_maes = [] if champion is None else [each.mae for each in error_slices(champion)]
    rows: dict[str, list[list[str]]] = {}
    bars: dict[str, list[charts.Bar]] = {}
    for at, each in enumerate(slices):
        row = [
            each.name,
            f"{each.stones:,}",
            f"{each.mae:,.0f}",
            f"{each.mape:.1%}",
            f"{each.bias:+.1%}",
            f"{each.coverage:.1%}",
        ]
        if champion_maes:
            row.append(f"{champion_maes[at]:,.0f}")
            row.append(f"{round(each.mae - champion_maes[at]) or 0:+,}")
        rows.setdefault(each.by, []).append(row)
        bars.setdefault(each.by, []).append(charts.Bar(each.name, each.mape, f"{each.mape:.1%}"))
    columns = ["stones", "MAE $", "MAPE", "bias", "in range"]
    if champion_maes:
        columns += ["champion $", "change $"]
    blocks = []
    for by, lines in rows.items():
        label = "price band" if by == PRICE_BAND else by
        title = f"Mean absolute error by {label}, in percent of the price"
        drawn = figure(charts.bars(bars[by], title), f"{title}.")
        first = f"{label}, $" if by == PRICE_BAND else label
        blocks.append(f"<div class='groups'>{drawn}{table([first, *columns], lines)}</div>")
    return _section(
        "Where the errors are",
        "Hold-out errors by price band (five of equally many stones) and by grade, worst grade"
        " first. Bias is the mean of predicted over actual price, less one.",
        "".join(blocks),
    )


def _coverage(card: ModelCard) -> str:
    stated = card.price_ranges.coverage
    blocks = []
    for by, shares in (
        ("actual", card.coverage_by_quintile),
        ("predicted", card.coverage_by_predicted_quintile),
    ):
        names = _FIFTHS if len(shares) == len(_FIFTHS) else range(1, len(shares) + 1)
        rows = [
            charts.Bar(str(name), share, f"{share:.1%}", stated)
            for name, share in zip(names, shares, strict=True)
        ]
        drawn = charts.bars(rows, f"Coverage by {by} price", mark="stated", maximum=1.0)
        caption = f"Share of hold-out prices inside the range, by {by} price; mark: stated."
        blocks.append(figure(drawn, caption))
    return _section(
        "How far the price range can be trusted",
        f"Ranges are made to cover {stated:.0%} of prices; of the hold-out they cover"
        f" {card.coverage:.1%}. Where a measurement is unknown, the range is as wide as the errors of"
        " prices from carat, cut, color and clarity alone suggest.",
        f"<div class='pair'>{''.join(blocks)}</div>",
    )


def _importance(model: Model, evaluation: Evaluation) -> str:
    grown = permutation_importance(model, evaluation.stones)
    rows = [
        charts.Bar(name, usd, f"+{dollars(usd)}" if usd >= 0.5 else "$0")
        for name, usd in grown.items()
    ]
    return _section(
        "What it relies on",
        "By how much the mean absolute error grows when one field is shuffled among the stones."
        " Weight and size say nearly the same, so that the importance is divided between them.",
        figure(charts.bars(rows, "Permutation importance"), "Permutation importance, USD."),
    )


def _footer(card: ModelCard, repeat: str) -> str:
    again = f"Repeat it with <code>{escape(repeat)}</code> on the same data. " if repeat else ""
    return (
        f"<footer><p>{again}Digest of the data: <code>{escape(card.data.digest)}</code>."
        f" diamond-core {escape(card.version)}.</p>"
        "<p>MAE: mean absolute error. MAPE: the same in percent of each price. Hold-out: stones"
        " kept from training, chosen by a hash of the stone itself, the same for every model."
        "</p></footer>"
    )


def _section(title: str, note: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p class='note'>{escape(note)}</p>{content}</section>"
