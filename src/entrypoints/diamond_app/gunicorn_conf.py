"""Defaults for gunicorn; ``GUNICORN_CMD_ARGS`` and its command line come before them.

Imported in gunicorn's own process, so that what all workers need is loaded once and shared.
onnxruntime is not: it starts a thread on import, which a fork does not take along, and a worker
that ends would wait for it and abort.
"""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  # the folder is made by mkdtemp, for this user alone
_FOLDER, _PREFIX = "PROMETHEUS_MULTIPROC_DIR", "diamond-metrics-"
_given = os.environ.get(_FOLDER, "")
_is_ours = not _given or Path(_given).name.startswith(_PREFIX)  # inherited in a live upgrade
if _is_ours:
    os.environ[_FOLDER] = tempfile.mkdtemp(
        prefix=_PREFIX, dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
    )
_folder = Path(os.environ[_FOLDER])  # prometheus_client reads it when it is imported, below

import diamond_app.wsgi  # noqa: E402, F401  # loaded here to be shared by the workers
from diamond_app.logs import ACCESS_FORMAT  # noqa: E402

wsgi_app = "diamond_app.wsgi:application()"
bind = ["127.0.0.1:8000"]
worker_class = "gthread"
threads = 4
keepalive = 5
timeout = 60
graceful_timeout = 30
control_socket_disable = True
logger_class = "diamond_app.logs.ServiceLogger"
access_log_format = ACCESS_FORMAT


def on_starting(server: object) -> None:
    """Begin with empty metrics."""
    _folder.mkdir(parents=True, exist_ok=True)
    for file in _folder.glob("*.db"):
        file.unlink(missing_ok=True)


def on_exit(server: object) -> None:
    """Take the metrics' folder away again."""
    if _is_ours:
        shutil.rmtree(_folder, ignore_errors=True)
