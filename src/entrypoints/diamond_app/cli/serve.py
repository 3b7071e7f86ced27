"""The command ``diamond serve``."""

from __future__ import annotations

import os
import sys

import click

from diamond_app.cli.output import container


@click.command("serve")
@click.option("--bind", metavar="HOST:PORT", help="Where to listen.  [default: 127.0.0.1:8000]")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="How many processes.  [default: WEB_CONCURRENCY or 1]",
)
def command(bind: str | None, workers: int | None) -> None:
    """Serve the HTTP API with gunicorn.

    GUNICORN_CMD_ARGS and WEB_CONCURRENCY mean what they mean to gunicorn. The service starts
    without a model too and answers 503 until one is trained.

    \b
    Example:
      diamond serve --bind 0.0.0.0:8000 --workers 4
    """
    wired = container()  # a wrong setting stops here, with one line
    wired.request_log()
    if wired.models().champion() is None:
        print("There is no model yet; run: diamond train", file=sys.stderr)
    arguments = [sys.executable, "-m", "gunicorn", "--config", "python:diamond_app.gunicorn_conf"]
    if bind is not None:
        arguments += ["--bind", bind]
    if workers is not None:
        arguments += ["--workers", str(workers)]
    sys.stdout.flush()
    os.execv(sys.executable, arguments)  # noqa: S606  # our own gunicorn
