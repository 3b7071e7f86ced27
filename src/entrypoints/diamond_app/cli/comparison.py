"""How ``diamond models compare`` shows two models."""

from __future__ import annotations

from typing import Any

from diamond_app.cli.output import print_table
from diamond_app.printable import printable
from diamond_core import ComparedModels
from diamond_core.codec import to_plain
from diamond_core.models.error_slices import PRICE_BAND

_TITLES = {PRICE_BAND: "price band, USD"}


def as_values(found: ComparedModels) -> dict[str, Any]:
    """Return the comparison as JSON values."""
    first, second = found.models
    answer: dict[str, Any] = {
        "data": {"source": found.source, "digest": found.digest, "holdout_rows": found.stones},
        "models": [
            {
                "id": each.card.id,
                "family": each.card.family,
                "metrics": to_plain(each.evaluation.metrics()),
                "coverage": float(each.evaluation.covered.mean()),
                "trained_on_this_data": each.same_data,
            }
            for each in found.models
        ],
        "mae_difference": {
            "mean": found.difference.difference,
            "low": found.difference.low,
            "high": found.difference.high,
        },
        "better": found.better,
        "groups": [
            {
                "by": a.by,
                "name": a.name,
                "stones": a.stones,
                "mae": [a.mae, b.mae],
                "mape": [a.mape, b.mape],
            }
            for a, b in zip(first.slices, second.slices, strict=True)
        ],
    }
    plain: dict[str, Any] = to_plain(answer)
    return plain


def print_comparison(found: ComparedModels) -> None:
    """Print both models' errors: in total, by price band, by grade; and which model is better."""
    first, second = found.models
    title = f"{found.stones:,} held-out stones of {found.source}"
    rows: list[list[object]] = []
    for name, each in (("A", first), ("B", second)):
        m = each.evaluation.metrics()
        rows.append(
            [
                name,
                each.card.id,
                m.mae,
                m.rmse,
                f"{m.mape:.1%}",
                f"{m.r2:.4f}",
                f"{each.evaluation.covered.mean():.1%}",
            ]
        )
    print_table(title, ["", "model", "MAE $", "RMSE $", "MAPE", "R2", "range covers"], rows)
    by = ""
    rows = []
    for a, b in zip(first.slices, second.slices, strict=True):
        if a.by != by and rows:
            _print_groups(by, rows)
            rows = []
        by = a.by
        shares = [f"{each.mape:.1%}" for each in (a, b)]
        rows.append([a.name, a.stones, a.mae, b.mae, f"{b.mae - a.mae:+,.2f}", *shares])
    _print_groups(by, rows)
    d = found.difference
    print(
        f"\nMAE of B minus MAE of A: {d.difference:+,.2f} USD (95 %: {d.low:+,.2f} to {d.high:+,.2f})"
    )
    if found.better is None:
        print("The difference is not significant.")
    else:
        print(f"Better: {'B' if found.better == second.card.id else 'A'}, {found.better}")
    for name, each in (("A", first), ("B", second)):
        if not each.same_data:
            print(f"Note: {name} was trained on other data ({printable(each.card.data.source)}).")


def _print_groups(by: str, rows: list[list[object]]) -> None:
    columns = [_TITLES.get(by, by), "stones", "MAE A $", "MAE B $", "B - A $", "MAPE A", "MAPE B"]
    print()
    print_table("", columns, rows)
