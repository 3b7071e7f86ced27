"""The process that counts the requests, and compares them with the training data.

The shipper starts it with a low priority, so that no worker waits.
"""

from __future__ import annotations

import logging
import os
import sys

from diamond_app.container import build_container
from diamond_app.logs import formatter
from diamond_app.settings import Settings
from diamond_core import DiamondError, NoChampion

_NICE = 19


def main() -> None:
    """Count, and end; also if the process that started it has ended."""
    os.nice(_NICE)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    parent = os.getppid()

    def progress(step: str, share: float) -> None:
        if os.getppid() != parent:
            sys.exit(1)

    try:
        container = build_container(Settings.load())
        # the shipper that started it has moved what there is: there is no spool to wait for
        container.request_log.override(container.destination)
        container.watch_prices()(progress)
    except NoChampion:
        pass
    except DiamondError as ex:
        sys.exit(f"diamond: {ex}")


if __name__ == "__main__":
    main()
