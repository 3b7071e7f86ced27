"""Pruning removes old models, and nothing that is served, can be served again, or is shared."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from histories import REASON, damage

from diamond_adapters.in_memory import InMemoryExclusiveWork
from diamond_core import (
    ONNX_FILE,
    ChampionFollower,
    ChooseChampion,
    Conflict,
    ModelId,
    PruneModels,
    Unavailable,
)
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE
from diamond_core.use_cases.train_models import TRAINING

STONES = some_stones(60)
OTHERS = some_stones(70, seed=1)


@pytest.fixture
def exclusive():
    return InMemoryExclusiveWork()


@pytest.fixture
def prune(history, repository, exclusive):
    return PruneModels(history, repository, exclusive)


@pytest.fixture
def publish(history):
    """Publish models, each a minute after the one before it."""

    def publish(names, stones=STONES):
        for name in names:
            at = NOON + timedelta(minutes=len(history.cards()))
            card = a_card(name, created_at=at)
            card = history.publish(card, a_fitted_model(stones), stones)
        return card

    return publish


@pytest.fixture
def promote(history):
    def promote(names):
        for name in names:
            history.promote(ModelId(name), previous=history.champion(), **REASON)

    return promote


@pytest.fixture
def choose(history):
    return ChooseChampion(history, lambda: NOON)


def ids(models):
    return "".join(sorted(models))


def test_keeps_the_newest_and_says_why(prune, publish, repository):
    publish("abcde")
    pruned = prune(2)
    assert list(pruned.removed) == ["c", "b", "a"]
    assert pruned.kept == dict.fromkeys("ed", "it is one of the newest")
    assert not pruned.dry_run
    assert ids(repository.ids()) == "de"


def test_has_nothing_to_do_where_there_is_little(prune, publish):
    assert list(prune(1).removed) == []
    publish("ab")
    pruned = prune(2)
    assert (list(pruned.removed), ids(pruned.kept), pruned.freed_bytes) == ([], "ab", 0)


@pytest.mark.parametrize("keep", [0, -1])
def test_keeps_at_least_one(prune, publish, repository, keep):
    publish("ab")
    with pytest.raises(ValueError, match="at least one"):
        prune(keep)
    assert ids(repository.ids()) == "ab"


@pytest.mark.parametrize(("keep", "stays"), [(1, "bcf"), (2, "abcef")])
def test_keeps_the_champion_and_its_predecessors(prune, publish, promote, choose, keep, stays):
    publish("abcdef")
    promote("abc")
    pruned = prune(keep)
    assert ids(pruned.kept) == stays
    assert pruned.kept["c"] == "it is the champion"
    assert pruned.kept["b"] == "a rollback can go back to it"
    for back in "ba"[:keep]:
        assert choose.roll_back(by="me") == back


def test_keeps_those_to_which_rollbacks_go_after_rollbacks(prune, publish, promote, choose):
    publish("abcdef")
    promote("abcd")
    for back in "cb":
        assert choose.roll_back(by="me") == back
    pruned = prune(1)
    assert ids(pruned.kept) == "abcf"  # d was rolled back two promotions ago
    assert pruned.kept["c"] == "a recent promotion names it"
    assert choose.roll_back(by="me") == "a"


@pytest.mark.parametrize("file", [ONNX_FILE, CARD_FILE, "samples"])
def test_keeps_the_model_that_is_served_in_place_of_a_damaged_champion(
    prune, publish, promote, history, repository, file
):
    publish("a", OTHERS)
    publish("bcdef")
    promote("abcd")
    for each in "bcd":
        damage(repository, ModelId(each), file)
    follower = ChampionFollower(history)
    follower.refresh()
    pruned = prune(1)
    assert pruned.kept["a"] == "it is served in place of the damaged champion"
    assert "d" in pruned.kept
    again = ChampionFollower(history)
    again.refresh()
    assert (follower.get().card.id, again.get().card.id) == ("a", "a")
    assert history.load(ModelId("a")).card.id == "a"


def test_removes_a_damaged_model_whose_card_can_be_read(prune, publish, repository):
    publish("abc")
    repository.damage(ModelId("a"), ONNX_FILE)
    assert list(prune(1).removed) == ["b", "a"]


def test_keeps_a_model_whose_card_cannot_be_read_and_every_shared_file(prune, publish, repository):
    publish("a", OTHERS)
    publish("bc")
    card = bytes(repository.read(ModelId("a"), CARD_FILE))
    repository.damage(ModelId("a"), CARD_FILE)
    repository.share("0" * 64, b"unused")
    pruned = prune(1)
    assert list(pruned.removed) == ["b"]
    assert list(pruned.kept) == ["c", "a"]
    assert pruned.kept["a"].startswith("its card can't be read: card.json is not a valid")
    assert len(repository.shared()) == 3
    repository._models[ModelId("a")][CARD_FILE] = card  # as from a backup
    assert list(prune(1).removed) == ["a"]
    assert len(repository.shared()) == 1


def test_keeps_a_model_that_cannot_be_reached_now(prune, publish, repository, monkeypatch):
    publish("abc")
    read = repository.read

    def out_of_reach(id, name):
        if id == "a":
            raise Unavailable("the disk failed")
        return read(id, name)

    monkeypatch.setattr(repository, "read", out_of_reach)
    pruned = prune(1)
    assert list(pruned.removed) == ["b"]
    assert "the disk failed" in pruned.kept["a"]
    assert repository.shared()


# Shared files, and what is freed


def test_removes_a_shared_file_with_the_last_of_its_models(prune, publish, repository):
    first = publish("ab", OTHERS)
    second = publish("c")
    assert list(prune(2).removed) == ["a"]
    assert set(repository.shared()) == {first.samples, second.samples}
    assert list(prune(1).removed) == ["b"]
    assert set(repository.shared()) == {second.samples}


def test_removes_shared_files_without_a_model(prune, publish, repository, history):
    card = publish("a")
    repository.share("0" * 64, b"left by a killed training")
    pruned = prune(1)
    assert (list(pruned.removed), pruned.freed_bytes) == ([], 25)
    assert set(repository.shared()) == {card.samples}
    assert history.problems() == {}


def stored(repository):
    return sum(map(repository.size, repository.ids())) + sum(repository.shared().values())


def test_says_how_much_it_frees(prune, publish, repository):
    publish("ab", OTHERS)
    publish("cd")
    for keep in (3, 2, 1):
        before = stored(repository)
        freed = prune(keep).freed_bytes
        assert freed == before - stored(repository) > 0


def test_changes_nothing_in_a_dry_run(prune, publish, promote, repository, exclusive):
    publish("abc", OTHERS)
    publish("de")
    promote("ab")
    before = stored(repository)
    with exclusive.hold(TRAINING, print):  # it does not wait for a training
        tried = prune(1, dry_run=True)
    assert (stored(repository), ids(repository.ids())) == (before, "abcde")
    done = prune(1)
    assert (tried.dry_run, done.dry_run) == (True, False)
    assert (tried.removed, tried.kept) == (done.removed, done.kept)
    assert tried.freed_bytes == done.freed_bytes == before - stored(repository)


# Others at the same time


def test_waits_for_a_training(prune, publish, exclusive, repository):
    publish("ab")
    waited = threading.Event()
    pruning = threading.Thread(target=prune, args=(1,), kwargs={"waiting": lambda _: waited.set()})
    with exclusive.hold(TRAINING, print):
        pruning.start()
        assert waited.wait(10.0)
        assert ids(repository.ids()) == "ab"
    pruning.join()
    assert ids(repository.ids()) == "b"


def test_stops_when_a_model_is_promoted_meanwhile(prune, publish, promote, repository, monkeypatch):
    publish("abcd")
    remove = repository.remove

    def remove_and_promote(id):
        remove(id)
        promote("b")

    monkeypatch.setattr(repository, "remove", remove_and_promote)
    with pytest.raises(Conflict, match="promoted meanwhile"):
        prune(1)
    assert ids(repository.ids()) == "bcd"
    monkeypatch.undo()
    assert list(prune(1).removed) == ["c"]


def test_goes_on_where_an_outage_stopped_it(prune, publish, repository, monkeypatch):
    publish("abcd", OTHERS)
    publish("e")
    remove = repository.remove

    def fail_at_b(id):
        if id == "b":
            raise Unavailable("the disk failed")
        remove(id)

    monkeypatch.setattr(repository, "remove", fail_at_b)
    with pytest.raises(Unavailable):
        prune(1)
    assert (ids(repository.ids()), len(repository.shared())) == ("bcde", 2)
    monkeypatch.undo()
    assert list(prune(1).removed) == ["d", "c", "b"]
    assert len(repository.shared()) == 1


def test_a_service_goes_on_with_a_model_that_is_removed(prune, publish, promote, history):
    publish("abc")
    promote("a")
    follower = ChampionFollower(history)
    follower.refresh()
    promote("bcb")
    assert "a" in prune(1).removed
    served = follower.get()
    assert served.card.id == "a"
    assert len(served.similar.nearest(STONES.diamond(0), 3).stones)
    assert follower.refresh()
    assert follower.get().card.id == "b"
