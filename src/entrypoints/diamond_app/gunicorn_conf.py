"""Defaults for gunicorn; ``GUNICORN_CMD_ARGS`` and gunicorn's command line override them.

gunicorn's main process imports this and the application: the workers share their memory.
onnxruntime is not imported here: its import starts a thread, which does not survive a fork, and a
worker that ends would wait for it and abort.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import diamond_app.wsgi  # noqa: F401  # loaded here to be shared by the workers
from diamond_app.api.counters import keep_counters_of
from diamond_app.api.metrics import FOLDER
from diamond_app.logs import ACCESS_FORMAT

_MEMORY = Path("/dev/shm")  # noqa: S108  # the folder is made by mkdtemp, for this user alone
_folder = Path(
    tempfile.mkdtemp(
        prefix="diamond-metrics-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
    )
)
os.environ[FOLDER] = str(_folder)  # where the workers share their counts

wsgi_app = "diamond_app.wsgi:application()"
bind = ["127.0.0.1:8000"]
worker_class = "diamond_app.worker.Worker"
keepalive = 5  # also the time for the head of a request
timeout = 60  # also the time for its body
graceful_timeout = 30
control_socket_disable = True
logger_class = "diamond_app.logs.ServiceLogger"
# Nothing that a proxy could say about a request is used, so no address need be looked up in a list.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
forwarded_allow_ips = "*"
access_log_format = ACCESS_FORMAT


def child_exit(server: object, worker: Any) -> None:
    """Keep the counts of a worker that ended."""
    keep_counters_of(_folder, worker.pid)


def on_exit(server: object) -> None:
    """Delete the counts."""
    shutil.rmtree(_folder, ignore_errors=True)
