"""Training on a real Dask cluster: the same models as alone, and one line where it fails."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from clusters import running_cluster
from distributed import get_worker
from support import diamond, environment, until

from diamond_adapters.cluster import opened
from diamond_adapters.cluster.opened import opened_cluster
from diamond_adapters.families.features import FEATURES
from diamond_adapters.families.linear import sums
from diamond_adapters.families.linear.family import LinearFamily
from diamond_adapters.families.xgboost import dask_boost
from diamond_adapters.families.xgboost.dask_boost import boosted_on
from diamond_adapters.families.xgboost.regressor import BoostedPriceRegressor
from diamond_adapters.sources.bundled import bundled_source
from diamond_core import ONNX_FILE, InvalidUrl, Unavailable, in_holdout, no_progress, read_stones
from diamond_core.testing import some_stones

SECONDS = 60.0
"""How long a failure may take until it is told, with all imports, on a busy machine."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def engine(cluster):
    with opened_cluster(cluster.address) as one:
        yield one


@pytest.fixture
def own_cluster(tmp_path):
    with running_cluster(tmp_path / "cluster") as running:
        yield running


@pytest.fixture(scope="module")
def bundled():
    return read_stones([bundled_source()])[0].table


@pytest.fixture(scope="module")
def deliveries(sample_csv, tmp_path_factory):
    """Files of stones, some rows of which are rejected: two CSV, and one Parquet."""
    folder = tmp_path_factory.mktemp("deliveries")
    header, *rows = sample_csv.read_text(encoding="utf-8").splitlines()
    broken = ["0.5,Ideal,Q,SI2,60,57,5,5,3,1000", "0.5,Ideal"]
    for name, some in (("a.csv", rows[:350]), ("b.csv", [*rows[350:600], *broken])):
        (folder / name).write_text("\n".join([header, *some]), encoding="utf-8")
    columns = zip(*(row.split(",") for row in rows[600:750]), strict=True)
    names = [name.strip('"') for name in header.split(",")]
    table = {
        name: Array([cell.strip('"') for cell in cells], DataType.string())
        for name, cells in zip(names, columns, strict=True)
    }
    write_parquet(Table.from_pydict(table), folder / "c.parquet")
    return [str(folder / name) for name in ("a.csv", "b.csv", "c.parquet")]


def cards_of(done):
    """Return what ``diamond train --json`` prints, and its cards by family."""
    printed = json.loads(done.stdout)
    return printed, {card["family"]: card for card in printed["models"]}


def history_of(home):
    """Return every file of the models and the promotions, and the file's content."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for folder in ("models", "promotions")
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }


def test_trains_the_same_models_as_alone(deliveries, cluster, tmp_path):
    options = ["--trials", "1", "--json"]
    alone = diamond(tmp_path / "alone", "train", *deliveries, *options)
    spread = diamond(
        tmp_path / "spread", "train", *deliveries, *options, "--cluster", cluster.address
    )
    (first, expected), (second, found) = cards_of(alone), cards_of(spread)
    assert first["rejected"] == second["rejected"]
    assert len(first["rejected"]) >= 2
    assert spread.stderr == alone.stderr
    own = ("id", "created_at", "seconds", "microseconds_per_stone", "files", "comparison")
    for family, card in expected.items():
        assert found[family].keys() == card.keys()
        different = [name for name in card if card[name] != found[family][name]]
        assert set(different) <= set(own)
        assert found[family]["files"].keys() == card["files"].keys()
        for name in (ONNX_FILE, "samples.npy"):
            assert found[family]["files"].get(name) == card["files"].get(name)
    assert expected["linear"]["files"][ONNX_FILE]


def test_the_processes_of_this_machine_end_with_the_training(small_csv, tmp_path):
    home = tmp_path / "home"
    with started(home, str(small_csv), "--family", "linear", "--cluster", "local:2") as training:
        children = until(lambda: two_workers_of(training.pid), "two processes work")
        assert training.wait(SECONDS) == 0
    assert len(list((home / "promotions").iterdir())) == 1
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in children), "they ended")


def two_workers_of(pid):
    """Return the ids of the processes that *pid* has started, once there are two of Dask's."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            command = (process / "cmdline").read_text()
        except OSError:  # it has ended
            continue
        if parent == pid and "spawn_main" in command:
            found.append(int(process.name))
    return found if len(found) >= 2 else []


@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 2.0, 2000)], ids=["equal", "weighted"])
def test_linear_coefficients_are_those_of_a_training_alone(weights, engine, bundled, monkeypatch):
    monkeypatch.setattr(sums, "CHUNK", 300)
    table = bundled[:2000]
    options = {"seed": 0, "trials": None, "weights": weights, "study": None}
    alone = LinearFamily().fit(table, progress=no_progress, **options)
    spread = LinearFamily(engine=engine).fit(table, progress=no_progress, **options)
    assert spread.details == alone.details
    np.testing.assert_allclose(spread.out_of_fold, alone.out_of_fold, rtol=1e-8)
    np.testing.assert_allclose(spread.out_of_fold_four_cs, alone.out_of_fold_four_cs, rtol=1e-8)
    holdout = bundled[-2000:]
    np.testing.assert_allclose(spread.model.price(holdout), alone.model.price(holdout), rtol=1e-8)


def test_trees_of_many_stones_grow_on_all_workers(engine, bundled, monkeypatch):
    monkeypatch.setattr(dask_boost, "VERY_MANY_STONES", 1000)
    monkeypatch.setattr(dask_boost, "_ROWS", 3000)
    seen = set()
    train = xgb.dask.train

    def trained(client, settings, data, rounds):
        seen.update(data.worker_map)
        return train(client, settings, data, rounds)

    monkeypatch.setattr(xgb.dask, "train", trained)
    held = in_holdout(bundled)
    training, holdout = bundled[~held], bundled[held]
    features = training.features(FEATURES)
    errors = []
    for options in ({}, {"engine": engine, "boost": lambda *each: boosted_on(engine, *each)}):
        regressor = BoostedPriceRegressor(rounds=60).fit(features, training.price, **options)
        prices = regressor.predict(holdout.features(FEATURES))
        errors.append(np.abs(prices - holdout.price).mean())
    assert seen == set(engine.workers)
    assert errors[1] == pytest.approx(errors[0], rel=0.01)
    assert errors[1] != errors[0]
    better = holdout.rows_of_today()
    better["color"], better["clarity"] = 6, 7
    best = regressor.predict(type(holdout)(better).features(FEATURES))
    assert (best >= prices).all()


def test_gives_results_in_order_and_work_to_all_workers(engine):
    assert list(engine.map(pow, range(50), [2] * 50)) == [each**2 for each in range(50)]
    kept = engine.keep(np.full, [10] * 5, range(5))
    assert [int(each.sum()) for each in engine.map(np.copy, kept)] == [0, 10, 20, 30, 40]
    where = list(engine.map(lambda _: get_worker().address, kept))
    assert where == [engine.workers[at % 2] for at in range(5)]
    shared = engine.share(np.arange(1e6))
    assert list(engine.map(np.max, [shared] * 4)) == [999_999] * 4


def test_raises_what_the_work_raises(engine):
    with pytest.raises(ZeroDivisionError):
        list(engine.map(divmod, [1, 1], [1, 0]))
    assert list(engine.map(divmod, [1], [1])) == [(1, 0)]


def test_names_the_file_that_a_worker_cannot_read(cluster, small_csv, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("carat,cut\n1,Ideal\n")
    options = [str(small_csv), str(bad), "--family", "linear"]
    alone = diamond(tmp_path / "alone", "train", *options, check=False)
    there = diamond(
        tmp_path / "spread", "train", *options, "--cluster", cluster.address, check=False
    )
    assert there.returncode == alone.returncode == 1
    assert there.stderr == alone.stderr
    assert f"cannot read {bad}: it lacks color, clarity, price" in there.stderr


@contextmanager
def started(home, *options):
    """Start ``diamond train``, and end it if it has not ended in the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "diamond_app", "train", *options],
        env=environment(home),
        cwd=home.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_worker(cluster):
    cluster.workers[0].kill()


def kill_scheduler(cluster):
    cluster.scheduler.kill()


def freeze_scheduler(cluster):
    cluster.scheduler.send_signal(signal.SIGSTOP)


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (kill_worker, "diamond: the worker tcp://127.0.0.1:"),
        (kill_scheduler, "diamond: the scheduler of the cluster tcp://127.0.0.1:"),
        (freeze_scheduler, "diamond: the scheduler of the cluster tcp://127.0.0.1:"),
    ],
)
def test_the_history_is_as_before_if_the_cluster_ends(
    end, message, own_cluster, sample_csv, trained_home
):
    before = history_of(trained_home)
    options = ["--family", "xgboost", "--trials", "500", "--cluster", own_cluster.address]
    with started(trained_home, str(sample_csv), *options) as training:
        steps = []
        for line in training.stderr:
            steps.append(line)
            if "trying parameters, 1 of 500" in line:
                break
        end(own_cluster)
        *rest, last = training.stderr.readlines()
        assert training.wait(SECONDS) == 1
    assert last.startswith(message)
    assert all(line.startswith("xgboost: trying parameters") for line in rest)
    assert history_of(trained_home) == before


@pytest.mark.parametrize("end", [kill_worker, kill_scheduler])
def test_says_so_if_the_cluster_ends_while_trees_grow(end, own_cluster, monkeypatch):
    monkeypatch.setattr(dask_boost, "VERY_MANY_STONES", 1000)
    table = some_stones(4000)
    growing = threading.Event()
    train = xgb.dask.train

    def trained(*args):
        growing.set()
        return train(*args)

    monkeypatch.setattr(xgb.dask, "train", trained)
    with opened_cluster(own_cluster.address) as engine:

        def end_it():
            growing.wait(SECONDS)
            until(lambda: all(engine.client.processing().values()), "all workers train")
            end(own_cluster)

        ending = threading.Thread(target=end_it)
        ending.start()
        with pytest.raises(Unavailable, match=r"has ended|is gone"):
            BoostedPriceRegressor(rounds=100_000).fit(
                table.features(FEATURES),
                table.price,
                boost=lambda *each: boosted_on(engine, *each),
            )
        ending.join()


@pytest.mark.parametrize(
    "address",
    [
        *("local:0", "local:-1", "local:two", "local:", "local:10000", ""),
        *("host:8786", "tcp://host", "tcp://host:0", "tcp://host:65536", "tcp://:8786"),
        *("http://host:8786", "tcp://me:secret@host:8786", "tcp://host:8786/path"),
    ],
)
def test_a_wrong_address_is_wrong_usage(address):
    with (
        pytest.raises(InvalidUrl, match="such as tcp://host:8786, or local:4"),
        opened_cluster(address),
    ):
        pass


def test_the_command_tells_wrong_usage(small_csv, tmp_path):
    done = diamond(tmp_path / "home", "train", str(small_csv), "--cluster", "local:0", check=False)
    assert done.returncode == 2
    assert "Invalid value for --cluster: use the address of a Dask scheduler" in done.stderr


def test_the_command_says_at_once_that_nobody_answers(small_csv, tmp_path):
    home = tmp_path / "home"
    address = "tcp://127.0.0.1:1"
    with started(home, str(small_csv), "--cluster", address) as training:
        assert training.stderr.read() == f"diamond: no Dask scheduler answers at {address}\n"
        assert training.wait(SECONDS) == 1
    assert not (home / "models").exists()


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_says_so_where_something_else_answers(greeting):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            connection.sendall(greeting)
            connection.recv(1)  # until the other side gives up
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(Unavailable, match=f"no Dask scheduler answers at {address}"),
            opened_cluster(address),
        ):
            pass


def test_a_worker_is_no_scheduler(engine):
    with (
        pytest.raises(Unavailable, match="no Dask scheduler answers"),
        opened_cluster(engine.workers[0]),
    ):
        pass


def test_says_so_where_there_are_no_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(opened, "JOIN", 0.5)
    with running_cluster(tmp_path, workers=0) as empty:
        until(lambda: is_listening(empty.address), "the scheduler listens")
        with pytest.raises(Unavailable, match="has no workers"), opened_cluster(empty.address):
            pass


def is_listening(address):
    try:
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))).close()
    except OSError:
        return False
    return True


def test_says_so_where_workers_have_another_version(cluster, monkeypatch):
    other = {**opened._versions_here(), "numpy": "1.0"}
    monkeypatch.setattr(opened, "_versions_here", lambda: other)
    with (
        pytest.raises(Unavailable, match=r"has numpy [0-9.]+, but this host 1\.0"),
        opened_cluster(cluster.address),
    ):
        pass


def test_names_the_extra_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(Unavailable, match=r"pip install 'diamond-core\[cluster\]'"),
        opened_cluster("local:1"),
    ):
        pass


def test_a_training_alone_does_not_import_dask(small_csv, tmp_path):
    code = (
        "import sys; from diamond_app.cli.main import cli;"
        "cli(sys.argv[1:], standalone_mode=False);"
        "assert not {'dask', 'distributed'} & {*sys.modules}"
    )
    subprocess.run(
        [sys.executable, "-c", code, "train", str(small_csv), "--family", "linear"],
        env=environment(tmp_path / "home"),
        check=True,
        capture_output=True,
    )
