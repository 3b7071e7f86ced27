"""How ``diamond models compare`` shows two models."""

from __future__ import annotations

from diamond_app.cli.output import print_table
from diamond_core.breakdown import PRICE
from diamond_core.use_cases.compare_models import ComparedModels

_TITLES = {PRICE: "price band, USD"}


def print_comparison(found: ComparedModels) -> None:
    """Print both models' errors over all, by price band and by grade, and which is better."""
    first, second = found.models
    title = f"{found.stones:,} held-out stones of {found.source}"
    rows: list[list[object]] = []
    for name, each in (("A", first), ("B", second)):
        m = each.metrics
        rows.append(
            [
                name,
                each.card.id,
                m.mae,
                m.rmse,
                f"{m.mape:.1%}",
                f"{m.r2:.4f}",
                f"{each.coverage:.1%}",
            ]
        )
    print_table(title, ["", "model", "MAE $", "RMSE $", "MAPE", "R2", "range holds"], rows)
    by = ""
    rows = []
    for group in found.groups:
        if group.by != by and rows:
            _print_groups(by, rows)
            rows = []
        by = group.by
        a, b = group.mae
        shares = [f"{share:.1%}" for share in group.mape]
        rows.append([group.name, group.stones, a, b, f"{b - a:+,.2f}", *shares])
    _print_groups(by, rows)
    d = found.difference
    print(
        f"\nMAE of B less that of A: {d.difference:+,.2f} USD (95 %: {d.low:+,.2f} to {d.high:+,.2f})"
    )
    if found.better is None:
        print("No difference beyond the noise.")
    else:
        print(f"Better: {'B' if found.better == second.card.id else 'A'}, {found.better}")
    for name, each in (("A", first), ("B", second)):
        if not each.same_data:
            print(f"Note: {name} was trained on other data ({each.card.data.source}).")


def _print_groups(by: str, rows: list[list[object]]) -> None:
    columns = [_TITLES.get(by, by), "stones", "MAE A $", "MAE B $", "B - A $", "MAPE A", "MAPE B"]
    print()
    print_table("", columns, rows)
