"""Twenty processes that promote at once leave a linear history."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support import until

from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_core import ModelHistory
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones

PROCESSES = 20

PROMOTE = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_core import ChooseChampion, Conflict, ModelHistory, ModelId
from diamond_core.testing import load_formula

home, id = Path(sys.argv[1]), ModelId(sys.argv[2])
history = ModelHistory(FilesystemModelRepository(home), load_formula)
choose = ChooseChampion(history, lambda: datetime.now(UTC))
(home / f"{id}.ready").touch()
while not (home / "go").exists():
    time.sleep(0.001)
lost = 0
for attempt in range(100):
    try:
        choose.promote(id, reason=f"attempt {attempt}", by=id)
        break
    except Conflict as ex:
        assert "the champion is now" in str(ex) or "already" in str(ex), ex
        lost += 1
print(lost)
"""


@pytest.fixture
def history(tmp_path):
    stones = some_stones(100)
    history = ModelHistory(FilesystemModelRepository(tmp_path), load_formula)
    for number in range(PROCESSES):
        history.publish(a_card(f"m-{number}"), a_fitted_model(stones), stones)
    return history


def test_each_promotion_follows_the_one_before_and_losers_get_a_conflict(history, tmp_path):
    names = [f"m-{number}" for number in range(PROCESSES)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROMOTE, str(tmp_path), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    until(lambda: len(list(tmp_path.glob("*.ready"))) == PROCESSES, "all are ready")
    (tmp_path / "go").touch()
    outcomes = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, outcomes
    promotions = history.promotions()
    assert [each.number for each in promotions] == list(range(1, PROCESSES + 1))
    assert sorted(each.model_id for each in promotions) == sorted(names)
    assert [each.previous for each in promotions] == [
        None,
        *(each.model_id for each in promotions[:-1]),
    ]
    lost = sum(int(out) for out, _ in outcomes)
    attempts = sum(int(each.reason.removeprefix("attempt ")) for each in promotions)
    assert lost == attempts > 0
    assert history.champion() == promotions[-1].model_id
