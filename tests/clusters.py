"""A real Dask cluster of processes of its own, on free loopback ports, to be killed in parts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import free_port, until

WORKERS = 2


class DaskCluster:
    """A scheduler and workers, each one process with one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port)
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> None:
        """Start one more worker, and wait until the scheduler knows it."""
        options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "2GiB")
        self.workers.append(self._start("worker", self.address, *options))
        count = len(self.workers)
        until(lambda: self._registered() >= count, "the worker joined")

    def _registered(self) -> int:
        return len(re.findall(r"Register worker", self._log("scheduler-0").read_text()))

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        number = len(self.workers) if what == "worker" else 0
        with self._log(f"{what}-{number}").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *options, "--no-dashboard"],
                cwd=self._folder,
                env=os.environ | {"DASK_TEMPORARY_DIRECTORY": str(self._folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGCONT)  # if it is frozen
            process.kill()
            process.wait()


@contextmanager
def running_cluster(folder: Path, workers: int = WORKERS) -> Iterator[DaskCluster]:
    """Yield a cluster with its workers; their logs are in *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder)
    try:
        for _ in range(workers):
            cluster.start_worker()
        yield cluster
    finally:
        cluster.stop()
