"""Defaults for gunicorn; ``GUNICORN_CMD_ARGS`` and its command line come before them.

Imported in gunicorn's own process, so that what all workers need is loaded once and shared.
onnxruntime is not: it starts a thread on import, which a fork does not take along, and a worker
that ends would wait for it and abort.
"""

import falcon  # noqa: F401  # loaded here to be shared by the workers
import numpy as np  # noqa: F401
import orjson  # noqa: F401
import peewee  # noqa: F401

wsgi_app = "diamond_app.wsgi:application()"
bind = ["127.0.0.1:8000"]
worker_class = "gthread"
threads = 4
keepalive = 5
timeout = 60
graceful_timeout = 30
control_socket_disable = True
