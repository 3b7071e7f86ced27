"""The command ``diamond predict``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diamond_app.cli.cluster_option import cluster_option
from diamond_app.cli.output import (
    container,
    json_option,
    keep_formulas_option,
    print_json,
    print_table,
    progress_bar,
)
from diamond_app.cli.predict_job import is_job, price_files, price_parts
from diamond_app.cli.stone_options import brief_stone, stone, stone_options

if TYPE_CHECKING:
    from diamond_core import Diamond, Explanation


@click.command("predict")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@stone_options
@click.option(
    "--output",
    metavar="FILE|FOLDER",
    help="Write the priced file to this one (default is stdout, for a CSV), many into this folder.",
)
@click.option("--explain", is_flag=True, help="Say why: what each property adds to the price.")
@click.option(
    "--compared-with",
    callback=brief_stone,
    metavar="STONE",
    help="Explain from this stone on: its weight, cut, color and clarity, such as '1.0 Good H SI2'.",
)
@cluster_option("Price many files")
@keep_formulas_option
@json_option
def command(
    files: tuple[str, ...],
    output: str | None,
    explain: bool,
    compared_with: Diamond | None,
    cluster: str | None,
    keep_formulas: bool,
    as_json: bool,
    **values: str | None,
) -> None:
    """Price one stone given by options, or each row of FILE: a CSV or a .parquet file.

    Only carat, cut, color and clarity are required. The output is a file of the same kind: it has
    the rows and columns of the input, then the columns predicted_price, price_low, price_high, error
    and warning. Large files are priced on all cores.

    Many files, a pattern in quotes, a folder, or files in an object store are a job: each is priced
    into the folder --output under its name, all by one model. If a job was interrupted, the same
    command goes on: files that are priced, and have not changed, are skipped.

    \b
    Examples:
      diamond predict --carat 1.1 --cut Ideal --color H --clarity SI2
      diamond predict --carat 1.1 --cut Ideal --color H --clarity SI2 --explain
      diamond predict --carat 1.1 --cut Ideal --color H --clarity SI2 --compared-with "1.0 Good H SI2"
      diamond predict stones.csv --output priced.csv
      diamond predict stones.parquet --output priced.parquet
      diamond predict 's3://bucket/offers/*.parquet' --output s3://bucket/priced/
      diamond predict 's3://bucket/offers/*' --output s3://bucket/priced/ --cluster tcp://host:8786
    """
    if files:
        of_one = (compared_with, *values.values())
        if any(value is not None for value in of_one) or explain:
            raise click.UsageError("a file takes neither --explain nor the options of one stone")
        if is_job(files):
            price_files(
                files, output, cluster=cluster, keep_formulas=keep_formulas, as_json=as_json
            )
            return
        if as_json or cluster is not None:
            raise click.UsageError("one file takes neither --json nor --cluster")
        _price_file(
            _existing(files[0]), Path(output) if output else None, keep_formulas=keep_formulas
        )
        return
    if output is not None or keep_formulas or cluster is not None:
        raise click.UsageError(
            "--output, --cluster and --keep-formulas need a file, which comes first"
        )
    from diamond_app.price_responses import Prediction
    from diamond_core import new_exchange_id

    diamond = stone(values)
    wired = container()
    wired.champion_follower().refresh()
    if explain or compared_with is not None:
        prediction = wired.explain_price()(diamond, compared_with)
    else:
        prediction = wired.price_diamonds().one(diamond)
    if as_json:
        print_json(Prediction.of(prediction, new_exchange_id(), diamond.carat))
        return
    print(f"${prediction.price:,.2f}")
    low, high = f"${prediction.low:,.2f}", f"${prediction.high:,.2f}"
    if prediction.is_extrapolated:
        print(f"  {low} to {high}, a cautious range: no such stones are known")
    else:
        coverage = prediction.card.price_ranges.coverage
        print(f"  {coverage:.0%} of such stones cost {low} to {high}")
    print(f"  ${prediction.price / diamond.carat:,.2f} per carat; model {prediction.card.id}")
    print(f"  {prediction.card.data.priced_as()}")
    comparables = wired.price_ladder()(diamond).comparables
    print(f"  {comparables.sentence()}")
    if comparables.warning():
        print(f"  {comparables.warning()}")
    if prediction.assumed:
        print(f"  not given, assumed: {', '.join(prediction.assumed)}")
    if prediction.warning:
        print(f"  {prediction.warning}")
    if prediction.explanation is not None:
        _print_why(prediction.explanation, prediction.price)


def _print_why(why: Explanation, price: float) -> None:
    other = why.compared_with
    stone = f"{other.carat:g} ct, {other.cut}, {other.color}, {other.clarity}"
    rows = [
        [f"{'a typical' if why.is_typical else 'the other'} stone ({stone})", f"{why.base:,.2f}"],
        *([each.what, f"{each.amount:+,.2f}"] for each in why.contributions),
        ["this stone", f"{price:,.2f}"],
    ]
    print()
    print_table("", ["", "USD"], rows, words=1)
    print(why.sentence())


def _existing(text: str) -> Path:
    path = Path(text)
    if not path.exists():
        raise click.BadParameter(f"File {text!r} does not exist.", param_hint="'[FILE]...'")
    return path


def _price_file(file: Path, output: Path | None, *, keep_formulas: bool) -> None:
    from diamond_app.priced_file import is_parquet, price_file
    from diamond_app.whole_file import whole_file

    if is_parquet(file) != is_parquet(output or Path()):
        raise click.UsageError(
            "a Parquet file is priced into a Parquet file, and a CSV into a CSV: see --output"
        )
    wired = container()
    wired.champion_follower().refresh()
    price_diamonds = wired.price_diamonds().pinned()
    with (
        progress_bar(quiet=False) as progress,
        whole_file(output) as target,
        price_parts(wired.settings(), price_diamonds, file.stat().st_size) as parts,
    ):
        priced = price_file(
            file, target, price_diamonds, parts, keep_formulas=keep_formulas, progress=progress
        )
    summary = f"{priced.good:,} stones priced"
    if priced.bad:
        summary += f", {priced.bad:,} rows not priced: see the column 'error'"
    print(summary, file=sys.stderr)
