"""What people and failing disks leave among the files hides no model and no promotion."""

from __future__ import annotations

import json
import os
import shutil
import time

import pytest

from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_core import (
    ChampionFollower,
    Conflict,
    ModelDamaged,
    ModelFileNotFound,
    ModelHistory,
    ModelId,
)
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(200)
A = ModelId("a")


@pytest.fixture
def repository(tmp_path):
    return FilesystemModelRepository(tmp_path)


@pytest.fixture
def history(repository):
    history = ModelHistory(repository, load_formula)
    history.publish(a_card(A), a_fitted_model(STONES), STONES)
    history.promote(A, previous=None, at=NOON, by="tester", reason="a test")
    return history


def samples_of(folder):
    """Return the shared file that the card of the model in *folder* names."""
    digest = json.loads((folder / "card.json").read_text())["samples"]
    return folder.parents[1] / "samples" / f"{digest}.npy"


def test_takes_only_folders_for_models(history, repository, tmp_path):
    (tmp_path / "models" / "notes").write_text("a file with a model's name")
    (tmp_path / "models" / "gone").symlink_to(tmp_path / "nowhere")
    assert repository.ids() == [A]
    assert [card.id for card in history.cards()] == [A]
    assert history.problems() == {}


def test_shows_a_model_whose_card_is_a_folder(history, tmp_path):
    (tmp_path / "models" / "b" / "card.json").mkdir(parents=True)
    cards, problems = history.cards_and_problems()
    assert [card.id for card in cards] == [A]
    assert list(problems) == ["b"]
    with pytest.raises(ModelDamaged):
        history.card(ModelId("b"))


def test_finds_no_file_where_there_is_a_folder(history, repository, tmp_path):
    (tmp_path / "models" / A / "empty").mkdir()
    with pytest.raises(ModelFileNotFound):
        repository.read(A, "empty")


def test_counts_a_promotion_that_cannot_be_read_and_hides_no_other(history, repository, tmp_path):
    (tmp_path / "promotions" / "000002.json").mkdir()
    (tmp_path / "promotions" / "000003.json").symlink_to(tmp_path / "nowhere")
    assert [number for number, _ in repository.promotions()] == [1, 2, 3]
    assert repository.promotions(after=1) == [(2, b""), (3, b"")]
    assert history.champion() == A
    with pytest.raises(Conflict):
        repository.promote(2, b"another")
    assert history.promote(A, previous=A, at=NOON, by="tester", reason="again").number == 4


def test_goes_on_counting_after_a_million_promotions(repository):
    numbers = [999_998, 999_999, 1_000_000, 1_000_001, 10_000_000]
    for number in numbers:
        repository.promote(number, str(number).encode())
    for after in (0, 999_998, 999_999, 1_000_000, 10_000_000):
        later = [number for number in numbers if number > after]
        assert repository.promotions(after) == [(each, str(each).encode()) for each in later]


def test_adds_a_model_while_another_publishes_its_draft(repository, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / ".draft-another").symlink_to(tmp_path / "renamed-meanwhile")
    repository.add(A, {"card.json": b"{}"})
    assert repository.ids() == [A]


@pytest.mark.parametrize("age", [0, 3601])
def test_removes_the_drafts_of_processes_that_were_killed(history, repository, tmp_path, age):
    (card,) = history.cards()
    drafts = [tmp_path / each / ".draft-0" for each in ("models", "samples", "promotions")]
    drafts[0].mkdir()
    (drafts[0] / "card.json").write_text("{}")
    for draft in drafts[1:]:
        draft.write_text("half a file")
    for draft in drafts:
        os.utime(draft, (time.time() - age, time.time() - age))
    assert list(repository.shared()) == [card.samples]
    history.publish(a_card("b"), a_fitted_model(STONES[1:]), STONES[1:])
    history.promote(ModelId("b"), previous=A, at=NOON, by="tester", reason="a test")
    assert [draft.exists() for draft in drafts] == [age == 0] * 3


def test_keeps_an_equal_shared_file_and_takes_no_other_for_one(history, repository, tmp_path):
    path = samples_of(tmp_path / "models" / A)
    before = path.stat()
    (path.parent / "notes.npy").write_text("a file of the user")
    (path.parent / f"{'0' * 64}.txt").write_text("another")
    history.publish(a_card("b"), a_fitted_model(STONES), STONES)
    assert path.stat() == before
    assert dict(repository.shared()) == {path.stem: before.st_size}
    assert history.problems() == {}


def test_removes_a_model_that_is_a_link_and_leaves_what_it_leads_to(repository, tmp_path):
    repository.add(A, {"card.json": b"{}"})
    (tmp_path / "models" / A).rename(tmp_path / "elsewhere")
    (tmp_path / "models" / A).symlink_to(tmp_path / "elsewhere")
    repository.remove(A)
    assert list((tmp_path / "models").iterdir()) == []
    assert (tmp_path / "elsewhere" / "card.json").exists()


@pytest.mark.parametrize(
    "lose",
    [
        shutil.rmtree,
        lambda folder: (folder / "card.json").unlink(),
        lambda folder: samples_of(folder).unlink(),
        lambda folder: os.truncate(samples_of(folder), 100),
        lambda folder: os.truncate(folder / "model.onnx", 3),
        lambda folder: os.truncate(folder / "model.onnx", 0),
    ],
    ids=["everything", "card", "samples", "most samples", "half a graph", "all of a graph"],
)
def test_serves_the_champion_of_before_when_files_are_lost(history, tmp_path, lose):
    b, stones = ModelId("b"), some_stones(100, seed=1)
    history.publish(a_card(b), a_fitted_model(stones, factor=2.0), stones)
    history.promote(b, previous=A, at=NOON, by="tester", reason="a test")
    seconds = [0.0]
    running = ChampionFollower(history, lambda: seconds[0])
    running.refresh()
    lose(tmp_path / "models" / b)
    seconds[0] = 60.0
    running.refresh()
    assert running.get().card.id == b
    assert "the model 'b' is served, but can't be loaded again" in (running.problem or "")
    restarted = ChampionFollower(history)
    restarted.refresh()
    assert restarted.get().card.id == A
    assert "'b'" in (restarted.problem or "")
