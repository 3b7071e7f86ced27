"""What any ``ModelRepository`` must do."""

from __future__ import annotations

import threading
from datetime import timedelta

import numpy as np
import pytest

from diamond_core.errors import Conflict, ModelExists, ModelNotFound
from diamond_core.model_card import ModelCard, ModelId, Promotion
from diamond_core.ports import ModelRepository
from diamond_core.similarity import sorted_samples
from diamond_core.testing.samples import NOON, a_card, a_fitted_model, some_stones

STONES = some_stones(200)


def publish(repository: ModelRepository, name: str, **changes: object) -> ModelCard:
    """Publish a formula model of the id *name*."""
    return repository.publish(
        a_card(name, **changes), a_fitted_model(STONES), sorted_samples(STONES)
    )


def promotion(name: str, previous: str | None, minute: int = 0) -> Promotion:
    """Return the promotion of *name* at *minute* past noon."""
    return Promotion(
        model_id=ModelId(name),
        at=NOON + timedelta(minutes=minute),
        by="tester",
        reason="a reason, with a ü and a\nnew line",
        previous=None if previous is None else ModelId(previous),
    )


class ModelRepositoryContract:
    """Inherit, and supply an empty ``repository`` that opens formula models."""

    @pytest.fixture
    def repository(self) -> ModelRepository:
        raise NotImplementedError("supply the repository under test")

    def test_is_empty_at_first(self, repository: ModelRepository) -> None:
        assert list(repository.cards()) == []
        assert repository.champion() is None
        assert list(repository.promotions()) == []

    def test_gives_back_a_card_unchanged(self, repository: ModelRepository) -> None:
        published = publish(repository, "formula-1")
        assert repository.card(ModelId("formula-1")) == published
        assert published == a_card("formula-1", files=published.files)
        assert set(published.files) >= set(a_fitted_model(STONES).files)

    def test_gives_back_a_model_that_prices_the_same(self, repository: ModelRepository) -> None:
        publish(repository, "formula-1")
        prices = repository.open(ModelId("formula-1")).price(STONES)
        np.testing.assert_array_equal(prices, a_fitted_model(STONES).model.price(STONES))

    def test_gives_back_the_samples_in_their_order(self, repository: ModelRepository) -> None:
        publish(repository, "formula-1")
        samples = repository.samples(ModelId("formula-1"))
        np.testing.assert_array_equal(samples.rows, sorted_samples(STONES).rows)

    def test_lists_cards_newest_first(self, repository: ModelRepository) -> None:
        for name, minute in (("b", 1), ("c", 2), ("a", 0)):
            publish(repository, name, created_at=NOON + timedelta(minutes=minute))
        assert [card.id for card in repository.cards()] == ["c", "b", "a"]

    def test_never_overwrites_a_model(self, repository: ModelRepository) -> None:
        first = publish(repository, "formula-1")
        with pytest.raises(ModelExists):
            publish(repository, "formula-1", seed=99)
        assert repository.card(ModelId("formula-1")) == first

    def test_does_not_find_what_is_not_there(self, repository: ModelRepository) -> None:
        nothing = ModelId("nothing")
        for look in (repository.card, repository.open, repository.samples):
            with pytest.raises(ModelNotFound):
                look(nothing)
        with pytest.raises(ModelNotFound):
            repository.promote(promotion("nothing", None))
        assert repository.champion() is None

    def test_follows_promotions(self, repository: ModelRepository) -> None:
        publish(repository, "a")
        publish(repository, "b")
        made = [promotion("a", None), promotion("b", "a", 1), promotion("a", "b", 2)]
        for each in made:
            repository.promote(each)
            assert repository.champion() == each.model_id
        assert list(repository.promotions()) == made

    def test_refuses_a_promotion_that_others_overtook(self, repository: ModelRepository) -> None:
        publish(repository, "a")
        publish(repository, "b")
        repository.promote(promotion("a", None))
        with pytest.raises(Conflict):
            repository.promote(promotion("b", None, 1))
        assert repository.champion() == "a"
        assert len(repository.promotions()) == 1

    def test_lets_one_of_many_threads_promote(self, repository: ModelRepository) -> None:
        names = [f"m{number}" for number in range(8)]
        for name in names:
            publish(repository, name)
        won: list[str] = []

        def promote(name: str) -> None:
            try:
                repository.promote(promotion(name, None))
            except Conflict:
                return
            won.append(name)

        threads = [threading.Thread(target=promote, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [repository.champion()]

    def test_lets_one_train_at_a_time(self, repository: ModelRepository) -> None:
        order: list[str] = []
        waits = threading.Event()

        def second() -> None:
            def waiting(told: str) -> None:
                order.append("second waits")
                assert told
                waits.set()

            with repository.training(waiting):
                order.append("second trains")

        with repository.training(lambda _: None):
            thread = threading.Thread(target=second)
            thread.start()
            assert waits.wait(30)
            order.append("first ends")
        thread.join(30)
        assert order == ["second waits", "first ends", "second trains"]
