"""The command ``diamond serve``."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import sys
from ipaddress import ip_address

import click

from diamond_app.cli.gunicorn_server import run_gunicorn
from diamond_app.cli.output import container
from diamond_app.settings import API_KEYS, ONE_TIME_KEY
from diamond_core.errors import InvalidSetting, Unavailable


@click.command("serve")
@click.option("--bind", metavar="HOST:PORT", help="Where to listen.  [default: 127.0.0.1:8000]")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Number of processes.  [default: WEB_CONCURRENCY or 1]",
)
def command(bind: str | None, workers: int | None) -> None:
    """Serve the HTTP API with gunicorn.

    gunicorn's GUNICORN_CMD_ARGS and WEB_CONCURRENCY work too. Without a model, requests for
    prices get 503 until one is trained. On a loopback address and without DIAMOND_API_KEYS, an
    admin key for this run is created and printed.

    \b
    Example:
      diamond serve --bind 0.0.0.0:8000 --workers 4
    """
    wired = container()  # an invalid setting fails here, with one line
    wired.request_log()
    _check_workers()
    listening = addresses(bind, os.environ.get("GUNICORN_CMD_ARGS", ""))
    for address in listening:
        _check_free(address)
    # an object store's client has threads, which the workers, forked from here, would lack and await
    on_disk = wired.settings().models_url.startswith("file:")
    try:
        if on_disk and wired.history().champion() is None:
            print("There is no model yet; run: diamond train", file=sys.stderr)
    except Unavailable as ex:
        print(f"diamond: {ex}", file=sys.stderr)
    arguments = ["--config", "python:diamond_app.gunicorn_conf"]
    if bind is not None:
        arguments += ["--bind", bind]
    if workers is not None:
        arguments += ["--workers", str(workers)]
    if not wired.settings().api_keys:
        _offer_one_time_key(listening)
    run_gunicorn(arguments)


def addresses(bind: str | None, gunicorn_arguments: str) -> list[str]:
    """Return gunicorn's addresses: from the option, else the environment, else the default."""
    if bind is not None:
        return [bind]
    found = []
    words = iter(shlex.split(gunicorn_arguments))
    for word in words:
        name, equals, value = word.partition("=")
        if name == "--bind":
            found.append(value if equals else next(words, ""))
        elif word.startswith("-b"):
            found.append(word[2:] or next(words, ""))
    return found or ["127.0.0.1:8000"]


def _check_workers() -> None:
    """Refuse a number of workers that gunicorn could not read."""
    text = os.environ.get("WEB_CONCURRENCY") or "1"
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise InvalidSetting("WEB_CONCURRENCY", f"must be a number of processes, not {text!r}")


def _check_free(address: str) -> None:
    """Refuse an address that gunicorn could not listen on; it would only try again and again."""
    if address.startswith(("unix:", "fd://")) or os.environ.keys() & {"GUNICORN_FD", "LISTEN_FDS"}:
        return
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65_536):
        raise click.BadParameter(f"{address!r} is not HOST:PORT", param_hint="--bind")
    try:
        found = socket.getaddrinfo(host.strip("[]") or None, port, type=socket.SOCK_STREAM)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(found[0][4])
    except OSError as ex:
        raise Unavailable(f"the service can't listen on {address}: {ex.strerror}") from ex


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach *address*, such as ``127.0.0.1:8000``."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _offer_one_time_key(listening: list[str]) -> None:
    """Create and print a key for this run, if the service listens on loopback addresses only."""
    if not all(map(is_loopback, listening)):
        print(
            f"{API_KEYS} is not set: everyone can price stones, and nobody can administer.",
            file=sys.stderr,
        )
        return
    key = secrets.token_urlsafe(24)
    # the workers get it from the environment, where only this user's processes can read it
    os.environ[ONE_TIME_KEY] = key
    print(
        f"{API_KEYS} is not set. Admin key, for this run only: {key}\n"
        f"  curl -H 'Authorization: Bearer {key}' http://{listening[0]}/v1/requests",
        file=sys.stderr,
    )
