"""The command ``diamond models``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diamond_app.cli import lineage
from diamond_app.cli.model_id import model_id
from diamond_app.cli.output import (
    container,
    encoding_option,
    json_option,
    print_json,
    print_table,
    progress_bar,
    user,
)
from diamond_app.cli.tag_option import tag_option
from diamond_app.cli.training_options import stones_to_use
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_app.container import Container
    from diamond_core import (
        ChampionPeriod,
        ModelCard,
        ModelHistory,
        PrunedModels,
    )


@click.group("models")
def command() -> None:
    """List, show, compare, promote, copy and prune models.

    \b
    Examples:
      diamond models list
      diamond models show champion
      diamond models compare champion linear-20261123-142233-9f3a1c
      diamond models promote linear-20261123-142233-9f3a1c --reason 'asked for by sales'
      diamond models prune --keep 10 --dry-run
      diamond models push s3://our-bucket/models
    """


command.add_command(lineage.data)
command.add_command(lineage.reproduce)


@command.command("list")
@tag_option("List only models with this tag; can be repeated.")
@json_option
def list_models(tags: dict[str, str], as_json: bool) -> None:
    """List all models, newest first, and when each was champion.

    With --json: a list of cards, each with its "champion_periods".

    \b
    Examples:
      diamond models list --json
      diamond models list --tag ticket=417
    """
    from diamond_core import champion_periods
    from diamond_core.codec import to_plain

    history = container().history()
    cards, problems = history.cards_and_problems()
    cards = [card for card in cards if tags.items() <= card.tags.items()]
    for id, problem in problems.items():
        print(f"diamond: the model {id!r} can't be shown: {printable(problem)}", file=sys.stderr)
    promotions = history.promotions()
    of_model: dict[str, list[ChampionPeriod]] = {}
    for period in champion_periods(promotions):
        of_model.setdefault(period.model_id, []).append(period)
    if as_json:
        print_json(
            [
                to_plain(card)
                | {"champion_periods": [_period_values(each) for each in of_model.get(card.id, [])]}
                for card in cards
            ]
        )
        return
    champion = promotions[-1].model_id if promotions else None
    rows: list[list[object]] = [
        [
            card.id,
            card.metrics.mae,
            f"{card.metrics.mape:.1%}",
            f"{card.metrics.r2:.4f}",
            card.data.training_rows,
            "champion" if card.id == champion else "",
            "\n".join(_period(each) for each in of_model.get(card.id, [])),
        ]
        for card in cards
    ]
    if not rows:
        print("No model has these tags." if tags else "There is no model yet; run: diamond train")
        return
    columns = ["model", "MAE $", "MAPE", "R2", "stones", "", "champion (UTC)"]
    print_table("", columns, rows, ["champion (UTC)", "R2", "stones", "MAPE"])


@command.command("show")
@click.argument("id")
@json_option
def show(id: str, as_json: bool) -> None:
    """Show one model; ID can be 'champion'.

    \b
    Example:
      diamond models show champion
    """
    from diamond_core import REPORT_FILE
    from diamond_core.codec import to_plain

    history = container().history()
    card = history.card(model_id(history, id))
    if as_json:
        print_json(to_plain(card))
        return
    print_table(card.id, ["", ""], [*_facts(card), *_history_of(card, history)])
    if REPORT_FILE in card.files:
        location = printable(history.location(card.id, REPORT_FILE))
        print(f"\nreport: {location}")  # a table would cut it
    candidates = card.details.get("candidates")
    if isinstance(candidates, (list, tuple)) and all(
        isinstance(each, dict) and {"name", "cross_validated_mae"} <= each.keys()
        for each in candidates
    ):
        best: list[list[object]] = [
            [each["name"], float(each["cross_validated_mae"])] for each in candidates[:10]
        ]
        title = f"\nThe best of {len(candidates)} candidates"
        print_table(title, ["candidate", "cross-validated MAE $"], best)


@command.command("promote")
@click.argument("id")
@click.option("--reason", required=True, help="The reason; the history keeps it.")
@json_option
def promote(id: str, reason: str, as_json: bool) -> None:
    """Promote the model ID to champion; running services follow within a second.

    \b
    Example:
      diamond models promote linear-20261123-142233-9f3a1c --reason 'asked for by sales'
    """
    wired = container()
    promoted = wired.choose_champion().promote(
        model_id(wired.history(), id), reason=reason, by=user()
    )
    _print_champion(promoted, as_json)


@command.command("rollback")
@click.option("--reason", default="", help="The reason; the history keeps it.")
@json_option
def rollback(reason: str, as_json: bool) -> None:
    """Make the previous champion the champion again.

    \b
    Example:
      diamond models rollback --reason 'prices of large stones look wrong'
    """
    _print_champion(container().choose_champion().roll_back(by=user(), reason=reason), as_json)


@command.command("compare")
@click.argument("first")
@click.argument("second")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@encoding_option
@json_option
def compare(
    first: str, second: str, sources: tuple[str, ...], encoding: str | None, as_json: bool
) -> None:
    """Compare two models on the same hold-out, by price band and by grade.

    FIRST and SECOND are model ids or 'champion'. SOURCE, and its default,
    are as for 'diamond train'. A hash of each stone selects the hold-out, so neither model was
    trained on it, whatever its training data.

    \b
    Examples:
      diamond models compare champion linear-20261123-142233-9f3a1c
      diamond models compare champion linear-20261123-142233-9f3a1c 'bought/*.csv'
    """
    from diamond_app.cli.comparison import as_values, print_comparison

    wired = container()
    history = wired.history()
    ids = model_id(history, first), model_id(history, second)
    found = wired.compare_models()(*ids, stones_to_use(wired, sources, encoding))
    if as_json:
        print_json(as_values(found))
    else:
        print_comparison(found)


@command.command("live")
@click.argument("id", required=False)
@json_option
def live(id: str | None, as_json: bool) -> None:
    """Show each model's errors against the prices that were really paid.

    With ID, or 'champion', the errors of one model by week. If there is a shadow (DIAMOND_SHADOW),
    also whose error is less. See: diamond outcomes.

    \b
    Examples:
      diamond models live
      diamond models live champion --json
    """
    from diamond_app.outcome_responses import LiveErrors as Answer
    from diamond_core import LiveErrors, current

    wired = container()
    now = wired.clock()()
    chosen = None if id is None else str(model_id(wired.history(), id))
    outcomes = list(current(wired.outcome_log().read()))
    found = LiveErrors.of(outcomes)
    compared = wired.shadow_prices().compare(outcomes)
    shadows = [each for each in compared if chosen is None or each.involves(chosen)]
    models = [chosen] if chosen else sorted({*found, *(each.model_id for each in shadows)})
    answers = [
        Answer.of(
            model,
            found.get(model),
            now,
            [each for each in shadows if each.involves(model)],
        )
        for model in models
    ]
    if as_json:
        print_json(answers[0] if chosen else answers)
        return
    known = [each for each in answers if each.outcomes]
    if not known:
        more = f" for a stone that {chosen} priced." if chosen else "; see: diamond outcomes --help"
        print(f"No price is known that was paid{more}")
    elif chosen:
        rows = [*((week.since, week) for week in known[0].weeks), ("all", known[0])]
        print_table("", ["week", *_LIVE], [_live_row(*each) for each in rows])
    else:
        print_table("", ["model", *_LIVE], [_live_row(each.model_id, each) for each in known])
    for each in shadows:
        print(
            f"\nShadow {each.shadow_model_id} beside {each.model_id}, {each.stones:,} stones since"
            f" {each.since:%Y-%m-%d}:\nprices {each.mean_change:+z.1%} on average, mean size of a"
            f" change {each.mean_absolute_change:.1%}; {each.verdict()}"
        )


_LIVE = ("outcomes", "MAE $", "95 %", "bias $", "MAPE", "in range")


def _live_row(name: str, errors: Any) -> list[object]:
    return [
        name,
        errors.outcomes,
        errors.mae,
        f"{errors.mae_low:,.0f} to {errors.mae_high:,.0f}",
        errors.bias,
        f"{errors.mape:.1%}",
        f"{errors.coverage:.0%}",
    ]


@command.command("prune")
@click.option(
    "--keep",
    required=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep the N newest models, and those of the last N promotions.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@json_option
def prune(keep: int, dry_run: bool, as_json: bool) -> None:
    """Remove old models, and the training stones that only they used. Services go on serving.

    The champion stays, and so do the models to which N rollbacks would go back, and the model
    that serves in place of a damaged champion. A model whose card can't be read also stays.

    \b
    Examples:
      diamond models prune --keep 10 --dry-run
      diamond models prune --keep 10
    """
    pruned = container().prune_models()(
        keep,
        dry_run=dry_run,
        waiting=lambda sentence: print(sentence, file=sys.stderr, flush=True),
    )
    if as_json:
        kept = [{"id": id, "why": why} for id, why in pruned.kept.items()]
        freed = {"freed_bytes": pruned.freed_bytes, "dry_run": pruned.dry_run}
        print_json({"removed": pruned.removed, "kept": kept, **freed})
    else:
        _print_pruned(pruned)


@command.command("push")
@click.argument("url")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option
def push(url: str, ids: tuple[str, ...], as_json: bool) -> None:
    """Copy models to another repository; by default all that it lacks. None is promoted there.

    URL is that of a bucket, or a folder. ID can be 'champion'. A copy is the same to the byte.

    \b
    Examples:
      diamond models push s3://our-bucket/models
      diamond models push backup champion
    """
    wired = container()
    _copy(wired, wired.history(), wired.history_at(_repository_url(url)), ids, as_json)


@command.command("pull")
@click.argument("url")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option
def pull(url: str, ids: tuple[str, ...], as_json: bool) -> None:
    """Copy models from another repository; by default all that are missing here. None is promoted.

    URL is that of a bucket, or a folder. ID can be 'champion', which is the one over there.

    \b
    Examples:
      diamond models pull s3://our-bucket/models champion
      diamond models pull backup
    """
    wired = container()
    _copy(wired, wired.history_at(_repository_url(url)), wired.history(), ids, as_json)


def _repository_url(text: str) -> str:
    return text if "://" in text else Path(text).expanduser().absolute().as_uri()


def _copy(
    wired: Container,
    source: ModelHistory,
    target: ModelHistory,
    ids: tuple[str, ...],
    as_json: bool,
) -> None:
    with progress_bar(quiet=as_json) as progress:
        found = wired.copy_models()(
            source,
            target,
            [model_id(source, each) for each in ids],
            progress=progress,
            waiting=lambda sentence: print(sentence, file=sys.stderr, flush=True),
        )
    if as_json:
        print_json({"copied": found.copied, "present": found.present, "problems": found.problems})
    else:
        rows = [[id, "copied"] for id in found.copied]
        rows += [[id, "there already"] for id in found.present]
        if rows:
            print_table("", ["model", ""], rows)
        count = len(found.copied)
        print(f"Copied {count:,} model{'' if count == 1 else 's'}.")
    for id, problem in found.problems.items():
        print(f"diamond: {id} was not copied: {printable(problem)}", file=sys.stderr)
    if found.problems:
        sys.exit(1)


def _print_pruned(pruned: PrunedModels) -> None:
    did = "would be removed" if pruned.dry_run else "removed"
    rows = [[id, "kept", why] for id, why in pruned.kept.items()]
    rows += [[id, did, ""] for id in pruned.removed]
    if rows:
        print_table("", ["model", "", "why"], rows)
    verb, freed = ("Would remove", "free") if pruned.dry_run else ("Removed", "freed")
    count = len(pruned.removed)
    models = f"{count:,} model{'' if count == 1 else 's'}"
    print(f"{verb} {models} and {freed} {pruned.freed_bytes / 1e6:,.1f} MB.")


def _facts(card: ModelCard) -> list[list[object]]:
    """Return the card's facts about the training and the errors."""
    facts: list[list[object]] = [
        ["family", card.family],
        ["trained", f"{card.created_at:%Y-%m-%d %H:%M:%S} UTC, in {card.seconds:.1f} s"],
        ["data", card.data.source],
        [
            "stones",
            (
                f"{card.data.training_rows:,} for training, {card.data.holdout_rows:,} held out,"
                f" {card.data.rejected:,} rejected"
            ),
        ],
        *_remembered(card),
        *_ages(card),
        ["MAE", f"{card.metrics.mae:,.2f} USD"],
        ["MAE from the 4 Cs alone", f"{card.metrics_four_cs.mae:,.2f} USD"],
        ["MAE in the worst price decile", f"{card.metrics.worst_decile:,.2f} USD"],
        ["RMSE", f"{card.metrics.rmse:,.2f} USD"],
        ["MAPE", f"{card.metrics.mape:.2%}"],
        ["R2", f"{card.metrics.r2:.4f}"],
        ["price range covers", f"{card.coverage:.1%} of hold-out prices"],
        ["  by price quintile", ", ".join(f"{each:.1%}" for each in card.coverage_by_quintile)],
    ]
    if card.microseconds_per_stone is not None:
        facts.append(["one price takes", f"{card.microseconds_per_stone:.0f} us"])
    for known, inversions in (
        ("from the 4 Cs", card.inversions),
        ("with measurements", card.inversions_measured),
    ):
        if inversions:
            steps = ", ".join(f"{name} {share:.1%}" for name, share in inversions.items())
            facts.append([f"cheaper for better {known}", f"{steps} of the steps"])
    if card.comparison is not None:
        c = card.comparison
        change = "lower" if c.difference < 0 else "higher"
        interval = f"95 %: {c.low:+,.2f} to {c.high:+,.2f}"
        verdict = f"MAE {abs(c.difference):,.2f} USD {change} than {c.champion} ({interval})"
        facts.append(["against the champion", verdict])
    return facts


def _remembered(card: ModelCard) -> list[list[object]]:
    """Return the note and the tags, if there are any."""
    facts: list[list[object]] = [["note", card.note]] if card.note else []
    if card.tags:
        facts.append(["tags", ", ".join(f"{key}={value}" for key, value in card.tags.items())])
    return facts


def _ages(card: ModelCard) -> list[list[object]]:
    """Return how the age of prices counted, if it did."""
    data = card.data
    facts: list[list[object]] = []
    if data.half_life is not None:
        facts.append(["age of prices", f"weight halved every {data.half_life:g} days"])
    if data.window is not None:
        facts.append(["scored on prices of", f"{data.scored_since} to {data.scored_until}"])
    return facts


def _history_of(card: ModelCard, history: ModelHistory) -> list[list[object]]:
    """Return where the model is stored, and when it was champion."""
    from diamond_core import champion_periods

    facts: list[list[object]] = []
    if chosen := card.details.get("chosen"):
        reason = card.details.get("reason")
        facts.append(["chosen", f"{chosen} ({reason})" if reason else str(chosen)])
    facts += [["files", history.location(card.id).removesuffix("/card.json")]]
    sharing = sum(each.samples == card.samples for each in history.cards())
    users = "1 model" if sharing == 1 else f"{sharing:,} models"
    facts += [["samples", f"{card.samples} (used by {users})"]]
    facts += [
        ["champion", f"{_period(period)} UTC, by {period.by}: {period.reason}"]
        for period in champion_periods(history.promotions())
        if period.model_id == card.id
    ]
    return facts


def _period_values(period: ChampionPeriod) -> dict[str, Any]:
    """Return a period as JSON values, without the model's id."""
    from diamond_core.codec import to_plain

    values: dict[str, Any] = to_plain(period)
    del values["model_id"]
    return values


def _period(period: ChampionPeriod) -> str:
    until = "now" if period.until is None else f"{period.until:%Y-%m-%d %H:%M}"
    return f"{period.since:%Y-%m-%d %H:%M} - {until}"


def _print_champion(promoted: str, as_json: bool) -> None:
    if as_json:
        print_json({"champion": promoted})
    else:
        print(f"The champion is now {promoted}.")
