"""What the tests of the spool share: a destination that can fail, and what a spool's folder holds."""

from __future__ import annotations

import subprocess
import sys

from diamond_adapters.requests.losses import Losses
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.spool_health import health_of
from diamond_core import Unavailable
from diamond_core.testing import an_exchange


class FickleDestination(PeeweeRequestLog):
    """A destination that can be away, and that does not take the request ids in ``refuses``."""

    away = False
    refuses = frozenset()
    refuses_with = Unavailable
    fails_after = False
    asked = 0

    def deliver_file(self, path, file, last):
        return None if self.refuses or self.fails_after else super().deliver_file(path, file, last)

    def deliver(self, file, last, rows):
        self._answer()
        self.asked += 1
        if any(row[1] in self.refuses for row in rows):
            raise self.refuses_with("data too long")
        super().deliver(file, last, rows)
        if self.fails_after:
            self.away = True
            raise Unavailable("the connection broke after the insert")

    def find(self, *filter, **options):
        self._answer()
        return super().find(*filter, **options)

    def marks(self):
        self._answer()
        return super().marks()

    def _answer(self):
        if self.away:
            raise Unavailable("away")


def some_exchanges(count, **changes):
    return [an_exchange(request_id=f"r{number}", **changes) for number in range(count)]


def files(folder):
    return sorted(folder.glob("*.db"))


def health(folder, limit=1 << 30):
    return health_of(folder, limit, Losses(folder))


DYING = """
import os, sys
from pathlib import Path
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core.testing import an_exchange
log = SpooledRequestLog(None, Path(sys.argv[1]))
for number in range(12):
    log.append(an_exchange(request_id=f"r{number}", response_body=b"z" * 1500))
os._exit(9)
"""


def a_dead_file(folder):
    subprocess.run([sys.executable, "-c", DYING, str(folder)], check=False)
    (path,) = files(folder)
    return path, path.with_suffix(".db-wal")
