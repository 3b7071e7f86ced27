import numpy as np
import pytest
from histories import damage

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import (
    ONNX_FILE,
    ChampionFollower,
    ModelHistory,
    ModelId,
    NoChampion,
    Unavailable,
)
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE

STONES = some_stones(150)


class Seconds:
    """A clock that stands still until a test sets it."""

    now = 0.0

    def __call__(self):
        return self.now


class Repository(InMemoryModelRepository):
    """One that notes what it is asked for, and whose damage can be repaired."""

    def __init__(self):
        super().__init__()
        self.read_files, self.asked_after, self.out_of_reach = [], [], None

    def read(self, id, name):
        if id == self.out_of_reach:
            raise Unavailable(f"{id} can't be reached")
        self.read_files.append((id, name))
        return super().read(id, name)

    def promotions(self, after=0):
        self.asked_after.append(after)
        return super().promotions(after)

    def repair(self, id, name, data):
        self._models[id][name] = data


class World:
    """A history of the models a, b and c in memory, and a follower of its champion.

    While ``outage`` is set, no graph can be loaded, though the repository can be read. A model
    that is in ``mad`` has its price there.
    """

    def __init__(self):
        self.repository = Repository()
        self.history = ModelHistory(self.repository, self.load)
        self.seconds = Seconds()
        self.follower = ChampionFollower(self.history, self.seconds)
        self.outage = None
        self.mad = {}
        for factor, name in enumerate("abc", start=1):
            self.publish(name, factor)

    def publish(self, name, factor):
        fitted = a_fitted_model(STONES, factor=float(factor))
        self.history.publish(a_card(name), fitted, some_stones(len(STONES), seed=int(factor)))
        return bytes(fitted.files[ONNX_FILE])

    def load(self, data, features):
        if self.outage is not None:
            raise self.outage
        return self.mad.get(bytes(data)) or load_formula(data, features)

    def tries(self, name):
        """Return how often the graph of the model *name* was read."""
        return self.repository.read_files.count((name, ONNX_FILE))

    def promote(self, *names):
        """Promote models, sound or not: they may be damaged after their promotion."""
        for name in names:
            previous = self.history.champion()
            self.history.promote(
                ModelId(name), previous=previous, at=NOON, by="test", reason="test"
            )

    def damage(self, *names, file=ONNX_FILE):
        for name in names:
            damage(self.repository, ModelId(name), file)

    @property
    def served(self):
        return self.follower.get().card.id


@pytest.fixture
def world():
    return World()


def test_follows_the_champion(world):
    with pytest.raises(NoChampion):
        world.follower.get()
    assert not world.follower.refresh()
    world.promote("a")
    assert world.follower.refresh()
    assert world.served == "a"
    assert not world.follower.refresh()
    world.promote("b")
    assert world.served == "a"
    assert world.follower.refresh()
    assert world.served == "b"
    assert world.follower.problem is None
    assert (world.tries("a"), world.tries("b")) == (1, 1)


def test_serves_the_model_with_its_card_and_its_stones(world):
    world.promote("b")
    world.follower.refresh()
    served = world.follower.get()
    assert served.card == world.history.card(ModelId("b"))
    prices = a_fitted_model(STONES, factor=2.0).model.price(STONES)
    np.testing.assert_array_equal(served.model.price(STONES), prices)
    assert len(served.similar) == len(STONES)


@pytest.mark.parametrize("file", [ONNX_FILE, "samples", CARD_FILE])
def test_goes_on_with_the_model_of_before_when_the_new_one_is_broken(world, file):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    world.damage("b", file=file)
    assert not world.follower.refresh()
    assert world.served == "a"
    assert "'b' is damaged" in world.follower.problem
    assert file in world.follower.problem
    world.promote("c")
    assert world.follower.refresh()
    assert world.served == "c"
    assert world.follower.problem is None


def test_forgets_the_problem_when_the_model_of_before_is_champion_again(world):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    world.damage("b")
    world.follower.refresh()
    assert world.follower.problem is not None
    world.promote("a")
    world.follower.refresh()
    assert world.follower.problem is None


def test_starts_with_the_latest_sound_champion(world):
    world.promote("a", "b", "c")
    world.damage("c", "b")
    assert world.follower.refresh()
    assert world.served == "a"
    assert "'c' is damaged" in world.follower.problem


def test_serves_nothing_where_no_champion_is_sound(world):
    world.promote("a", "b")
    world.damage("a", "b")
    assert not world.follower.refresh()
    with pytest.raises(NoChampion):
        world.follower.get()
    assert "'b' is damaged" in world.follower.problem


class MadModel:
    def __init__(self, price):
        self._price = price

    def price(self, stones):
        return np.full(len(stones.features()), self._price)


@pytest.mark.parametrize("price", [0.0, -5.0, float("nan"), float("inf")])
def test_refuses_a_model_that_does_not_price_two_ordinary_stones(world, price):
    world.promote("a")
    world.follower.refresh()
    world.mad[world.publish("mad", 9)] = MadModel(price)
    world.promote("mad")
    assert not world.follower.refresh()
    assert world.served == "a"
    assert "two ordinary stones" in world.follower.problem


# An outage


def test_goes_on_when_the_repository_cannot_be_read(world):
    world.promote("a")
    world.follower.refresh()
    world.repository.failure = Unavailable("the disk failed")
    assert not world.follower.refresh()
    assert world.served == "a"
    assert world.follower.problem == "the disk failed"
    world.repository.failure = None
    world.follower.refresh()
    assert world.follower.problem is None


def test_loads_the_champion_at_the_first_refresh_after_an_outage(world):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    world.outage = Unavailable("the disk failed")
    for _ in range(3):
        assert not world.follower.refresh()
        assert (world.served, world.follower.problem) == ("a", "the disk failed")
    world.outage = None  # and no time has passed
    assert world.follower.refresh()
    assert (world.served, world.follower.problem) == ("b", None)


def test_starts_at_the_first_refresh_after_an_outage(world):
    world.promote("a")
    for outage in ("repository", "loading"):
        world.repository.failure = Unavailable(outage) if outage == "repository" else None
        world.outage = Unavailable(outage)
        assert not world.follower.refresh()
        assert world.follower.problem == outage
        with pytest.raises(NoChampion):
            world.follower.get()
    world.outage = None
    assert world.follower.refresh()
    assert (world.served, world.follower.problem) == ("a", None)


def test_does_not_take_an_outage_for_a_reason_to_serve_an_earlier_champion(world):
    world.promote("a", "b")
    world.outage = Unavailable("the disk failed")
    assert not world.follower.refresh()
    with pytest.raises(NoChampion):
        world.follower.get()
    world.outage = None
    world.follower.refresh()
    assert world.served == "b"


def test_serves_an_earlier_champion_at_the_first_refresh_after_an_outage(world):
    """The present champion is damaged, and the one before it can't be reached for a while."""
    world.promote("a", "b")
    world.damage("b")
    world.outage = Unavailable("the disk failed")
    assert not world.follower.refresh()
    world.outage = None  # and no time has passed
    assert world.follower.refresh()
    assert world.served == "a"
    assert "'b' is damaged" in world.follower.problem


def test_serves_an_earlier_champion_while_the_present_one_is_out_of_reach(world):
    world.promote("a", "b")
    world.repository.out_of_reach = "b"
    world.follower.refresh()
    assert world.served == "a"
    assert world.follower.problem == "b can't be reached"
    world.repository.out_of_reach = None  # and no time has passed
    assert world.follower.refresh()
    assert (world.served, world.follower.problem) == ("b", None)


def test_says_why_nothing_is_served(world):
    with pytest.raises(NoChampion) as caught:
        world.follower.get()
    assert (caught.value.problem, str(caught.value)) == ("", "no model has been trained yet")
    world.promote("a")
    world.damage("a")
    world.follower.refresh()
    with pytest.raises(NoChampion, match="no model can be served: the model 'a' is damaged"):
        world.follower.get()


def test_says_again_what_is_damaged_after_an_outage(world):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    world.damage("b")
    world.follower.refresh()
    world.repository.failure = Unavailable("the disk failed")
    world.follower.refresh()
    world.repository.failure = None
    world.follower.refresh()
    assert world.served == "a"
    assert "'b' is damaged" in world.follower.problem


# Damage


def times_of_tries(world, name, until):
    """Refresh four times a second; return the seconds at which the model *name* was tried."""
    times = []
    for quarter in range(until * 4):
        world.seconds.now = quarter / 4
        before = world.tries(name)
        world.follower.refresh()
        times += [world.seconds.now] * (world.tries(name) - before)
    return times


def test_tries_a_damaged_champion_again_with_growing_pauses(world):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    world.damage("b")
    times = times_of_tries(world, "b", until=300)
    assert times == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0, 243.0]
    assert world.served == "a"


def test_pauses_where_nothing_is_served_at_all(world):
    world.promote("b")
    world.damage("b")
    assert times_of_tries(world, "b", until=10) == [0.0, 1.0, 3.0, 7.0]


def test_serves_a_damaged_champion_after_its_repair(world):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    whole = bytes(world.repository.read(ModelId("b"), ONNX_FILE))
    world.damage("b")
    world.follower.refresh()
    world.seconds.now = 1.0
    world.follower.refresh()
    world.repository.repair(ModelId("b"), ONNX_FILE, whole)
    world.seconds.now = 2.75
    assert not world.follower.refresh()
    assert world.served == "a"
    world.seconds.now = 3.0
    assert world.follower.refresh()
    assert (world.served, world.follower.problem) == ("b", None)


def test_tries_a_new_champion_at_once_and_with_short_pauses_again(world):
    world.promote("a")
    world.follower.refresh()
    world.promote("b")
    world.damage("b", "c")
    times_of_tries(world, "b", until=20)
    world.promote("c")
    for later, tries in ((0.0, 1), (0.9, 1), (1.0, 2), (2.9, 2), (3.0, 3)):
        world.seconds.now = 20.0 + later
        world.follower.refresh()
        assert world.tries("c") == tries
    assert "'c' is damaged" in world.follower.problem


@pytest.mark.parametrize("file", [ONNX_FILE, "samples", CARD_FILE, None])
def test_names_a_served_model_that_loses_its_files_and_goes_on_serving_it(world, file):
    world.promote("a", "b")
    world.follower.refresh()
    sound, shared = dict(world.repository._models[ModelId("b")]), dict(world.repository._shared)
    if file is None:
        del world.repository._models[ModelId("b")]
    else:
        world.damage("b", file=file)
    for second, damaged in ((59.9, False), (60.0, True), (119.9, True)):
        world.seconds.now = second
        assert not world.follower.refresh()
        assert (world.served, world.follower.problem is not None) == ("b", damaged)
    lost = {None: "all", "samples": "its samples"}.get(file, file)
    assert f"the model 'b' is served, but can't be loaded again: {lost}" in world.follower.problem
    world.repository._models[ModelId("b")] = sound
    world.repository._shared = shared
    world.seconds.now = 120.0
    world.follower.refresh()
    assert world.follower.problem is None


def test_checks_the_files_of_the_served_model_again_after_an_outage(world):
    world.promote("a")
    world.follower.refresh()
    world.damage("a")
    world.seconds.now = 60.0
    world.repository.out_of_reach = "a"
    world.follower.refresh()
    assert world.follower.problem == "a can't be reached"
    world.repository.out_of_reach = None  # and no time has passed
    world.follower.refresh()
    assert "can't be loaded again" in world.follower.problem
    world.promote("b")
    world.follower.refresh()
    assert (world.served, world.follower.problem) == ("b", None)


def test_looks_only_for_the_next_promotion_where_there_is_none(world):
    world.promote("a", "b")
    world.follower.refresh()
    world.repository.asked_after.clear()
    for _ in range(3):
        world.follower.refresh()
    assert world.repository.asked_after == [2, 2, 2]


def test_passes_over_a_promotion_that_it_cannot_read(world):
    world.promote("a")
    world.repository.promote(2, b"no JSON")
    assert world.follower.refresh()
    assert world.served == "a"
    world.promote("b")
    assert world.follower.refresh()
    assert world.served == "b"
