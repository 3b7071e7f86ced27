"""A search for parameters survives its process, and several processes share one."""

import math
import subprocess
import sys
import time
import traceback
from collections import Counter
from contextlib import contextmanager

import optuna
import pytest
from optuna.trial import TrialState
from support import until

from diamond_adapters.families.xgboost.study import run_study
from diamond_core import InvalidUrl, Unavailable

FIRST = {"a": 0.25, "b": 0.5}
AWAY = "mysql://me:secret-word@127.0.0.1:1/none"

WORKER = """
import sys, time
from pathlib import Path
from diamond_adapters.families.xgboost import study

url, folder, trials, name = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

def objective(trial):
    a, b = trial.suggest_float("a", 0.0, 1.0), trial.suggest_float("b", 1e-3, 1.0, log=True)
    (folder / f"{name}-{trial.number}").write_text(f"{a} {b}")
    while (folder / f"hold-{name}-{trial.number}").exists() or (folder / f"hold-{name}").exists():
        time.sleep(0.01)
    return a + b

study.HEARTBEAT, study.GRACE = 1, int(sys.argv[5])
finished = study.run_study(url, "shared", objective, first={"a": 0.25, "b": 0.5}, trials=trials,
                           seed=0, trials_done=lambda _: None)
print(len(finished))
"""


def objective(trial):
    return trial.suggest_float("a", 0.0, 1.0) + trial.suggest_float("b", 1e-3, 1.0, log=True)


def run(url, trials, *, name="one", objective=objective, seed=0, trials_done=lambda _: None):
    return run_study(
        url, name, objective, first=FIRST, trials=trials, seed=seed, trials_done=trials_done
    )


def worker(url, folder, trials, name, grace=30):
    arguments = (url, str(folder), str(trials), name, str(grace))
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WORKER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    return output


def killed(process):
    process.kill()
    process.communicate()


def parameters(trials):
    return [each.params for each in trials]


def begun(folder, name):
    """The parameters of every trial that the worker *name* has begun."""
    return [each.read_text() for each in folder.glob(f"{name}-*") if each.read_text()]


def all_trials(url):
    """Every trial of the shared study, as Optuna's own storage holds it."""
    if url.startswith("journal:///"):
        backend = optuna.storages.journal.JournalFileBackend(url.removeprefix("journal:///"))
        storage = optuna.storages.JournalStorage(backend)
        return optuna.load_study(study_name="shared", storage=storage).get_trials()
    with database_storage(url) as storage:
        return optuna.load_study(study_name="shared", storage=storage).get_trials()


@contextmanager
def database_storage(url):
    storage = optuna.storages.RDBStorage(url.replace("mysql://", "mysql+pymysql://"))
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def signs_of_life(url):
    """The last one of each trial; without any, Optuna does not see that its process was killed."""
    with database_storage(url) as storage, storage.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT heartbeat FROM trial_heartbeats").all()


def finished_in(url):
    return [each for each in all_trials(url) if each.state.is_finished() and each.values]


@pytest.fixture(params=["journal", "sqlite"])
def file_url(request, tmp_path):
    return f"{request.param}:///{tmp_path / 'new' / 'studies'}"


@pytest.fixture(params=["journal", "sqlite", "mysql"])
def shared_url(request, tmp_path):
    if request.param == "mysql":
        return request.getfixturevalue("mysql_url")
    return f"{request.param}:///{tmp_path / 'studies'}"


@pytest.fixture(params=["sqlite", "mysql"])
def database_url(request, tmp_path):
    if request.param == "mysql":
        return request.getfixturevalue("mysql_url")
    return f"sqlite:///{tmp_path / 'studies'}"


def test_goes_on_where_it_was_interrupted(file_url):
    def interrupted(trial):
        if trial.number == 3:
            raise KeyboardInterrupt
        return objective(trial)

    whole = run(None, 6)
    with pytest.raises(KeyboardInterrupt):
        run(file_url, 6, objective=interrupted)
    numbers = []

    def counted(trial):
        numbers.append(trial.number)
        return objective(trial)

    resumed = run(file_url, 6, objective=counted)
    assert len(resumed) == 6
    assert len(numbers) == 3
    assert parameters(resumed) == parameters(whole)


def test_does_no_finished_trial_again(file_url):
    first = run(file_url, 3)
    again = run(file_url, 3, objective=lambda trial: pytest.fail("finished already"))
    more = run(file_url, 5)
    fewer = run(file_url, 3)
    assert parameters(first) == parameters(again) == parameters(more)[:3] == parameters(fewer)
    assert parameters(more) == parameters(run(None, 5))


def test_keeps_studies_of_other_names_and_seeds_apart(file_url):
    one = run(file_url, 3)
    other = run(file_url, 3, name="other", seed=1)
    assert parameters(one)[0] == parameters(other)[0] == FIRST
    assert parameters(one)[1:] != parameters(other)[1:]


def test_reports_how_many_trials_are_finished(file_url):
    counts = []
    run(file_url, 2)
    run(file_url, 4, trials_done=counts.append)
    assert counts == [3, 4]


def test_stops_trials_that_are_poor_so_far_and_counts_them():
    def reporting(trial):
        value = float(trial.number)
        for step in range(3):
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return value + 0.0 * objective(trial)

    finished = run(None, 6, objective=reporting)
    states = [each.state for each in finished]
    assert states == [TrialState.COMPLETE] * 2 + [TrialState.PRUNED] * 4


def test_ends_though_no_trial_succeeds():
    assert run(None, 3, objective=lambda trial: math.nan) == []


def test_two_processes_do_the_trials_of_one_between_them(shared_url, tmp_path):
    names = ("left", "right")
    for name in names:
        (tmp_path / f"hold-{name}").touch()
    both = {name: worker(shared_url, tmp_path, 12, name) for name in names}
    for name in names:
        until(lambda name=name: begun(tmp_path, name), f"{name} works on a trial")
    for name in names:
        (tmp_path / f"hold-{name}").unlink()
    assert [int(ended(process)) for process in both.values()] == [12, 12]
    # Each may be at work on a trial when the other finishes the last that was asked for.
    assert 12 <= len(finished_in(shared_url)) <= 13
    tried = begun(tmp_path, "left") + begun(tmp_path, "right")
    assert len(tried) == len(finished_in(shared_url))
    assert set(Counter(tried).values()) == {1}


def test_queues_no_trial_that_two_processes_could_take_at_once(shared_url):
    run(shared_url, 2, name="shared")
    assert parameters(all_trials(shared_url))[0] == FIRST
    assert not any("fixed_params" in trial.system_attrs for trial in all_trials(shared_url))


def test_a_kill_loses_no_finished_trial(shared_url, tmp_path):
    (tmp_path / "hold-killed-2").touch()
    process = worker(shared_url, tmp_path, 5, "killed")
    until(lambda: len(begun(tmp_path, "killed")) == 3, "the third trial has begun")
    killed(process)
    before = parameters(finished_in(shared_url))
    assert len(before) == 2
    assert int(ended(worker(shared_url, tmp_path, 5, "heir"))) == 5
    finished = parameters(finished_in(shared_url))
    assert len(finished) == 5
    assert finished[:2] == before
    if shared_url.startswith("journal"):  # a database needs the heartbeat's time to see the kill
        assert finished == parameters(run(None, 5))
    assert len(begun(tmp_path, "heir")) == 3


def test_a_search_that_was_killed_in_its_first_trial_tries_the_defaults(tmp_path):
    url = f"journal:///{tmp_path / 'studies'}"
    (tmp_path / "hold-killed").touch()
    process = worker(url, tmp_path, 3, "killed")
    until(lambda: begun(tmp_path, "killed"), "a trial has begun")
    killed(process)
    assert parameters(run(url, 3, name="shared")) == parameters(run(None, 3))


def test_a_killed_processs_trial_is_tried_again(database_url, tmp_path):
    (tmp_path / "hold-killed").touch()
    process = worker(database_url, tmp_path, 3, "killed")
    (trying,) = until(lambda: begun(tmp_path, "killed"), "a trial has begun")
    until(lambda: signs_of_life(database_url), "it has shown that it lives")
    killed(process)
    time.sleep(4)  # until the last sign of life is longer ago than the worker's grace
    ended(worker(database_url, tmp_path, 3, "heir", grace=3))
    assert begun(tmp_path, "heir").count(trying) == 1
    assert len(begun(tmp_path, "heir")) == 3


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "journal://host/file",
        "nosuch://me:secret-word@host/name",
        "mysql://me:secret-word@host:port/name",
        "mysql://me:secret-word@127.0.0.1:1/name?nosuch=option",
    ],
)
def test_refuses_what_is_no_storage(url):
    with pytest.raises(InvalidUrl, match="journal:///file") as caught:
        run(url, 1)
    assert "secret-word" not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_does_not_answer_is_unavailable_and_its_password_stays_secret():
    with pytest.raises(Unavailable, match=r"can't be stored.*127\.0\.0\.1") as caught:
        run(AWAY, 1)
    assert "secret-word" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("scheme", ["journal", "sqlite"])
def test_a_file_that_cannot_be_written_is_unavailable(scheme, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="can't be stored"):
        run(f"{scheme}:///{tmp_path / 'file' / 'below'}", 1)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
