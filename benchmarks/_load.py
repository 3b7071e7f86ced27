"""Loads a service with ``wrk``, or at a constant rate with ``hey``, and what it measured."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from support import STONE, environment

CONNECTIONS = 8
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Request:
    """A request that is sent again and again; a *body* is sent as JSON."""

    path: str
    body: object = None

    def text(self) -> str:
        return "" if self.body is None else json.dumps(self.body)


ONE_STONE = Request("/v1/predictions", STONE)


@dataclass
class Measured:
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0
    """What a request cost the service's processes; other load on the machine hardly changes it."""


@dataclass(frozen=True)
class Figure:
    """The median of some rounds, the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        digits = 0 if self.median >= 100 else 1 if self.median >= 10 else 2
        return (
            f"{self.median:,.{digits}f} ({self.least:,.{digits}f} to {self.greatest:,.{digits}f})"
        )


def train(home, family, *more):
    """Train a model of the bundled stones, with its default parameters, as the champion of *home*."""
    command = [sys.executable, "-m", "diamond_app", "train", "--family", family, "--trials", "0"]
    subprocess.run([*command, *more], env=environment(home), check=True, capture_output=True)


def load(service, seconds, request=ONE_STONE, connections=CONNECTIONS):
    """Send *request* on some kept connections, as often as it is answered."""
    port, pid = service
    cpu = cpu_seconds(pid)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if request.body is not None:
            script.write(
                f"wrk.method = 'POST'\nwrk.body = [==[{request.text()}]==]\n"
                "wrk.headers['Content-Type'] = 'application/json'\n"
            )
        script.flush()
        output = _run(
            *("wrk", "--threads", "1", "--connections", str(connections), "--latency"),
            *(
                "--duration",
                f"{max(1, round(seconds))}s",
                "--timeout",
                "60s",
                "--script",
                script.name,
            ),
            f"http://127.0.0.1:{port}{request.path}",
        )
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"not every request was answered:\n{output}")
    per_second = float(_found(r"Requests/sec:\s+([\d.]+)", output)[0])
    p50, p99 = (
        float(value) * _UNITS[unit]
        for value, unit in (
            _found(rf"\s{share}%\s+([\d.]+)(us|ms|s|m)\b", output) for share in (50, 99)
        )
    )
    cpu = (cpu_seconds(pid) - cpu) / (per_second * seconds) * 1e6
    return Measured(per_second, p50, p99, cpu)


def load_at(service, rate, seconds, request=ONE_STONE, connections=16):
    """Send *rate* requests a second; the time of an answer counts from when it could be sent."""
    port, _ = service
    body = [] if request.body is None else ["-m", "POST", "-d", request.text()]
    output = _run(
        *(
            "hey",
            "-z",
            f"{max(1, round(seconds))}s",
            "-c",
            str(connections),
            "-q",
            f"{rate / connections:g}",
        ),
        *("-T", "application/json", *body, f"http://127.0.0.1:{port}{request.path}"),
    )
    if re.findall(r"\[(\d+)\]\s+\d+ responses", output) != ["200"]:
        raise SystemExit(f"not every request was answered:\n{output}")
    per_second = float(_found(r"Requests/sec:\s+([\d.]+)", output)[0])
    p50, p99 = (
        float(_found(rf"{share}%+ in ([\d.]+) secs", output)[0]) * 1e3 for share in (50, 99)
    )
    return Measured(per_second, p50, p99)


def table_row(who, measured, fields):
    """Return a row of a table: the figures of some rounds, by the fields of ``Measured``."""
    figures = [Figure.of([getattr(each, field) for each in measured]) for field in fields]
    return f"| {who} | {' | '.join(map(str, figures))} |"


def _run(*command):
    if which(command[0]) is None:
        raise SystemExit(f"install {command[0]}; on Debian or Ubuntu: apt-get install wrk hey")
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _found(pattern, output):
    found = re.search(pattern, output)
    if found is None:
        sys.exit(f"this output is not understood:\n{output}")
    return found.groups()


def cpu_seconds(pid):
    """Return what the children of a process have used."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stats = [
        Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split() for child in children
    ]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")
