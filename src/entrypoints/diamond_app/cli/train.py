"""The command ``diamond train``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from diamond_app.cli.cluster_option import cluster_option, opened
from diamond_app.cli.output import (
    container,
    encoding_option,
    json_option,
    print_json,
    print_table,
    progress_bar,
    user,
    waiting,
)
from diamond_app.cli.tag_option import tag_option
from diamond_app.cli.training_options import stones_to_use, training_options
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_app.container import Container
    from diamond_core import (
        ModelCard,
        ModelHistory,
        RejectedRow,
        TrainingRun,
    )

_SHOWN_REASONS = 10


@click.command("train")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@training_options
@click.option(
    "--study",
    metavar="URL",
    help="Store the parameter search in this database; runs with the same URL share it:"
    " mysql://user:password@host/name or sqlite:///file. Default is a file in the home folder.",
)
@cluster_option("Train")
@click.option("--note", default="", metavar="TEXT", help="What to remember of this training.")
@tag_option("Give the models this tag; can be repeated. See: diamond models list --tag.")
@encoding_option
@click.option("--force", is_flag=True, help="Train even if nothing has changed.")
@json_option
def command(
    sources: tuple[str, ...],
    families: tuple[str, ...],
    trials: int | None,
    seed: int,
    study: str | None,
    cluster: str | None,
    note: str,
    tags: dict[str, str],
    encoding: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Train models on SOURCE, score them on the hold-out, and promote the best if it is better.

    SOURCE is a CSV, Excel or Parquet file, a glob or a URL, plain or gzipped, or a SQL URL; default
    is the store of stones (see: diamond data), or else the bundled data set of 53,940 round natural
    diamonds (2008 prices). It needs the columns carat, cut, color, clarity and price; depth, table,
    x, y, z are optional. A CSV can have commas, semicolons or tabs, decimal commas, thousands
    separators and $; a number with two readings, such as 1,234 where nothing else shows the
    notation, is refused. Of a workbook, name the sheet if several have stones: bought.xlsx#March. A
    download can have 1 GB, 4 GB when it is decompressed, and can take 10 minutes; for more, name a
    file.

    \b
    Examples:
      diamond train
      diamond train 'bought/2026-*.csv' --family linear
      diamond train bought.xlsx#March stock.csv --encoding cp1252
      diamond train 'mysql://me:secret@host/shop?table=bought'
      diamond train --family xgboost --trials 100 --study mysql://user:password@host/studies
      diamond train '/shared/bought/*.parquet' --cluster tcp://scheduler:8786
      diamond train --note 'with the March stones' --tag ticket=417 --force
    """
    from diamond_core import InvalidUrl, TrainingConfig
    from diamond_core.codec import to_plain

    wired = container()
    config = TrainingConfig(
        families=families,
        seed=seed,
        trials=trials,
        study=study or wired.study(),
        **wired.aging(),
        force=force,
        by=user(),
        note=note,
        tags=tags,
    )
    stones = stones_to_use(wired, sources, encoding)
    with _on(cluster, wired), progress_bar(quiet=False) as progress:
        train = wired.train_models()
        try:
            run = train(
                stones,
                config,
                progress=progress,
                waiting=waiting,
            )
        except InvalidUrl as ex:
            raise click.BadParameter(str(ex), param_hint="--study") from ex
    if run.conflict:
        print(f"Nothing was promoted: {run.conflict}.", file=sys.stderr)
    if as_json:
        print_json(
            to_plain({"models": run.cards, "champion": run.champion, "rejected": run.rejected})
        )
        return
    _print_rejected(run.rejected)
    _print_models(run, wired.history())


@contextmanager
def _on(address: str | None, wired: Container) -> Iterator[None]:
    """Train on the cluster at *address*; None: in this process."""
    if address is None:
        yield
        return
    with opened(address) as cluster, wired.cluster.override(cluster):
        yield


def _print_models(run: TrainingRun, history: ModelHistory) -> None:
    from diamond_core import REPORT_FILE

    rows = []
    for card in run.cards:
        note = "champion" if card.id == run.champion else ""
        m = card.metrics
        rows.append([card.id, m.mae, m.rmse, f"{m.mape:.1%}", f"{m.r2:.4f}", card.seconds, note])
    data = run.cards[0].data
    title = f"{data.training_rows:,} training stones, {data.holdout_rows:,} held out"
    columns = ["model", "MAE $", "RMSE $", "MAPE", "R2", "seconds", ""]
    print_table(title, columns, rows, ["RMSE $", "R2", "seconds", "MAPE"])
    for card in run.cards:
        if card.id not in run.trained:
            print(f"{card.id} was already there; --force trains again")
    best = run.cards[0]
    if best.id != run.champion and not run.conflict:
        print(f"{best.id} was not promoted: {_why_not(best, run.champion)}")
    if REPORT_FILE in best.files:
        print(f"report: {printable(history.location(best.id, REPORT_FILE))}")


def _why_not(card: ModelCard, champion: str | None) -> str:
    """Return why the model with the lowest error is not the champion."""
    found = card.comparison
    if found is None or found.champion != champion or found.is_better:
        return "it was champion before or can't be served; see: diamond models list"
    interval = f"(95 %: {found.low:+,.2f} to {found.high:+,.2f})"
    if found.difference > 0:
        return f"its MAE is {found.difference:,.2f} USD higher than the champion's {interval}"
    lower = f"only {-found.difference:,.2f} USD lower than the champion's"
    return f"its MAE is {lower}, which is not significant {interval}"


def _print_rejected(rows: Sequence[RejectedRow]) -> None:
    """Print the rejected rows, counted by reason, with an example of each."""
    if not rows:
        return
    from diamond_core.stones.cleaning import kind_of

    print(f"{len(rows):,} rows were rejected; --json lists all:", file=sys.stderr)
    examples: dict[str, RejectedRow] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        for reason in row.reasons:
            kind = kind_of(reason)
            counts[kind] += 1
            examples.setdefault(kind, row)
    for kind, count in counts.most_common(_SHOWN_REASONS):
        row = examples[kind]
        reason = next(each for each in row.reasons if kind_of(each) == kind)
        print(printable(f"  {count:,} x line {row.line}: {reason}"), file=sys.stderr)
    if len(counts) > _SHOWN_REASONS:
        print(f"  ... and {len(counts) - _SHOWN_REASONS:,} other reasons", file=sys.stderr)
