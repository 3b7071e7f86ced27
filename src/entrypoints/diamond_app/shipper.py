"""The shipper: the process that moves exchanges from the spool to the request log's database.

The service starts it, and starts it again if it dies. It ends itself once no process of the home
can append any more and all exchanges are moved.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from typing import Final

from diamond_adapters.requests.destination import open_destination
from diamond_adapters.requests.monitor import Monitor
from diamond_adapters.requests.retention import Retention
from diamond_adapters.requests.shipper import Bell, Shipper, holding
from diamond_adapters.requests.shipper_state import settings_of
from diamond_app.logs import formatter
from diamond_app.settings import Settings
from diamond_core import DiamondError

_NICE: Final = 5
"""Prices go first: what waits in the spool is safe."""


def main(arguments: list[str]) -> None:
    """Ship until the service ends. If no lock was inherited, take it if it is free."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    stop = threading.Event()
    try:
        settings = Settings.load()
        signal.signal(signal.SIGTERM, lambda *_: _end(stop, Bell(settings.spool)))
        destination = open_destination(settings.database_url, settings.spool)
        lock = nullcontext(0) if arguments else holding(settings.spool)
        with lock as held:
            if held is not None:
                retention = Retention(settings.keep_requests, settings.requests_limit)
                own = settings_of(settings.database_digest, retention, settings.watch)
                monitor = Monitor(_begin_watch, settings.monitor_every.total_seconds())
                Shipper(settings.spool, destination, retention, own, monitor).run(stop)
    except DiamondError as ex:
        sys.exit(f"diamond: {ex}")


def _begin_watch() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "diamond_app.watch"]
    return subprocess.Popen(command)  # noqa: S603  # a module of ours


def _end(stop: threading.Event, bell: Bell) -> None:
    stop.set()
    bell.ring()


if __name__ == "__main__":
    os.nice(_NICE)
    main(sys.argv[1:])
