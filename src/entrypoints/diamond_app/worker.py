"""gunicorn's worker: greenlets wait for clients, native threads do long work.

A client that is slow, or sends nothing, costs a greenlet and no thread. It has gunicorn's
``keepalive`` seconds to send the head of a request, and ``timeout`` seconds to send the body and to
take each part of the answer. Nothing is monkey-patched: only the sockets of clients are gevent's,
so locks, threads and database drivers work as usual.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Final

import gevent
from gevent import socket
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.sock import ssl_context
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from diamond_app.api.operation import IN_THREAD
from diamond_app.client_socket import ClientSocket

_HEARTBEAT: Final = 1.0
_THREADS: Final = 8
_NO_LIMIT: Final = nullcontext()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker whose requests wait for their clients in greenlets."""

    def patch(self) -> None:
        """Make the listening sockets gevent's."""
        self.sockets = [
            socket.socket(each.FAMILY, socket.SOCK_STREAM, fileno=each.sock.detach())
            for each in self.sockets  # type: ignore[has-type]
        ]

    def init_signals(self) -> None:
        """From here on a signal can end the worker, also while it loads the application."""
        self._ending = Event()
        super().init_signals()

    def run(self) -> None:
        """Serve until a signal ends the worker."""
        self._idle: set[gevent.Greenlet] = set()
        self._pool = pool = Pool(self.worker_connections)
        gevent.get_hub().threadpool.maxsize = _THREADS
        secure = {"ssl_context": ssl_context(self.cfg)} if self.cfg.is_ssl else {}
        servers = []
        for listener in self.sockets:
            server = StreamServer(listener, partial(self.handle, listener), spawn=pool, **secure)
            if self.cfg.workers > 1:
                server.max_accept = 1  # so that the workers share the connections
            server.start()
            servers.append(server)
        while self.alive:
            self.notify()
            self._ending.wait(_HEARTBEAT)
        for server in servers:
            server.close()
        self._finish(pool)

    def _finish(self, pool: Pool) -> None:
        """Let requests end; close the connections that have had one and wait for the next."""
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline:
            gevent.killall(list(self._idle), timeout=_HEARTBEAT)
            if not len(pool):
                return
            self.notify()
            gevent.joinall(list(pool), timeout=_HEARTBEAT, count=1)
        self.log.warning("requests were cut off after %s s", self.cfg.graceful_timeout)
        pool.kill(timeout=_HEARTBEAT)

    def handle_exit(self, sig: int, frame: object) -> None:
        """End, and do not wait for the next heartbeat."""
        super().handle_exit(sig, frame)
        self._ending.set()

    def timeout_ctx(self) -> AbstractContextManager[None]:
        """Limit nothing: the client's socket knows until when a head must be there."""
        return _NO_LIMIT

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection; one that stalls is closed."""
        try:
            AsyncWorker.handle(self, listener, ClientSocket(client, self.cfg), addr)
        finally:
            self._idle.discard(gevent.getcurrent())

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        """Serve a request."""
        current = gevent.getcurrent()
        self._idle.discard(current)
        sock.serve()
        try:
            handled = super().handle_request(listener_name, req, sock, addr)
        finally:
            self._idle.add(current)
            sock.wait_for_next()
            if len(self._pool) > 1:  # a client that asks again at once must not keep others waiting
                gevent.sleep(0)
        return handled

    def load_wsgi(self) -> None:
        """Load the application; its long work runs in native threads."""
        super().load_wsgi()
        application = self.wsgi  # type: ignore[has-type]
        apply = gevent.get_hub().threadpool.apply

        def in_thread(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
            error = apply(_error_of, (work, arguments))
            if error is not None:
                raise error

        def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            environ[IN_THREAD] = in_thread
            return application(environ, start_response)

        self.wsgi = call


def _error_of(work: Callable[..., None], arguments: tuple[Any, ...]) -> Exception | None:
    """Do the work, and return its error: gevent would print one that is raised in its thread."""
    try:
        work(*arguments)
    except Exception as ex:  # the caller raises it
        return ex
    return None
