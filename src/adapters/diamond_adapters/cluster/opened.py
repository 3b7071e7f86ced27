"""Connect to a Dask cluster, or start one on this machine."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from diamond_adapters.installed import not_installed
from diamond_adapters.versions import versions_of
from diamond_core import InvalidUrl, Unavailable

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

    from diamond_adapters.cluster.dask_engine import DaskEngine

CONNECT: Final = 5.0
"""How long a scheduler may take to answer at first, in seconds."""
JOIN: Final = 10.0
"""How long to wait for the first worker, in seconds."""
_SAME: Final = ("diamond-core", "distributed", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")
"""Packages that all have in the same version, besides Python and numpy."""
_LOCAL: Final = re.compile(r"local:([1-9][0-9]{0,3})")
_ADDRESS: Final = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):([0-9]{1,5})")


@contextmanager
def opened_cluster(address: str) -> Iterator[DaskEngine]:
    """Yield the engine of a cluster, with the workers that it has now.

    *address* is that of a Dask scheduler, ``tcp://host:8786`` (``tls://`` with what Dask's own
    configuration says), or ``local:4`` for so many worker processes of this machine, which end with
    the block.

    Raises:
        InvalidUrl: *address* is neither.
        Unavailable: Dask is not installed, nobody answers, there are no workers, or they have other
            versions than this process.
    """
    local, remote = _LOCAL.fullmatch(address), _ADDRESS.fullmatch(address)
    if not local and not (remote and 0 < int(remote[3]) < 65_536):
        raise InvalidUrl(
            "use the address of a Dask scheduler, such as tcp://host:8786, or local:4 for 4"
            " processes on this machine"
        )
    try:
        import distributed

        from diamond_adapters.cluster.dask_engine import DaskEngine
    except ImportError as ex:
        raise Unavailable(not_installed(ex)) from ex
    for name in list(logging.root.manager.loggerDict):  # what matters becomes an error of ours
        if name.partition(".")[0] in {"distributed", "tornado", "asyncio"}:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="distributed")
        with _cluster(int(local[1])) if local else nullcontext(address) as target:
            if not local:
                _check_scheduler(address)
            client = distributed.Client(target, timeout=CONNECT, set_as_default=False)
            try:
                _wait_for_workers(client, address)
                engine = DaskEngine(client, address)
                engine.watched(lambda: _check_versions(client, address))
                yield engine
            finally:
                _close(client)


@contextmanager
def _cluster(count: int) -> Iterator[LocalCluster]:
    """Yield a cluster of so many processes, each with one thread."""
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        security=True,  # other users of this machine could run what they want
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )
    try:
        yield cluster
    finally:
        with suppress(Exception):  # the work is done, or has failed already
            cluster.close(timeout=CONNECT)


def _check_scheduler(address: str) -> None:
    """Raise ``Unavailable`` if no scheduler answers: a client that can't connect is never closed."""
    from distributed import Security
    from distributed.core import rpc

    async def identity() -> Any:
        secrets = Security().get_connection_args("client")
        async with rpc(address, timeout=CONNECT, connection_args=secrets) as scheduler:
            return await scheduler.identity(n_workers=0)

    async def in_time() -> Any:
        return await asyncio.wait_for(identity(), CONNECT)

    kind = ""
    with suppress(Exception):  # whatever answers may not be a scheduler
        kind = asyncio.run(in_time())["type"]
    if kind != "Scheduler":
        raise Unavailable(f"no Dask scheduler answers at {address}")


def _wait_for_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=JOIN)
    except Exception as ex:  # a timeout of several kinds
        raise Unavailable(f"the cluster {address} has no workers") from ex


def _check_versions(client: Client, address: str) -> None:
    """Raise ``Unavailable`` if a worker could not do the work, or would do it differently."""
    ours = client.run(version, "diamond-core", on_error="return")
    without = [worker for worker, found in ours.items() if not isinstance(found, str)]
    if without:
        raise Unavailable(f"the worker {without[0]} of {address} has no diamond-core")
    for worker, found in client.run(versions_of, *_SAME).items():
        for name, here in _versions_here().items():
            there = found.get(name, "not installed")
            if there != here:
                raise Unavailable(
                    f"the worker {worker} of {address} has {name} {there}, but this host {here}"
                )


def _versions_here() -> dict[str, str]:
    return versions_of(*_SAME)


def _close(client: Client) -> None:
    """Close a client. If its scheduler is gone, nobody waits for that."""
    closing = threading.Thread(target=_closed, args=[client], daemon=True)
    closing.start()
    closing.join(CONNECT)


def _closed(client: Client) -> None:
    with suppress(Exception):
        client.close(timeout=CONNECT)
