"""The command ``diamond drift``."""

from __future__ import annotations

import click

from diamond_app.cli.output import container, json_option, print_json, print_table, progress_bar

_BAR = 20


@click.command("drift")
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="TIME",
    help="Requests from this hour on: a time (ISO 8601, UTC without a zone), or an age.",
)
@json_option
def command(since: str, as_json: bool) -> None:
    """Compare the stones that were priced with those that the champion was trained on.

    For each field, the population stability index (PSI) says how far the distribution has moved.
    The requests that are new in the log are counted first; the service does the same now and then.

    \b
    Examples:
      diamond drift
      diamond drift --since 24h --json
    """
    from diamond_app.exchange_filters import parse_time
    from diamond_app.monitoring_responses import Drift

    wired = container()
    try:
        first = parse_time(since, wired.clock()())
    except ValueError as ex:
        raise click.BadParameter(str(ex), param_hint="--since") from ex
    watch = wired.watch_prices()
    with progress_bar(as_json) as progress:
        found = watch(progress)
    answer = Drift.of(found, first, watch.limits)
    if as_json:
        print_json(answer)
        return
    rows = [
        [
            *(each.field, each.psi, "#" * min(round(_BAR * each.psi), _BAR)),
            f"{each.unknown:.0%} ({each.unknown_in_training:.0%})",
            "drifted" if each.drifted else "",
        ]
        for each in answer.fields
    ]
    level = "" if answer.price_level is None else f", predicted prices x {answer.price_level:.2f}"
    print(
        f"{answer.requests:,} distinct stones since {answer.since:.16} UTC ({answer.repeated:,} repeated)"
        f" beside the training data of {answer.model}:\n"
        f"{answer.outside_training_range:.1%} outside the training range{level}\n"
    )
    print_table("", ["field", "PSI", "0 to 1", "unknown (training)", ""], rows, ["0 to 1"])
    for sentence in answer.alarms:
        print(sentence)
