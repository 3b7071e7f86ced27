"""The command ``diamond models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diamond_app.cli.output import container, json_option, print_json, print_table, user

if TYPE_CHECKING:
    from diamond_adapters.filesystem_model_repository import FilesystemModelRepository
    from diamond_core.model_card import ModelId


@click.group("models")
def command() -> None:
    """Look at the models, and choose which one serves.

    \b
    Examples:
      diamond models list
      diamond models show champion
      diamond models promote linear-20261123-142233-9f3a1c --reason 'asked for by sales'
    """


@command.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List all models, newest first.

    \b
    Example:
      diamond models list --json
    """
    models = container().models()
    cards = models.cards()
    if as_json:
        print_json([card.to_json() for card in cards])
        return
    champion = models.champion()
    reigns: dict[str, list[str]] = {}
    for promotion in models.promotions():
        reigns.setdefault(promotion.model_id, []).append(f"{promotion.at:%Y-%m-%d %H:%M}")
    rows = [
        [
            card.id,
            card.metrics.mae,
            f"{card.metrics.mape:.1%}",
            f"{card.metrics.r2:.4f}",
            card.data.training_rows,
            "champion" if card.id == champion else "",
            ", ".join(reigns.get(card.id, [])),
        ]
        for card in cards
    ]
    if not rows:
        print("There is no model yet; run: diamond train")
        return
    print_table("", ["model", "MAE $", "MAPE", "R2", "stones", "", "promoted (UTC)"], rows)


@command.command("show")
@click.argument("id")
@json_option
def show(id: str, as_json: bool) -> None:
    """Show one model; ID may be 'champion'.

    \b
    Example:
      diamond models show champion
    """
    models = container().models()
    card = models.card(_id(models, id))
    values = card.to_json()
    if as_json:
        print_json(values)
        return
    facts: list[list[object]] = [
        ["family", card.family],
        ["trained", f"{card.created_at:%Y-%m-%d %H:%M:%S} UTC, in {card.seconds:.1f} s"],
        ["data", card.data.source],
        [
            "stones",
            (
                f"{card.data.training_rows:,} learned, {card.data.holdout_rows:,} held out,"
                f" {card.data.rejected:,} rejected"
            ),
        ],
        ["MAE", f"{card.metrics.mae:,.2f} USD"],
        ["MAE from the 4 Cs alone", f"{card.metrics_four_cs.mae:,.2f} USD"],
        ["MAE in the worst price decile", f"{card.metrics.worst_decile:,.2f} USD"],
        ["RMSE", f"{card.metrics.rmse:,.2f} USD"],
        ["MAPE", f"{card.metrics.mape:.2%}"],
        ["R2", f"{card.metrics.r2:.4f}"],
        ["price range holds", f"{card.coverage:.1%} of hold-out prices"],
        ["files", str(models.path(card.id, "card.json").parent)],
    ]
    print_table(card.id, ["", ""], facts)
    candidates = card.details.get("candidates", [])
    if candidates:
        best: list[list[object]] = [
            [each["name"], float(each["cross_validated_mae"])] for each in candidates[:10]
        ]
        title = f"\nThe best of {len(candidates)} candidates"
        print_table(title, ["candidate", "cross-validated MAE $"], best)


@command.command("promote")
@click.argument("id")
@click.option("--reason", required=True, help="Why; it is kept for good.")
@json_option
def promote(id: str, reason: str, as_json: bool) -> None:
    """Make the model ID the champion; running services follow within a second.

    \b
    Example:
      diamond models promote linear-20261123-142233-9f3a1c --reason 'asked for by sales'
    """
    wired = container()
    models = wired.models()
    promoted = wired.choose_champion().promote(_id(models, id), reason=reason, by=user())
    _tell(promoted, as_json)


@command.command("rollback")
@click.option("--reason", default="", help="Why; it is kept for good.")
@json_option
def rollback(reason: str, as_json: bool) -> None:
    """Make the champion of before the present one champion again.

    \b
    Example:
      diamond models rollback --reason 'prices of large stones look wrong'
    """
    _tell(container().choose_champion().roll_back(by=user(), reason=reason), as_json)


def _tell(promoted: str, as_json: bool) -> None:
    if as_json:
        print_json({"champion": promoted})
    else:
        print(f"The champion is {promoted} now.")


def _id(models: FilesystemModelRepository, text: str) -> ModelId:
    """Return the model id that *text* names."""
    from diamond_core.errors import NoChampion
    from diamond_core.model_card import ModelId

    if text != "champion":
        return ModelId(text)
    champion = models.champion()
    if champion is None:
        raise NoChampion
    return champion
