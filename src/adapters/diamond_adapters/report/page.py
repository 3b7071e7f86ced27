"""The report as one self-contained page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from diamond_adapters import charts as chart_program
from diamond_adapters.report import charts
from diamond_adapters.report.charts import Bar, Chart, Table
from diamond_adapters.report.importance import permutation_importance
from diamond_adapters.report.search import candidates_of, trials_of
from diamond_adapters.report.stones import grades_table, numbers_table, rejected_tables
from diamond_adapters.templates import templates_in
from diamond_core.models.error_slices import PRICE_BAND, error_slices
from diamond_core.models.evaluation import Evaluation
from diamond_core.models.model_card import ModelCard
from diamond_core.ports import ReportInput

_HERE: Final = Path(__file__).parent
_FIFTHS: Final = ("cheapest fifth", "second", "third", "fourth", "most expensive fifth")


def write_report(report: ReportInput, repeat: str = "") -> bytes:
    """Return the page as UTF-8; it loads no other files.

    *repeat* is the command that repeats the training; if it is empty, the page shows none.
    """
    card, evaluation, stones = report.card, report.evaluation, report.stones
    return rendered(
        "report.html",
        card=card,
        repeat=repeat,
        accuracy=[charts.density(evaluation), charts.residuals(evaluation)],
        slices=_slices(evaluation, report.champion if card.comparison is not None else None),
        coverage=_coverage(card),
        order=_order(card),
        importance=_importance(permutation_importance(report.model, evaluation.stones)),
        **_search(card.details),
        histograms=[
            charts.histogram(stones.price, "price, USD", "usd"),
            charts.histogram(stones.carat, "weight, carat", "number"),
        ],
        numbers=numbers_table(stones),
        grades=grades_table(stones),
        rejected=report.rejected,
        rejected_tables=rejected_tables(report.rejected),
    )


def rendered(template: str, **values: Any) -> bytes:
    """Return the page of a template with its charts, as UTF-8; it loads no other files."""
    templates = templates_in(_HERE / "templates")
    # NaN is not JSON and would leave a chart empty: fail instead
    templates.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    page = templates.get_template(template).render(
        style=chart_program.FOLDER.joinpath("base.css").read_text("utf-8")
        + _HERE.joinpath("report.css").read_text("utf-8"),
        script=chart_program.script("plot.js", "bars.js"),
        **values,
    )
    return page.encode()


def _slices(evaluation: Evaluation, champion: Evaluation | None) -> list[tuple[Chart, Table]]:
    """Return a chart and a table of the errors by price band and by each grade."""
    slices = error_slices(evaluation)
    # both have the same slices, because they are of the same stones
    champion_maes = [] if champion is None else [each.mae for each in error_slices(champion)]
    more = ["champion MAE", "difference"] if champion_maes else []
    rows: dict[str, list[list[str]]] = {}
    bars: dict[str, list[Bar]] = {}
    for at, each in enumerate(slices):
        row = [each.name, f"{each.stones:,}", f"{each.mae:,.0f}", f"{each.mape:.1%}"]
        row += [f"{each.bias:+.1%}", f"{each.coverage:.1%}"]
        if champion_maes:
            change = round(each.mae - champion_maes[at]) or 0
            row += [f"{champion_maes[at]:,.0f}", f"{change:+,}"]
        rows.setdefault(each.by, []).append(row)
        bars.setdefault(each.by, []).append(Bar(each.name, each.mape, f"{each.mape:.1%}"))
    names = {by: "price, USD" if by == PRICE_BAND else by for by in rows}
    return [
        (
            charts.bars(bars[by], "MAPE", names[by]),
            Table([names[by], "stones", "MAE", "MAPE", "bias", "coverage", *more], rows[by]),
        )
        for by in rows
    ]


def _coverage(card: ModelCard) -> list[Chart]:
    target = card.price_ranges.coverage
    found = []
    for by, shares in (
        ("actual", card.coverage_by_quintile),
        ("predicted", card.coverage_by_predicted_quintile),
    ):
        names = _FIFTHS if len(shares) == len(_FIFTHS) else range(1, len(shares) + 1)
        rows = [
            Bar(str(name), share, f"{share:.1%}", target)
            for name, share in zip(names, shares, strict=True)
        ]
        if rows:
            mark = f"Target: {target:.0%}"
            found.append(charts.bars(rows, "Coverage", f"{by} price", mark=mark, maximum=1.0))
    return found


def _order(card: ModelCard) -> Table | None:
    """Return the inversions as a table, or None for a card without them."""
    if not card.inversions:
        return None
    rows = [
        [name, f"{share:.1%}", f"{card.inversions_measured[name]:.1%}"]
        if name in card.inversions_measured
        else [name, f"{share:.1%}", ""]
        for name, share in card.inversions.items()
    ]
    return Table(["better or greater", "from the 4 Cs", "with measurements"], rows)


def _importance(grown: Mapping[str, float]) -> Chart:
    rows = [
        Bar(name, usd, f"{usd:+,.0f} USD" if usd >= 0.5 else "0") for name, usd in grown.items()
    ]
    return charts.bars(rows, "Increase of the MAE", "shuffled field")


def _search(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the section on model selection, from the family's details."""
    trials = trials_of(details)
    rest = {name: value for name, value in details.items() if name not in ("candidates", "trials")}
    return {
        "trials": charts.history(trials) if len(trials) > 1 else None,
        "candidates": candidates_of(details, trials),
        "details": json.dumps(rest, indent=2, ensure_ascii=False, default=str) if rest else "",
    }
