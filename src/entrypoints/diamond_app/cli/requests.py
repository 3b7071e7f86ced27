"""The command ``diamond requests``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diamond_app.cli.output import (
    container,
    json_option,
    output_option,
    print_json,
    print_table,
    progress_bar,
)
from diamond_app.cli.replay import recompute, replay
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_adapters.requests.dead_letters import DeadLetters
    from diamond_app.container import Container
    from diamond_core import ExchangeFilter, RequestLog

Command = TypeVar("Command", bound=Callable[..., Any])

_FILTERS = {
    "since": ("TIME", "Since this time (ISO 8601, UTC without a zone), or this age: 2h, 3d."),
    "until": ("TIME", "Before this time, or older than this age."),
    "status": ("STATUS", "With this status, such as 404, or status class, such as 4xx."),
    "path": ("PREFIX", "With a path that begins with this prefix."),
    "model": ("ID", "Priced by this model."),
    "key": ("NAME", "With the API key of this name."),
    "slower_than": ("DURATION", "Slower than this: 250 (ms) or 1.5s."),
    "id": ("ID", "With this id; a prediction's response contains it."),
    "request_id": ("ID", "With this X-Request-ID."),
}


def _filters(*names: str) -> Callable[[Command], Command]:
    """Add the options that filter exchanges."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            metavar, help = _FILTERS[name]
            option = f"--{name.replace('_', '-')}"
            command = click.option(option, metavar=metavar, help=help)(command)
        return command

    return add


def _filter(wired: Container, given: dict[str, str | None]) -> ExchangeFilter:
    from diamond_app.exchange_filters import parse_filter

    for name, text in given.items():
        if text is not None and not text.strip():
            raise click.BadParameter("is empty", param_hint=f"--{name.replace('_', '-')}")
    texts = {name: text for name, text in given.items() if text}
    filter, wrong = parse_filter(texts, wired.clock()())
    for name, detail in wrong.items():
        raise click.BadParameter(detail, param_hint=f"--{name.replace('_', '-')}")
    return filter


@click.group("requests")
def command() -> None:
    """List, show, export, replay and prune exchanges: requests with their responses.

    \b
    Examples:
      diamond requests list --since 2h --status 5xx
      diamond requests show 0198a7c2-support-case
      diamond requests export --since 2026-01-31 --until 2026-02-01 --output day.jsonl
      diamond requests prune --older-than 90d
      diamond requests replay --model linear-20261127-215313-a78d66 --since 7d
      diamond requests dead-letters list
    """


command.add_command(replay)
command.add_command(recompute)


@command.command("list")
@_filters(*_FILTERS)
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@json_option
def list_requests(limit: int, as_json: bool, **given: str | None) -> None:
    """List exchanges, newest first, without their bodies.

    \b
    Examples:
      diamond requests list --since 2h --status 5xx
      diamond requests list --path /v1/predictions --slower-than 250 -n 100 --json
    """
    from diamond_app.request_responses import Exchange

    wired = container()
    found = wired.request_log().find(_filter(wired, given), limit=limit, bodies=False)
    if as_json:
        print_json([Exchange.of(exchange, bodies=False) for exchange in found])
        return
    if not found:
        print("No exchanges match.")
        return
    rows: list[list[object]] = [
        [
            f"{exchange.occurred_at:%m-%d %H:%M:%S}",
            _shown(exchange.method, 8),
            _shown(exchange.path, 48),
            str(exchange.status),
            exchange.duration_ms,
            _shown(exchange.model_id, 32),
            _shown(exchange.key_name, 16),
            exchange.id,
            "" if exchange.request_id == exchange.id else exchange.request_id,
        ]
        for exchange in found
    ]
    columns = ["time (UTC)", "method", "path", "status", "ms", "model", "key", "id", "X-Request-ID"]
    print_table("", columns, rows, ["model", "X-Request-ID", "key", "method", "path"])


@command.command("show")
@click.argument("id")
@json_option
def show(id: str, as_json: bool) -> None:
    """Show one exchange with its bodies.

    ID is the id of an exchange or of a prediction, also of one stone in a batch, or an
    X-Request-ID. If several exchanges have this X-Request-ID, the newest is shown.

    \b
    Example:
      diamond requests show 0198a7c2-support-case
    """
    import msgspec

    from diamond_app.request_responses import FoundExchange
    from diamond_core import find_exchanges

    found = FoundExchange.of_all(find_exchanges(container().request_log(), id))
    if as_json:
        print_json(found)
        return
    answer = {
        name: value
        for name, value in msgspec.to_builtins(found, enc_hook=str).items()
        if name != "others"
    }
    bodies = [answer.pop(f"{name}_{what}") for name in ("request", "response") for what in _BODY]
    facts: list[list[object]] = [[name, _shown(str(value), 120)] for name, value in answer.items()]
    print_table("", ["", ""], facts)
    for name, (encoding, text) in zip(
        ("request", "response"), (bodies[:2], bodies[2:]), strict=True
    ):
        print(f"\n{name} ({encoding}):\n{_lines(text)}")
    if found.others:
        print(f"\nothers with this X-Request-ID: {', '.join(each.id for each in found.others)}")


_BODY = ("encoding", "body")


@command.command("export")
@_filters(*_FILTERS)
@click.option("--format", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@output_option
@click.option(
    "--keep-formulas",
    is_flag=True,
    help="Keep cells of a CSV that a spreadsheet would calculate; by default they get an apostrophe.",
)
@json_option
def export(
    format: str, output: Path | None, keep_formulas: bool, as_json: bool, **given: str | None
) -> None:
    """Export exchanges with their bodies, newest first: one JSON object per line, or CSV.

    They are streamed, so the memory used does not depend on their number. A body that is not UTF-8
    is written as base64, and request_encoding or response_encoding is then "base64".

    \b
    Examples:
      diamond requests export --since 2026-01-31 --until 2026-02-01 --output day.jsonl
      diamond requests export --status 4xx --format csv > errors.csv
    """
    from diamond_app.exchange_export import export_exchanges

    if as_json and output is None:
        raise click.UsageError("--json reports what was exported and needs --output")
    wired = container()
    filter = _filter(wired, given)
    with progress_bar(quiet=as_json or output is None) as progress:
        exported = export_exchanges(
            wired.request_log(), filter, format, output, progress, keep_formulas=keep_formulas
        )
    if as_json:
        print_json({"exported": exported, "output": str(output)})
    elif output is not None:
        print(f"Exported {exported:,} exchanges to {output}.")


@command.command("prune")
@click.option(
    "--older-than",
    required=True,
    metavar="AGE",
    help="Delete exchanges older than this: 90d, 12h, 4w.",
)
@click.option("--dry-run", is_flag=True, help="Only print how many would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask whether the clock is right.")
@json_option
def prune(older_than: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete old exchanges in small batches, and old dead letters; the service can write meanwhile.

    The database reuses the space; its files do not shrink. If no request came for a day, the
    command asks first, because the clock may be wrong; without a terminal it exits with 3.
    With DIAMOND_KEEP_REQUESTS=90d the service deletes them itself.

    \b
    Examples:
      diamond requests prune --older-than 90d --dry-run
      diamond requests prune --older-than 90d
    """
    from diamond_app.exchange_filters import parse_age
    from diamond_core import ExchangeFilter
    from diamond_core.use_cases.prune_requests import prune_requests

    wired = container()
    try:
        before = wired.clock()() - parse_age(older_than)
    except (ValueError, OverflowError) as ex:
        raise click.BadParameter(str(ex), param_hint="--older-than") from ex
    log, letters = wired.request_log(), wired.dead_letters()
    if dry_run:
        pruned = log.count(ExchangeFilter(until=before))
        dead = len(letters.older(before))
    else:
        _check_clock(log, wired.clock()(), yes=yes)
        with progress_bar(quiet=as_json) as progress:
            pruned = prune_requests(log, before, progress)
        dead = letters.remove(letters.older(before))
    if as_json:
        counts = {"pruned": pruned, "dead_letters": dead}
        print_json(counts | {"before": before.isoformat(), "dry_run": dry_run})
    else:
        did = "Would delete" if dry_run else "Deleted"
        what = f"{pruned:,} exchanges and {dead:,} dead letters"
        print(f"{did} {what} from before {before:%Y-%m-%d %H:%M:%S} UTC.")


def _check_clock(log: RequestLog, now: datetime, *, yes: bool) -> None:
    """Ask whether the clock is right if it is far ahead of the newest request."""
    from diamond_core import ExchangeFilter

    of_today = ExchangeFilter(since=now - timedelta(days=1))
    if yes or log.find(of_today, limit=1, bodies=False):
        return
    newest = log.find(ExchangeFilter(), limit=1, bodies=False)
    if not newest:
        return
    question = (
        f"The clock says {now:%Y-%m-%d %H:%M} UTC, and the last request came at "
        f"{newest[0].occurred_at:%Y-%m-%d %H:%M} UTC. Is the clock right?"
    )
    if not sys.stdin.isatty():
        print(f"diamond: {question} If so, repeat the command with --yes", file=sys.stderr)
        sys.exit(3)
    click.confirm(question, abort=True, err=True)


@command.group("dead-letters")
def dead_letters() -> None:
    """List, deliver again or delete the exchanges that the database refused.

    An exchange becomes a dead letter if the database refuses it but accepts others.

    \b
    Examples:
      diamond requests dead-letters list
      diamond requests dead-letters retry
      diamond requests dead-letters prune --all
    """


@dead_letters.command("list")
@json_option
def list_dead_letters(as_json: bool) -> None:
    """List the exchanges that the database refused, and why.

    \b
    Examples:
      diamond requests dead-letters list
      diamond requests dead-letters list --json
    """
    import msgspec

    from diamond_app.request_responses import Exchange

    letters = container().dead_letters().letters()
    if as_json:
        print_json(
            [
                {"id": letter.id, "reason": letter.reason, "set_aside_at": letter.set_aside_at}
                | (
                    msgspec.to_builtins(Exchange.of(letter.exchange, bodies=True))
                    if letter.exchange
                    else {}
                )
                for letter in letters
            ]
        )
        return
    if not letters:
        print("There are no dead letters.")
        return
    rows: list[list[object]] = [
        [
            letter.set_aside_at,
            _shown(letter.exchange.method if letter.exchange else "", 8),
            _shown(letter.exchange.path if letter.exchange else "damaged", 48),
            str(letter.exchange.status if letter.exchange else ""),
            letter.id,
            _shown(letter.reason, 200),
        ]
        for letter in letters
    ]
    print_table("", ["set aside (UTC)", "", "path", "", "id", "reason"], rows)


@dead_letters.command("retry")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option
def retry_dead_letters(ids: tuple[str, ...], as_json: bool) -> None:
    """Deliver the dead letters with these IDs, or all of them, again.

    Exits with 1 if the database refuses one again.

    \b
    Example:
      diamond requests dead-letters retry
    """
    from diamond_adapters.requests.delivery import retry

    wired = container()
    letters = wired.dead_letters()
    before = _ids(letters, ids)
    refused = retry(wired.destination(), letters, before)
    if as_json:
        print_json({"delivered": len(before) - len(refused), "refused": refused})
    else:
        print(f"Delivered {len(before) - len(refused):,} of {len(before):,} dead letters.")
        for id, reason in refused.items():
            print(f"{id}: {reason}", file=sys.stderr)
    if refused:
        sys.exit(1)


@dead_letters.command("prune")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All dead letters.")
@json_option
def prune_dead_letters(ids: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Delete the dead letters with these IDs, or all of them.

    \b
    Example:
      diamond requests dead-letters prune --all
    """
    if every == bool(ids):
        raise click.UsageError("give the ids of dead letters, or --all")
    letters = container().dead_letters()
    pruned = letters.remove(_ids(letters, ids))
    if as_json:
        print_json({"pruned": pruned})
    else:
        print(f"Deleted {pruned:,} dead letters.")


def _ids(letters: DeadLetters, ids: Sequence[str]) -> list[str]:
    """Return *ids* if each is a dead letter's; if there are none, those of all dead letters."""
    known = letters.ids()
    for id in ids:
        if id not in known:
            raise click.BadParameter(f"{id!r} is not a dead letter", param_hint="ID")
    return list(ids or known)


def _shown(text: str, maximum: int) -> str:
    return text if len(text) <= maximum else text[: maximum - 1] + "…"


def _lines(text: str) -> str:
    return printable(text, keep="\n")
