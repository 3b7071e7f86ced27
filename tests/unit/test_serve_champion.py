import numpy as np
import pytest
from fakes import DamagingRepository

from diamond_core import (
    Champion,
    ModelId,
    NoChampion,
    Promotion,
    Unavailable,
    sorted_samples,
)
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import NOON

STONES = some_stones(150)


class Repository(DamagingRepository):
    """One that tells what it opened, and whose disk can fail as well."""

    def __init__(self):
        super().__init__()
        self.opened = []
        self.fails = False

    def open(self, id):
        self.opened.append(id)
        return super().open(id)

    def champion(self):
        if self.fails:
            raise Unavailable("the disk failed")
        return super().champion()


class MadModel:
    def __init__(self, price):
        self._price = price

    def price(self, table):
        return np.full(len(table), self._price)


@pytest.fixture
def repository():
    repository = Repository()
    for name in "abc":
        repository.publish(a_card(name), a_fitted_model(STONES), sorted_samples(STONES))
    return repository


def promote(repository, name):
    """Promote a model as it lies there, sound or not: it may be damaged after its promotion."""
    repository.promote(
        Promotion(
            model_id=ModelId(name),
            at=NOON,
            by="test",
            reason="test",
            previous=repository.champion(),
        )
    )


def test_follows_the_champion(repository):
    champion = Champion(repository)
    with pytest.raises(NoChampion):
        champion.get()
    assert not champion.refresh()
    promote(repository, "a")
    assert champion.refresh()
    assert champion.get().card.id == "a"
    assert not champion.refresh()
    promote(repository, "b")
    assert champion.get().card.id == "a"
    assert champion.refresh()
    assert champion.get().card.id == "b"
    assert champion.problem is None


def test_goes_on_with_the_model_of_before_when_the_new_one_is_broken(repository):
    champion = Champion(repository)
    promote(repository, "a")
    champion.refresh()
    repository.damaged.add("b")
    promote(repository, "b")
    assert not champion.refresh()
    assert champion.get().card.id == "a"
    assert "a byte was flipped" in champion.problem
    champion.refresh()
    assert repository.opened.count("b") == 1
    promote(repository, "c")
    assert champion.refresh()
    assert champion.get().card.id == "c"
    assert champion.problem is None


def test_forgets_the_problem_when_the_model_of_before_is_champion_again(repository):
    champion = Champion(repository)
    promote(repository, "a")
    champion.refresh()
    repository.damaged.add("b")
    promote(repository, "b")
    champion.refresh()
    promote(repository, "a")
    champion.refresh()
    assert champion.problem is None


def test_starts_with_the_latest_sound_champion(repository):
    for name in "abc":
        promote(repository, name)
    repository.damaged |= {"c", "b"}
    champion = Champion(repository)
    assert champion.refresh()
    assert champion.get().card.id == "a"
    assert "'c' is damaged" in champion.problem


@pytest.mark.parametrize("price", [0.0, -5.0, float("nan"), float("inf")])
def test_refuses_a_model_that_does_not_price_two_ordinary_stones(repository, price):
    promote(repository, "a")
    champion = Champion(repository)
    champion.refresh()
    mad = a_fitted_model(STONES, model=MadModel(price))
    repository.publish(a_card("mad"), mad, sorted_samples(STONES))
    promote(repository, "mad")
    assert not champion.refresh()
    assert champion.get().card.id == "a"


def test_goes_on_when_the_repository_can_not_be_read(repository):
    promote(repository, "a")
    champion = Champion(repository)
    champion.refresh()
    repository.fails = True
    assert not champion.refresh()
    assert champion.get().card.id == "a"
    assert champion.problem == "the disk failed"
    repository.fails = False
    champion.refresh()
    assert champion.problem is None
