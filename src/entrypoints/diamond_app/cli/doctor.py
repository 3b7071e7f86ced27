"""The command ``diamond doctor``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from diamond_app.cli.output import container, json_option, print_json
from diamond_app.printable import printable

if TYPE_CHECKING:
    from diamond_app.container import Container


@click.command("doctor")
@json_option
def command(as_json: bool) -> None:
    """Check the settings, the home folder, the models, the stones and the request log.

    Exits with 1 if a check fails.

    \b
    Example:
      diamond doctor
    """
    wired = container()
    findings = []
    for name, check in _CHECKS.items():
        problem = check(wired)
        findings.append({"check": name, "ok": problem is None, "problem": problem})
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            mark = "ok  " if finding["ok"] else "FAIL"
            problem = "" if finding["ok"] else f": {finding['problem']}"
            print(printable(f"{mark} {finding['check']}{problem}"))
    if not all(finding["ok"] for finding in findings):
        sys.exit(1)


def _home(wired: Container) -> str | None:
    home = wired.settings().home
    folder = next(each for each in (home, *home.parents) if each.exists())
    if folder.is_dir() and os.access(folder, os.W_OK):
        return None
    return f"{home} is not writable" if folder == home else f"{home} can't be created"


def _private(wired: Container) -> str | None:
    home = wired.settings().home
    mode = home.stat().st_mode & 0o777 if home.is_dir() else 0
    if not mode & 0o077:
        return None
    command = f"chmod -R go= {shlex.quote(str(home))}"
    return f"other users of this machine have rights on {home} (mode {mode:o}); run: {command}"


def _champion(wired: Container) -> str | None:
    follower = wired.champion_follower()
    follower.refresh()
    if follower.problem:
        return follower.problem
    follower.get()
    return None


def _models(wired: Container) -> str | None:
    problems = wired.stored_history().problems()
    return "; ".join(f"the model {id!r}: {each}" for id, each in problems.items()) or None


def _shadow(wired: Container) -> str | None:
    from diamond_app.settings import SHADOW

    shadow = wired.shadow_prices()
    shadow.start()
    return f"{SHADOW}: {shadow.problem}" if shadow.problem else None


def _families(wired: Container) -> str | None:
    from diamond_adapters.installed import can_train

    if not can_train():  # this host only serves
        return None
    families = wired.families()
    for name in families:
        _ = families[name]
    return None


def _stones(wired: Container) -> str | None:
    from diamond_adapters.installed import can_train

    if can_train():
        wired.stone_store().version()
    return None


def _request_log(wired: Container) -> str | None:
    from diamond_core import ExchangeFilter

    wired.request_log().find(ExchangeFilter(), limit=1, bodies=False)
    return None


def _health(wired: Container) -> str | None:
    return wired.request_log().health().problem or None


def _as_text(check: Callable[[Container], str | None]) -> Callable[[Container], str | None]:
    """Return the check with its domain errors returned instead of raised."""
    from diamond_core.errors import DiamondError

    def run(wired: Container) -> str | None:
        try:
            return check(wired)
        except DiamondError as ex:
            return str(ex)

    return run


_CHECKS = {
    "home folder can be written": _as_text(_home),
    "home folder is private": _as_text(_private),
    "champion prices stones": _as_text(_champion),
    "shadow prices stones, if there is one": _as_text(_shadow),
    "all models are undamaged": _as_text(_models),
    "all model families load": _as_text(_families),
    "store of stones can be read": _as_text(_stones),
    "request log can be read": _as_text(_request_log),
    "request log is healthy": _as_text(_health),
}
