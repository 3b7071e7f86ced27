"""The command ``diamond pipeline``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from diamond_app.cli.output import (
    EXIT_HELD,
    container,
    encoding_option,
    json_option,
    print_json,
    print_table,
    progress_bar,
    user,
    waiting,
)
from diamond_app.cli.training_options import training_options
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_core import PipelineRun


@click.group("pipeline")
def command() -> None:
    """Add deliveries, train on what is new, and promote what is better, unattended.

    \b
    Examples:
      diamond pipeline run 'incoming/*.csv'
      diamond pipeline history
    """


@command.command("run")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@training_options
@click.option("--force", is_flag=True, help="Train even if nothing is new.")
@encoding_option
@json_option
def run(
    sources: tuple[str, ...],
    families: tuple[str, ...],
    trials: int | None,
    seed: int,
    force: bool,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Add SOURCE to the store of stones; then, if anything is new, train, compare and promote.

    SOURCE is as for diamond data add; a glob that matches nothing is no error. The same files can be
    named in every run: what was added already changes nothing. A run that was killed is finished by
    the next one.

    Exit code: 0 if all is done or nothing was new; 1 if something failed; 3 if a file is held and
    someone must release it. DIAMOND_NOTIFY_URL gets a JSON POST about a new champion, a delivery
    when it is first held, prices asked for stones unlike the training data, or a failure.

    \b
    Examples:
      diamond pipeline run 'incoming/*.csv'
      0 3 * * * cd /srv/diamonds && diamond pipeline run 'incoming/*.csv'
    """
    from diamond_adapters.sources.locate import locate_unattended
    from diamond_core import TrainingConfig, to_plain

    wired = container()
    located = locate_unattended(sources, encoding, wired.outcome_source())
    aging = wired.aging()
    config = TrainingConfig(
        families=families,
        seed=seed,
        trials=trials,
        study=wired.study(),
        half_life=aging["half_life"],
        window=aging["window"],
        force=force,
        by=user(),
    )
    pipeline = wired.run_pipeline()
    with progress_bar(quiet=False) as progress:
        done = pipeline(located, config, progress=progress, waiting=waiting)
    if as_json:
        print_json(
            {
                "outcome": done.outcome,
                "version": done.version,
                "champion": done.champion,
                "promoted": done.promoted,
                "held": [_held(each) for each in done.held],
                "models": done.models,
                "problems": to_plain(done.problems),
                "drift": to_plain(done.drift),
            }
        )
    else:
        _print_run(done)
    for sentence in done.drift.values():
        print(f"drift: {printable(sentence)}", file=sys.stderr)
    for problem in done.problems:
        print(f"diamond: {printable(problem)}", file=sys.stderr)
    if done.outcome in ("failed", "held"):
        sys.exit(1 if done.outcome == "failed" else EXIT_HELD)


@command.command("history")
@json_option
def history(as_json: bool) -> None:
    """List all runs, newest first.

    \b
    Example:
      diamond pipeline history --json
    """
    from diamond_core import to_plain

    runs = container().pipeline_runs().runs()
    if as_json:
        print_json(to_plain(runs))
        return
    rows = [
        [
            *(each.id, each.outcome, each.version, len(each.deliveries), len(each.held)),
            *(len(each.models), "yes" if each.promoted else "", sum(each.seconds.values())),
            each.by,
        ]
        for each in runs
    ]
    columns = [
        "run",
        "outcome",
        "data",
        "deliveries",
        "held",
        "models",
        "promoted",
        "seconds",
        "by",
    ]
    print_table("", columns, rows, ["by", "deliveries", "models", "seconds"])


def _held(delivery: Any) -> dict[str, Any]:
    from diamond_core import to_plain

    return {name: to_plain(delivery[name]) for name in ("id", "source", "reason")}


def _print_run(done: PipelineRun) -> None:
    for each in done.deliveries:
        counts = (
            f"{each['new']:,} new, {each['corrected']:,} corrected, {each['rejected']:,} rejected"
        )
        print(printable(f"{each['status']:6} {each['id']}  {each['source']}: {counts}"))
        if each["status"] == "held":
            print(printable(f"       {each['reason']}"))
            print(f"       see: diamond data show {each['id']}")
    version = "" if done.version is None else f", version {done.version} of the stones"
    print(f"{done.outcome}{version}")
    for id in done.models:
        print(f"trained: {id}")
    if done.promoted:
        print(f"new champion: {done.champion}")
    elif done.champion:
        print(f"champion: {done.champion}")
