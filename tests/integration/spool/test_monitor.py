"""The process that the shipper starts now and then."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from itertools import count

import pytest
from support import STONE, serving, until

from diamond_adapters.requests.monitor import Monitor


class Begun:
    """Starts processes of one command, and keeps them."""

    def __init__(self, program):
        self.program = program
        self.processes = []

    def __call__(self):
        self.processes.append(subprocess.Popen([sys.executable, "-c", self.program]))
        return self.processes[-1]


def checked(monitor, shipped, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        monitor.check(shipped)
        time.sleep(0.01)


def test_starts_only_after_new_exchanges_and_rests_in_between():
    begun, clock = Begun(""), [0.0]
    monitor = Monitor(begun, every=10.0, seconds=lambda: clock[0])
    started = []
    for clock[0], shipped in [
        (0, 1),
        (9, 1),
        (11, 1),
        (13, 2),
        (112, 2),
        (114, 2),
        (116, 2),
        (900, 2),
    ]:
        monitor.check(shipped)
        started.append(len(begun.processes))
        for process in begun.processes:
            process.wait()
    # it took two seconds, as seen at 13, and then rests for 100
    assert started == [0, 0, 1, 1, 1, 2, 2, 2]
    monitor.close()


def test_runs_one_process_at_a_time_and_ends_it():
    begun = Begun("import time; time.sleep(60)")
    monitor = Monitor(begun, every=0.05)
    for shipped in range(1, 4):
        checked(monitor, shipped, 0.2)
    (process,) = begun.processes
    assert process.poll() is None
    monitor.close()
    assert process.poll() is not None


def test_logs_a_failure_once(caplog, monkeypatch):
    monkeypatch.setattr("diamond_adapters.requests.monitor._RESTS", 0.0)
    begun = Begun("raise SystemExit(3)")
    monitor = Monitor(begun, every=0.01)
    shipped = count()
    until(lambda: monitor.check(next(shipped)) or len(begun.processes) > 3, "it has failed thrice")
    monitor.close()
    assert [each.message for each in caplog.records] == [
        "the requests can't be compared with the training data: its exit code is 3"
    ]


def test_a_process_that_can_not_be_started_stops_nothing(caplog):
    def begin():
        raise OSError("no more processes")

    monitor = Monitor(begin, every=0.01)
    checked(monitor, 1, 0.1)
    assert "no more processes" in caplog.text


@pytest.mark.parametrize("workers", [2])
def test_a_service_stores_its_drift(trained_once, tmp_path, workers):
    home = tmp_path / "home"
    shutil.copytree(trained_once, home)
    with serving(home, workers, DIAMOND_MONITOR_EVERY="1s") as service:
        for tenth in range(3, 13):
            assert service.post("/v1/predictions", STONE | {"carat": tenth / 10}).status == 200
        until((home / "monitoring.json").exists, "the drift is stored")
        answer = service.get("/v1/drift", service.one_time_key).json
        assert answer["requests"] == 10
        assert json.loads((home / "monitoring.json").read_text())["model_id"] == answer["model"]
        assert b"diamond_price_level_ratio" in service.get("/metrics").body
