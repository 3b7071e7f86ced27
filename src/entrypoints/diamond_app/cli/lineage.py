"""The commands ``diamond models data`` and ``diamond models reproduce``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from diamond_app.cli.model_id import model_id
from diamond_app.cli.output import (
    container,
    json_option,
    output_option,
    print_json,
    progress_bar,
    write_csv,
)


@click.command("data")
@click.argument("id")
@output_option
def data(id: str, output: Path | None) -> None:
    """Write every stone that the model ID was trained on as a CSV.

    The columns are those of a delivery, then id, date and delivery. ID is a model's id or
    'champion'. The model must have been trained on the store of stones.

    \b
    Example:
      diamond models data champion --output trained-on.csv
    """
    from diamond_app.csv_cells import neutralized
    from diamond_core import COLUMNS

    wired = container()
    records = wired.reproduce_model().rows(model_id(wired.history(), id))
    columns = [records.table.values(name) for name in COLUMNS]
    others = (neutralized(list(records.ids)), map(str, records.dates), records.deliveries)
    header = [*COLUMNS, "id", "date", "delivery"]
    write_csv(output, header, zip(*columns, *others, strict=True), "stones")


@click.command("reproduce")
@click.argument("id")
@json_option
def reproduce(id: str, as_json: bool) -> None:
    """Train the model ID again, from the stones that it was trained on, and compare the results.

    Nothing is stored. Exit code 0: model.onnx is the same, byte for byte; else 1. Another version
    of a library can give another result: those that differ are named.

    \b
    Example:
      diamond models reproduce champion
    """
    wired = container()
    with progress_bar(quiet=False) as progress:
        found = wired.reproduce_model()(model_id(wired.history(), id), progress=progress)
    card = found.card
    if as_json:
        print_json(
            {
                "id": card.id,
                "version": card.data.version,
                "same": found.same,
                "libraries": {name: list(versions) for name, versions in found.libraries.items()},
            }
        )
    else:
        result = "the same, byte for byte" if found.same else "another one"
        print(f"{card.id}, trained again on version {card.data.version}: model.onnx is {result}")
        for name, (then, now) in found.libraries.items():
            print(f"  {name}: {then or 'not installed'} then, {now or 'not installed'} now")
    if not found.same:
        sys.exit(1)
