"""``diamond predict`` of many files, or of files in an object store."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from diamond_app.cli.cluster_option import opened
from diamond_app.cli.output import container, print_json, print_table, progress_bar
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_app.priced_rows import PriceParts
    from diamond_app.pricing_job import JobResult
    from diamond_app.settings import Settings
    from diamond_core import PriceDiamonds

LARGE: Final = 4_000_000
"""From this size on, in bytes, files are priced by several processes, which take a second to start."""
_SHOWN_REASONS: Final = 10


def is_job(files: Sequence[str]) -> bool:
    """Return whether *files* are more than one local file."""
    from diamond_adapters.folders import has_pattern

    if len(files) != 1:
        return len(files) > 1
    (text,) = files
    if "://" in text or text.endswith("/") or Path(text).is_dir():
        return True
    return has_pattern(text) and not Path(text).exists()


def price_files(
    files: Sequence[str],
    output: str | None,
    *,
    cluster: str | None,
    keep_formulas: bool,
    as_json: bool,
) -> None:
    """Price all *files* into the folder *output*; exit with 1 if one can't be priced."""
    from diamond_adapters.open_folder import open_folder
    from diamond_app.pricing_job import PricingJob
    from diamond_core import PriceDiamonds

    if output is None:
        raise click.UsageError("many files need --output: a folder, or the URL of one")
    folder, patterns = _folder_of(files)
    job = PricingJob(open_folder(folder), open_folder(output))
    entries = job.files(patterns)
    wired = container()
    wired.champion_follower().refresh()
    champion = wired.price_diamonds().pinned()
    model = job.model(champion.card.id)
    price_diamonds = champion
    if model != champion.card.id:
        price_diamonds = PriceDiamonds(wired.history().load(model))
        print(
            f"going on with the model {model}, with which this job began; to price with the"
            f" champion {champion.card.id}, choose another --output",
            file=sys.stderr,
        )
    options = {"keep_formulas": keep_formulas}
    with progress_bar(quiet=as_json) as progress:
        if cluster is not None:
            with opened(cluster) as engine:
                url = wired.settings().models_url
                result = job.run_on(engine.map, entries, url, model, progress=progress, **options)
        else:
            size = sum(each.size for each in entries)
            with price_parts(wired.settings(), price_diamonds, size) as parts:
                result = job.run(entries, price_diamonds, parts, progress=progress, **options)
    if as_json:
        _print_json(result)
    else:
        _print(result, output)
    if result.failed:
        sys.exit(1)


def price_parts(
    settings: Settings, price_diamonds: PriceDiamonds, size: int
) -> AbstractContextManager[PriceParts]:
    """Return what prices the parts of files of *size* bytes: large ones on all cores."""
    from diamond_app.priced_rows import in_this_thread
    from diamond_app.pricing_processes import PricingProcesses, cores

    is_ours = click.get_current_context().find_root().obj is None
    if size < LARGE or cores() == 1 or not is_ours:
        return nullcontext(in_this_thread(price_diamonds))
    return PricingProcesses(settings, price_diamonds, cores() - 1)


def _folder_of(files: Sequence[str]) -> tuple[str, list[str]]:
    """Return the folder that all *files* are in, and their patterns."""
    from diamond_adapters.folders import split_pattern

    whole = ("*.csv", "*.parquet")
    folders: set[str] = set()
    patterns: list[str] = []
    for text in files:
        if text.endswith("/") or Path(text).is_dir():
            folders.add(text.rstrip("/") or "/")
            patterns += whole
        else:
            folder, pattern = split_pattern(text)
            folders.add(folder)
            patterns.append(pattern)
    if len(folders) > 1:
        raise click.UsageError("price the files of one folder at a time: names could be the same")
    return folders.pop(), patterns


def _print_json(result: JobResult) -> None:
    from diamond_core.codec import to_plain

    print_json(
        {
            "model": result.model,
            "stones": result.good,
            "rejected": result.reasons.total(),
            "reasons": dict(result.reasons.most_common()),
            "files": [to_plain(each) for each in result.files],
            "known": [each.name for each in result.known],
        }
    )


def _print(result: JobResult, output: str) -> None:
    reasons = result.reasons
    if reasons:
        rows = [[count, reason] for reason, count in reasons.most_common(_SHOWN_REASONS)]
        print_table("Rows without a price", ["rows", "why"], rows)
    for each in result.failed:
        print(f"diamond: {each.name} was not priced: {printable(each.problem)}", file=sys.stderr)
    done, bad = len(result.files) - len(result.failed), reasons.total()
    summary = f"{done:,} file{'' if done == 1 else 's'} priced into {output}"
    if result.known:
        summary += f", {len(result.known):,} were priced before"
    summary += f"; {result.good:,} stones priced by {result.model}"
    if bad:
        summary += f", {bad:,} row{'' if bad == 1 else 's'} not priced: see the column 'error'"
    print(summary)
