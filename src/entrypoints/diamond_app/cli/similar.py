"""The command ``diamond similar``."""

from __future__ import annotations

from functools import partial

import click

from diamond_app.cli.output import container, json_option, print_json, print_table
from diamond_app.cli.stone_options import stone, stone_options
from diamond_core.stones.fields import REQUIRED


@click.command("similar")
@partial(stone_options, names=REQUIRED)
@click.option(
    "-n", "n", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many stones."
)
@json_option
def command(n: int, as_json: bool, **values: str | None) -> None:
    """Show the training stones of the same cut, color and clarity that are nearest in weight.

    \b
    Example:
      diamond similar --carat 1.1 --cut Ideal --color H --clarity SI2 -n 5
    """
    from diamond_app.responses import SimilarDiamonds
    from diamond_core.stones.fields import OPTIONAL

    diamond = stone(values)
    wired = container()
    wired.champion_follower().refresh()
    answer = SimilarDiamonds.of(wired.find_similar()(diamond, n))
    if as_json:
        print_json(answer)
        return
    columns = ["carat", "carat_difference", "price", *OPTIONAL]
    rows = [[getattr(each, column) for column in columns] for each in answer.diamonds]
    kind = f"{diamond.cut} cut, color {diamond.color}, clarity {diamond.clarity}"
    print_table(f"{answer.count} of {answer.available} stones: {kind}", columns, rows)
