"""What gunicorn serves: ``gunicorn 'diamond_app.wsgi:application()'``."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from typing import Final

from diamond_adapters.request_log.journalled_request_log import JournalledRequestLog
from diamond_app.api.app import create_app
from diamond_app.api.problems import App
from diamond_app.container import Container, build_container
from diamond_app.settings import Settings
from diamond_core.errors import DiamondError
from diamond_core.use_cases.serve_champion import Champion

FOLLOW_SECONDS: Final = 0.3
"""How often a worker looks for a new champion; one stat of a small file."""

_log = logging.getLogger("diamond_app")


def application() -> App:
    """Return the service, configured by the environment; a wrong setting stops the start."""
    try:
        container = build_container(Settings.load())
        follow(container.champion())
        keep_shipping(container.request_log())
        return app_of(container)
    except DiamondError as ex:
        print(f"diamond: {ex}", file=sys.stderr)
        # gunicorn gives up at once on this status instead of starting worker after worker
        raise SystemExit(4) from ex


def app_of(container: Container) -> App:
    """Return the service that *container* wires."""
    return create_app(
        champion=container.champion(),
        price_diamonds=container.price_diamonds(),
        find_similar=container.find_similar(),
        choose_champion=container.choose_champion(),
        models=container.models(),
        request_log=container.request_log(),
        request_archive=container.request_archive(),
        clock=container.clock(),
        journal_status=container.request_log().status,
        api_keys=container.settings().api_keys,
    )


def follow(champion: Champion) -> None:
    """Load the champion, then keep following it in a thread, off the request path."""
    _refresh(champion)
    pause = threading.Event()

    def run() -> None:
        while not pause.wait(FOLLOW_SECONDS):
            _refresh(champion)

    threading.Thread(target=run, name="follow-champion", daemon=True).start()


def keep_shipping(request_log: JournalledRequestLog) -> None:
    """Move the journal into the database, off the request path; a stopping worker finishes it."""
    request_log.start()
    atexit.register(request_log.close)


def _refresh(champion: Champion) -> None:
    before = champion.problem
    try:
        if champion.refresh():
            _log.info("serving model %s", champion.get().card.id)
    except Exception:  # a bug here must not end the thread that follows
        _log.exception("could not look for a new champion")
    if champion.problem and champion.problem != before:
        _log.error("%s; the model of before goes on serving", champion.problem)
