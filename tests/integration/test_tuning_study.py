"""A search for parameters survives its process, and several processes share one."""

import subprocess
import sys
from collections import Counter

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from support import until

from diamond_adapters.families.tuning_study import TuningStudy
from diamond_core import InvalidSetting

SPACE = {"a": FloatDistribution(0.0, 1.0), "b": FloatDistribution(1e-3, 1.0, log=True)}
FIRST = {"a": 0.25, "b": 0.5}

WORKER = """
import sys, time
from pathlib import Path
import optuna
from optuna.distributions import FloatDistribution
from diamond_adapters.families.tuning_study import TuningStudy

url, folder, trials, name = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
space = {"a": FloatDistribution(0.0, 1.0), "b": FloatDistribution(1e-3, 1.0, log=True)}

def objective(trial):
    a, b = trial.suggest_float("a", 0.0, 1.0), trial.suggest_float("b", 1e-3, 1.0, log=True)
    (folder / f"{name}-{trial.number}").write_text(f"{a} {b}")
    while (folder / f"hold-{name}").exists():
        time.sleep(0.01)
    return a + b

study = TuningStudy(url, heartbeat=1, patience=3)
done = study.run("shared", objective, space, first={"a": 0.25, "b": 0.5}, trials=trials, seed=0,
                 told=lambda _: None)
print(min(each.value for each in done), len(done))
"""


def objective(trial):
    return trial.suggest_float("a", 0.0, 1.0) + trial.suggest_float("b", 1e-3, 1.0, log=True)


def run(study, trials, *, name="one", objective=objective, seed=0):
    return study.run(
        name, objective, SPACE, first=FIRST, trials=trials, seed=seed, told=lambda _: None
    )


def worker(url, folder, trials, name):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, str(folder), str(trials), name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    output, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    return output


def parameters(trials):
    return [each.params for each in trials]


def begun(folder, name):
    return [each.read_text() for each in folder.glob(f"{name}-*") if each.read_text()]


def all_trials(url, name="shared"):
    storage = optuna.storages.RDBStorage(url.replace("mysql://", "mysql+pymysql://"))
    try:
        return optuna.load_study(study_name=name, storage=storage).get_trials()
    finally:
        storage.remove_session()
        storage.engine.dispose()


@pytest.fixture(params=["journal", "sqlite"])
def file_url(request, tmp_path):
    return f"{request.param}:///{tmp_path / 'new' / 'studies'}"


def test_goes_on_where_it_was_broken_off(file_url):
    def broken(trial):
        if trial.number == 3:
            raise KeyboardInterrupt
        return objective(trial)

    whole = run(TuningStudy(), 6)
    with pytest.raises(KeyboardInterrupt):
        run(TuningStudy(file_url), 6, objective=broken)
    numbers = []

    def counted(trial):
        numbers.append(trial.number)
        return objective(trial)

    resumed = run(TuningStudy(file_url), 6, objective=counted)
    assert len(resumed) == 6
    assert len(numbers) == 3
    assert parameters(resumed)[:3] == parameters(whole)[:3]


def test_does_nothing_again(file_url):
    first = run(TuningStudy(file_url), 3)
    again = run(TuningStudy(file_url), 3, objective=lambda trial: pytest.fail("done already"))
    more = run(TuningStudy(file_url), 5)
    fewer = run(TuningStudy(file_url), 3)
    assert parameters(first) == parameters(again) == parameters(more)[:3] == parameters(fewer)
    assert len(more) == 5


def test_keeps_studies_of_other_names_and_seeds_apart(file_url):
    one = run(TuningStudy(file_url), 3)
    other = run(TuningStudy(file_url), 3, name="other", seed=1)
    assert parameters(one)[0] == parameters(other)[0] == FIRST
    assert parameters(one)[1:] != parameters(other)[1:]


def test_two_processes_do_the_trials_of_one_between_them(mysql_url, tmp_path):
    for name in ("left", "right"):
        (tmp_path / f"hold-{name}").touch()
    both = {name: worker(mysql_url, tmp_path, 12, name) for name in ("left", "right")}
    for name in both:
        until(lambda name=name: begun(tmp_path, name), f"{name} works on a trial")
    for name in both:
        (tmp_path / f"hold-{name}").unlink()
    answers = {ended(process) for process in both.values()}
    assert len(answers) == 1
    assert answers.pop().split()[1] == "12"
    finished = [each for each in all_trials(mysql_url) if each.state == TrialState.COMPLETE]
    assert len(finished) == 12
    tried = begun(tmp_path, "left") + begun(tmp_path, "right")
    assert len(tried) == 12
    assert set(Counter(tried).values()) == {1}


def test_a_killed_processs_trial_is_done_again(mysql_url, tmp_path):
    (tmp_path / "hold-killed").touch()
    killed = worker(mysql_url, tmp_path, 4, "killed")
    (trying,) = until(lambda: begun(tmp_path, "killed"), "a trial has begun")
    killed.kill()
    killed.communicate()
    assert ended(worker(mysql_url, tmp_path, 4, "heir")).split()[1] == "4"
    finished = [each for each in all_trials(mysql_url) if each.state == TrialState.COMPLETE]
    assert len(finished) == 4
    assert begun(tmp_path, "heir").count(trying) == 1
    assert len(begun(tmp_path, "heir")) == 4


@pytest.mark.parametrize("url", ["nonsense", "nosuch://host/name"])
def test_refuses_what_is_no_storage(url):
    with pytest.raises(InvalidSetting, match="--study"):
        run(TuningStudy(url), 1)
