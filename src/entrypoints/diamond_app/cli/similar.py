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
@click.option(
    "--grades",
    type=click.Choice(["exact", "near"]),
    default="exact",
    show_default=True,
    help="near: also stones of neighbouring grades, nearest in price terms first.",
)
@json_option
def command(n: int, grades: str, as_json: bool, **values: str | None) -> None:
    """Show the training stones of the same cut, color and clarity that are nearest in weight.

    \b
    Examples:
      diamond similar --carat 1.1 --cut Ideal --color H --clarity SI2 -n 5
      diamond similar --carat 1.1 --cut Fair --color D --clarity IF --grades near
    """
    from diamond_app.price_responses import SimilarDiamonds
    from diamond_core.stones.fields import GRADES, OPTIONAL

    diamond = stone(values)
    wired = container()
    wired.champion_follower().refresh()
    find_similar = wired.find_similar()
    near = grades == "near"
    answer = SimilarDiamonds.of((find_similar.near if near else find_similar)(diamond, n))
    if as_json:
        print_json(answer)
        return
    of_grades = [*GRADES, "price_distance"] if near else []
    columns = ["carat", "carat_difference", "price", *of_grades, *OPTIONAL]
    rows = [[getattr(each, column) for column in columns] for each in answer.diamonds]
    like = "like " if near else ""
    kind = f"{like}{diamond.cut} cut, color {diamond.color}, clarity {diamond.clarity}"
    print_table(f"{answer.count} of {answer.available} stones: {kind}", columns, rows)
