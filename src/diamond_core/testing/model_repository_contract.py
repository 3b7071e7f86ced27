"""The contract of ``ModelRepository``."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from diamond_core.errors import (
    Conflict,
    DiamondError,
    ModelDamaged,
    ModelExists,
    ModelFileNotFound,
    ModelNotFound,
    Unavailable,
)
from diamond_core.models.model_card import ModelCard, ModelId
from diamond_core.ports import ONNX_FILE, ModelRepository
from diamond_core.stones.similarity import sorted_samples
from diamond_core.testing.samples import NOON, a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.shared_store import SharedStore, another_process
from diamond_core.use_cases.model_history import CARD_FILE, ModelHistory

A, B = ModelId("a-1"), ModelId("b-2")
FILES = {"card.json": b"{}", "model.onnx": bytes(range(256)) * 300, "empty.txt": b""}
STONES = some_stones(200)
SHARED = bytes(reversed(range(256))) * 300
DIGEST = hashlib.sha256(SHARED).hexdigest()

_IN_ANOTHER_PROCESS = """
from diamond_core.errors import Conflict
for number in range(1, 9):
    try:
        repository.promote(number, b"another process")
        print("won", number)
    except Conflict:
        pass
"""


def history_of(repository: ModelRepository) -> ModelHistory:
    """Return the history over *repository*, for formula models."""
    return ModelHistory(repository, load_formula)


def publish(history: ModelHistory, name: str, **changes: Any) -> ModelCard:
    """Publish a formula model with the id *name*."""
    return history.publish(a_card(name, **changes), a_fitted_model(STONES), STONES)


class ModelRepositoryContract(SharedStore):
    """Inherit, and supply an empty ``repository`` and the other fixtures here and in ``SharedStore``."""

    @pytest.fixture
    def repository(self) -> ModelRepository:
        raise NotImplementedError("supply the repository under test")

    @pytest.fixture
    def damage(self) -> Callable[[ModelId, str], None]:
        """Return a function that overwrites a stored file with ``b'damaged'`` directly."""
        raise NotImplementedError("supply a function that damages a file")

    @pytest.fixture
    def damage_shared(self) -> Callable[[str], None]:
        """Return a function that overwrites the shared file of a digest with ``b'damaged'``."""
        raise NotImplementedError("supply a function that damages a shared file")

    # Files

    def test_is_empty_at_first(self, repository: ModelRepository) -> None:
        assert list(repository.ids()) == []
        assert list(repository.promotions()) == []
        assert dict(repository.shared()) == {}

    def test_gives_back_every_file_unchanged(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        for name, data in FILES.items():
            assert bytes(repository.read(A, name)) == data

    def test_keeps_what_it_was_given_after_a_restart(
        self, repository: ModelRepository, reopen: Callable[[], ModelRepository]
    ) -> None:
        repository.add(A, FILES)
        repository.share(DIGEST, SHARED)
        repository.promote(1, b"a")
        again = reopen()
        assert list(again.ids()) == [A]
        assert bytes(again.read_shared(DIGEST) or b"") == SHARED
        assert {name: bytes(again.read(A, name)) for name in FILES} == FILES
        assert [(n, bytes(record)) for n, record in again.promotions()] == [(1, b"a")]

    def test_gives_buffers_that_cannot_be_written(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        buffer = repository.read(A, "model.onnx")
        assert isinstance(buffer, memoryview)
        assert buffer.readonly

    def test_lists_the_ids_of_all_models(self, repository: ModelRepository) -> None:
        for id in (B, A):
            repository.add(id, FILES)
        assert sorted(repository.ids()) == [A, B]
        assert all(isinstance(id, ModelId) for id in repository.ids())

    def test_never_overwrites_a_model(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        with pytest.raises(ModelExists):
            repository.add(A, {"card.json": b"another"})
        assert bytes(repository.read(A, "card.json")) == FILES["card.json"]

    def test_does_not_find_what_is_not_there(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        for id, name in ((A, "report.html"), (B, "card.json")):
            with pytest.raises(ModelFileNotFound):
                repository.read(id, name)

    def test_says_where_a_file_is(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        assert A in repository.location(A, "model.onnx")
        assert repository.location(B, "card.json")

    def test_reads_what_the_store_holds_now(
        self, repository: ModelRepository, damage: Callable[[ModelId, str], None]
    ) -> None:
        repository.add(A, FILES)
        repository.read(A, "model.onnx")
        damage(A, "model.onnx")
        assert bytes(repository.read(A, "model.onnx")) == b"damaged"

    def test_says_how_large_a_model_is(self, repository: ModelRepository) -> None:
        repository.share(DIGEST, SHARED)
        repository.add(A, FILES)
        assert repository.size(A) == sum(map(len, FILES.values()))
        assert repository.size(B) == 0

    # Removal

    def test_removes_a_model_with_all_its_files(
        self, repository: ModelRepository, reopen: Callable[[], ModelRepository]
    ) -> None:
        for id in (A, B):
            repository.add(id, FILES)
        repository.share(DIGEST, SHARED)
        repository.remove(A)
        for each in (repository, reopen()):
            assert list(each.ids()) == [B]
            for name in FILES:
                with pytest.raises(ModelFileNotFound):
                    each.read(A, name)
            assert bytes(each.read(B, "model.onnx")) == FILES["model.onnx"]
            assert dict(each.shared()) == {DIGEST: len(SHARED)}
        repository.add(A, {"card.json": b"another"})
        assert bytes(repository.read(A, "card.json")) == b"another"
        with pytest.raises(ModelFileNotFound):
            repository.read(A, "model.onnx")

    def test_removes_what_is_not_there_without_an_error(self, repository: ModelRepository) -> None:
        repository.remove(A)
        repository.remove_shared(DIGEST)
        repository.add(A, FILES)
        repository.share(DIGEST, SHARED)
        for _ in range(2):
            repository.remove(A)
            repository.remove_shared(DIGEST)
        assert list(repository.ids()) == []
        assert repository.read_shared(DIGEST) is None

    def test_leaves_what_was_read_before_its_removal(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        repository.share(DIGEST, SHARED)
        read, shared = repository.read(A, "model.onnx"), repository.read_shared(DIGEST)
        repository.remove(A)
        repository.remove_shared(DIGEST)
        assert bytes(read) == FILES["model.onnx"]
        assert shared is not None
        assert bytes(shared) == SHARED

    def test_removes_all_files_of_a_model_at_once(self, repository: ModelRepository) -> None:
        names = [f"file-{number}" for number in range(8)]
        found: list[bool] = []
        ready, removed = threading.Event(), threading.Event()

        def read() -> None:
            rounds = 0
            while rounds < 2:  # two after the removal
                rounds += removed.is_set()
                for name in names:
                    try:
                        repository.read(A, name)
                        found.append(True)
                    except ModelFileNotFound:
                        found.append(False)
                    ready.set()

        repository.add(A, dict.fromkeys(names, b"data"))
        reader = threading.Thread(target=read)
        reader.start()
        ready.wait()
        repository.remove(A)
        removed.set()
        reader.join()
        assert not any(found[-len(names) :])
        assert found == sorted(found, reverse=True)  # once one is gone, no other is found

    # Shared files

    def test_gives_back_a_shared_file_unchanged(self, repository: ModelRepository) -> None:
        assert repository.read_shared(DIGEST) is None
        for _ in range(2):
            repository.share(DIGEST, SHARED)
            buffer = repository.read_shared(DIGEST)
            assert isinstance(buffer, memoryview)
            assert buffer.readonly
            assert bytes(buffer) == SHARED
            assert dict(repository.shared()) == {DIGEST: len(SHARED)}

    def test_replaces_a_damaged_shared_file(
        self, repository: ModelRepository, damage_shared: Callable[[str], None]
    ) -> None:
        repository.share(DIGEST, SHARED)
        repository.read_shared(DIGEST)
        damage_shared(DIGEST)
        assert bytes(repository.read_shared(DIGEST) or b"") == b"damaged"
        repository.share(DIGEST, SHARED)
        assert bytes(repository.read_shared(DIGEST) or b"") == SHARED

    def test_shows_readers_a_complete_shared_file_or_none(
        self, repository: ModelRepository
    ) -> None:
        failed: list[BaseException] = []

        def share() -> None:
            try:
                for _ in range(4):
                    repository.share(DIGEST, SHARED)
                    repository.remove_shared(DIGEST)
            except BaseException as ex:  # a thread's error would be lost
                failed.append(ex)

        threads = [threading.Thread(target=share) for _ in range(2)]
        for thread in threads:
            thread.start()
        read = []
        while any(thread.is_alive() for thread in threads):
            read.append(repository.read_shared(DIGEST))
        assert not failed
        assert {bytes(each) for each in read if each is not None} <= {SHARED}

    # Promotions

    def test_keeps_promotions_in_the_order_of_their_numbers(
        self, repository: ModelRepository
    ) -> None:
        for number in (1, 2, 3, 10, 11):
            repository.promote(number, b"promotion %d" % number)
        kept = [(number, bytes(record)) for number, record in repository.promotions()]
        assert kept == [(n, b"promotion %d" % n) for n in (1, 2, 3, 10, 11)]
        assert [number for number, _ in repository.promotions(after=3)] == [10, 11]
        assert list(repository.promotions(after=11)) == []

    def test_keeps_the_first_promotion_of_a_number(self, repository: ModelRepository) -> None:
        repository.promote(1, b"first")
        with pytest.raises(Conflict):
            repository.promote(1, b"second")
        assert [bytes(record) for _, record in repository.promotions()] == [b"first"]

    def test_sees_what_others_promote(
        self, repository: ModelRepository, reopen: Callable[[], ModelRepository]
    ) -> None:
        other = reopen()
        for number in (1, 2):
            assert list(repository.promotions(after=number - 1)) == []
            other.promote(number, b"by another")
            assert len(repository.promotions(after=number - 1)) == 1

    def test_lets_one_of_many_threads_promote(self, repository: ModelRepository) -> None:
        won: list[int] = []
        failed: list[BaseException] = []

        def promote(thread: int) -> None:
            try:
                repository.promote(1, b"thread %d" % thread)
                won.append(thread)
            except Conflict:
                pass
            except BaseException as ex:  # a thread's error would be lost
                failed.append(ex)

        threads = [threading.Thread(target=promote, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert [bytes(record) for _, record in repository.promotions()] == [b"thread %d" % won[0]]
        assert len(won) == 1

    def test_lets_one_of_two_processes_promote(
        self, repository: ModelRepository, elsewhere: str | None
    ) -> None:
        won = []
        with another_process(elsewhere, _IN_ANOTHER_PROCESS) as other:
            for number in range(8, 0, -1):
                try:
                    repository.promote(number, b"this process")
                    won.append(number)
                except Conflict:
                    pass
            assert other.stdout is not None
            lost = [int(line.split()[1]) for line in other.stdout]
        assert other.returncode == 0
        assert sorted([*won, *lost]) == list(range(1, 9))
        kept = {number: bytes(record) for number, record in repository.promotions()}
        assert [number for number in kept if kept[number] == b"this process"] == sorted(won)

    # Failure

    def test_says_when_its_store_fails(
        self, repository: ModelRepository, break_down: Callable[[], None]
    ) -> None:
        repository.add(A, FILES)
        repository.share(DIGEST, SHARED)
        repository.promote(1, b"a")
        break_down()
        for use in (
            lambda: repository.add(B, FILES),
            repository.ids,
            lambda: repository.read(A, "card.json"),
            lambda: repository.size(A),
            lambda: repository.remove(A),
            lambda: repository.share(DIGEST, SHARED),
            lambda: repository.read_shared(DIGEST),
            repository.shared,
            lambda: repository.remove_shared(DIGEST),
            lambda: repository.promote(2, b"b"),
            repository.promotions,
        ):
            with pytest.raises(Unavailable):
                use()

    # The history that uses it

    def test_holds_a_history_of_models(
        self, repository: ModelRepository, reopen: Callable[[], ModelRepository]
    ) -> None:
        published = publish(history_of(repository), "a-1")
        history = history_of(reopen())
        card = history.card(A)
        assert card == published
        assert set(card.files) == set(a_fitted_model(STONES).files)
        assert list(repository.shared()) == [card.samples]
        prices = history.load(A).model.price(STONES)
        np.testing.assert_array_equal(prices, a_fitted_model(STONES).model.price(STONES))
        np.testing.assert_array_equal(history.samples(card).rows, sorted_samples(STONES).rows)
        assert history.problems() == {}

    def test_holds_a_linear_history_of_promotions(
        self, repository: ModelRepository, reopen: Callable[[], ModelRepository]
    ) -> None:
        history = history_of(repository)
        publish(history, "a-1")
        publish(history, "b-2")
        more: dict[str, Any] = {"at": NOON, "by": "tester", "reason": "a ü and a\nnew line"}
        history.promote(A, previous=None, **more)
        history.promote(B, previous=A, **more)
        with pytest.raises(Conflict):
            history.promote(A, previous=A, **more)
        with pytest.raises(ModelNotFound):
            history.promote(ModelId("nothing"), previous=B, **more)
        history = history_of(reopen())
        assert [(p.number, p.model_id, p.previous) for p in history.promotions()] == [
            (1, A, None),
            (2, B, A),
        ]
        assert history.promotions()[0].reason == more["reason"]
        assert history.champion() == B

    @pytest.mark.parametrize("name", [ONNX_FILE, CARD_FILE])
    def test_shows_a_damaged_model_and_hides_no_other(
        self,
        repository: ModelRepository,
        damage: Callable[[ModelId, str], None],
        name: str,
    ) -> None:
        history = history_of(repository)
        publish(history, "a-1")
        publish(history, "b-2")
        damage(A, name)
        assert B in [card.id for card in history.cards()]
        assert list(history.problems()) == [A]
        with pytest.raises(ModelDamaged):
            history.load(A)
        assert history.load(B).card.id == B

    def test_shows_each_model_whose_shared_samples_are_damaged(
        self, repository: ModelRepository, damage_shared: Callable[[str], None]
    ) -> None:
        history = history_of(repository)
        card = publish(history, "a-1")
        publish(history, "b-2")
        damage_shared(card.samples)
        assert set(history.problems()) == {A, B}
        with pytest.raises(ModelDamaged):
            history.load(A)
        publish(history, "c-3")  # of the same stones: it stores them again
        assert history.problems() == {}

    def test_calls_an_outage_an_outage_and_no_damage(
        self, repository: ModelRepository, break_down: Callable[[], None]
    ) -> None:
        history = history_of(repository)
        card = publish(history, "a-1")
        break_down()
        for use in (history.cards, lambda: history.load(A), lambda: history.open(card)):
            with pytest.raises(DiamondError) as caught:
                use()
            assert isinstance(caught.value, Unavailable)

    def test_keeps_files_of_any_name_that_a_family_chooses(
        self, repository: ModelRepository
    ) -> None:
        history = history_of(repository)
        fitted = a_fitted_model(STONES)
        files = {"estimator.joblib": b"pickled", "trees.json": b"[]"}
        plain = a_fitted_model(STONES, files={**files, "report.html": b"a page"})
        history.publish(a_card("a-1"), plain, STONES)
        assert history.report(A) == b"a page"
        assert fitted.files.keys() != plain.files.keys()
        with pytest.raises(ModelDamaged, match=r"no model\.onnx"):
            history.load(A)
        loads = ModelHistory(repository, load_formula, lambda data, features: fitted.model)
        assert loads.load(A).model is fitted.model

    def test_can_be_used_by_several_threads_at_once(self, repository: ModelRepository) -> None:
        repository.add(A, FILES)
        failed: list[BaseException] = []

        def use(thread: int) -> None:
            try:
                repository.add(ModelId(f"m-{thread}"), FILES)
                assert bytes(repository.read(A, "model.onnx")) == FILES["model.onnx"]
                assert A in repository.ids()
            except BaseException as ex:  # a thread's error would be lost
                failed.append(ex)

        threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert len(repository.ids()) == 7
