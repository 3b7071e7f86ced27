"""The WSGI application for gunicorn: ``gunicorn 'diamond_app.wsgi:application()'``."""

from __future__ import annotations

import atexit
import ctypes
import logging
import sys
import threading
from typing import Final

from diamond_app.api.app import create_app
from diamond_app.api.problems import App
from diamond_app.container import Container, build_container
from diamond_app.settings import Settings
from diamond_core import Background, ChampionFollower, DiamondError

FOLLOW_SECONDS: Final = 0.3
"""How often a worker checks for a new champion on a disk: a check lists one small folder."""
_FOLLOW_STORE_SECONDS: Final = 1.0
"""The same in an object store, where a check is a request."""

_log = logging.getLogger("diamond_app")


def application() -> App:
    """Return the service, configured by the environment; an invalid setting stops the start."""
    try:
        settings = Settings.load()
        container = build_container(settings)
        every = FOLLOW_SECONDS if settings.models_on_disk else _FOLLOW_STORE_SECONDS
        follow(container.champion_follower(), every)
        run_in_background(container.request_log())
        return app_of(container)
    except DiamondError as ex:
        print(f"diamond: {ex}", file=sys.stderr)
        # with this status gunicorn exits at once instead of starting new workers
        raise SystemExit(4) from ex


def app_of(container: Container) -> App:
    """Return the service that *container* wires."""
    return create_app(
        champion_follower=container.champion_follower(),
        price_diamonds=container.price_diamonds(),
        explain_price=container.explain_price(),
        price_ladder=container.price_ladder(),
        find_similar=container.find_similar(),
        choose_champion=container.choose_champion(),
        history=container.history(),
        pipeline_runs=container.pipeline_runs(),
        monitoring_store=container.monitoring_store(),
        drift_limits=container.drift_limits(),
        request_log=container.request_log(),
        report_outcomes=container.report_outcomes(),
        outcome_log=container.outcome_log(),
        shadow_log=container.shadow_log(),
        recompute_exchange=container.recompute_exchange(),
        clock=container.clock(),
        api_keys=container.settings().api_keys,
        cors_origins=container.settings().cors_origins,
    )


def follow(follower: ChampionFollower, every: float = FOLLOW_SECONDS) -> None:
    """Load the champion, then look every few seconds for a new one, in a thread off the requests."""
    _refresh(follower)
    pause = threading.Event()

    def run() -> None:
        while not pause.wait(every):
            _refresh(follower)

    threading.Thread(target=run, name="follow-champion", daemon=True).start()


def run_in_background(part: Background) -> None:
    """Start the background work; a worker that stops closes it."""
    part.start()
    atexit.register(part.close)


def _refresh(follower: ChampionFollower) -> None:
    before = follower.problem
    try:
        if follower.refresh():
            _log.info("serving model %s", follower.get().card.id)
            _return_freed_memory()
    except Exception:  # a bug here must not end the thread that follows
        _log.exception("could not check for a new champion")
    if follower.problem and follower.problem != before:
        _log.error("could not follow the champion: %s", follower.problem)


def _return_freed_memory() -> None:
    """Return what loading has used to the system: a fifth of a worker's own memory (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
