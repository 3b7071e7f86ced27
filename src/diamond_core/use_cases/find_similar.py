"""Find similar stones among the champion's training stones."""

from __future__ import annotations

import numpy as np

from diamond_core.models.price_distance import price_distances
from diamond_core.stones.diamond import Diamond
from diamond_core.stones.similarity import Similar
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import LoadedModel


class FindSimilar:
    """Finds training stones that are like a stone."""

    def __init__(self, follower: ChampionFollower) -> None:
        self._follower = follower

    def __call__(self, diamond: Diamond, n: int) -> Similar:
        """Return the *n* stones of the same cut, color and clarity that are nearest in weight.

        There are fewer, possibly none, if the training data has no more.

        Raises:
            NoChampion: no model is served.
        """
        return self._follower.get().similar.nearest(diamond, n)

    def near(self, diamond: Diamond, n: int) -> Similar:
        """Return the *n* stones of the same or neighbouring grades that are nearest in price terms.

        Raises:
            NoChampion: no model is served.
        """
        return nearest_in_price(self._follower.get(), diamond, n)


def nearest_in_price(served: LoadedModel, diamond: Diamond, n: int) -> Similar:
    """Return the *n* stones that are nearest by ``price_distances``, or fewer.

    Their grades are those of ``SimilarStones.around``. Where the model's price rises with the
    weight, no stone of these grades is nearer. Of equally near stones, the nearest weight is first.
    """
    positions, available = served.similar.around(diamond, n)
    stones = served.similar.stones[positions]
    distances = price_distances(served.model.price, diamond, stones)
    differences = stones.carat - diamond.carat
    order = np.lexsort((positions, np.abs(differences), distances))[:n]
    return Similar(
        stones[order],
        np.round(differences[order], 6).tolist(),
        available,
        distances[order].tolist(),
    )
