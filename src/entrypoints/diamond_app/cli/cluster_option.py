"""The option ``--cluster``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from diamond_adapters.cluster.dask_engine import DaskEngine


def cluster_option(what: str) -> Callable[[Any], Any]:
    """Return the option of a command that does *what* on a cluster."""
    return click.option(
        "--cluster",
        metavar="ADDRESS",
        help=f"{what} on a Dask cluster: the address of its scheduler, such as tcp://host:8786, or"
        " local:4 for 4 processes on this machine.",
    )


@contextmanager
def opened(address: str) -> Iterator[DaskEngine]:
    """Yield the cluster at *address*; a wrong address is wrong usage."""
    from diamond_adapters.cluster.opened import opened_cluster
    from diamond_core import InvalidUrl

    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(opened_cluster(address))
        except InvalidUrl as ex:
            raise click.BadParameter(str(ex), param_hint="--cluster") from ex
        yield cluster
