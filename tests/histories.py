"""Histories of models to test with, and models of any files."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import ChampionFollower, ChooseChampion, ModelHistory, ModelId, sorted_samples
from diamond_core.codec import encode
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones
from diamond_core.testing.samples import NOON
from diamond_core.use_cases.model_history import CARD_FILE

STONES = some_stones(200)
A, B, C = ModelId("a"), ModelId("b"), ModelId("c")
REASON = {"at": NOON, "by": "tester", "reason": "a test"}


def publish(history, *ids, **changes):
    for id in ids:
        card = history.publish(a_card(id, **changes), a_fitted_model(STONES), STONES)
    return card


def following(card, stones):
    """Return a follower of a champion in memory: a formula with this card and training stones."""
    history = ModelHistory(InMemoryModelRepository(), load_formula)
    history.publish(card, a_fitted_model(stones), stones)
    ChooseChampion(history, lambda: NOON).promote(card.id, reason="test", by="test")
    follower = ChampionFollower(history)
    assert follower.refresh()
    return follower


def keep(repository, id, files, samples=None, **changes):
    """Keep a model of any *files* and *samples*, with a card that names their digests."""
    samples = SAMPLES if samples is None else samples
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    card = a_card(id, files=digests, samples=hashlib.sha256(samples).hexdigest(), **changes)
    repository.share(card.samples, samples)
    repository.add(id, {**files, CARD_FILE: encode(card)})
    return card


def damage(repository, id, name):
    """Damage a file of a model in memory; "samples" is the shared one that its card names."""
    if name == "samples":
        repository.damage_shared(json.loads(bytes(repository.read(id, CARD_FILE)))["samples"])
    else:
        repository.damage(id, name)


def npy(rows, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, rows, version)
    return buffer.getvalue()


SAMPLES = npy(sorted_samples(STONES).rows)
