"""The command ``diamond grades``."""

from __future__ import annotations

import click

from diamond_app.cli.output import json_option, print_json, print_table


@click.command("grades")
@json_option
def command(as_json: bool) -> None:
    """Show the grades of cut, color and clarity, worst first, and the numbers with their limits.

    \b
    Example:
      diamond grades
    """
    from diamond_app.responses import grades

    found = grades()
    if as_json:
        print_json(found)
        return
    for name, scale in found.scales.items():
        rows: list[list[object]] = [[each.grade, each.meaning] for each in getattr(found, name)]
        print_table(f"{scale.label}: {scale.about}", ["grade", "meaning"], rows)
        print()
    numbers: list[list[object]] = [
        [
            name,
            each.unit,
            f"{each.minimum:g}",
            f"{each.maximum:g}",
            "required" if each.required else "",
            each.about,
        ]
        for name, each in found.fields.items()
    ]
    print_table("Numbers", ["field", "unit", "minimum", "maximum", "", "what it is"], numbers)
