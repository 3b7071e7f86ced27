"""Find similar stones among the champion's training stones."""

from __future__ import annotations

from diamond_core.stones.diamond import Diamond
from diamond_core.stones.similarity import Similar
from diamond_core.use_cases.follow_champion import ChampionFollower


class FindSimilar:
    """Finds training stones of the same cut, color and clarity that are nearest in weight."""

    def __init__(self, follower: ChampionFollower) -> None:
        self._follower = follower

    def __call__(self, diamond: Diamond, n: int) -> Similar:
        """Return the *n* most similar stones, or fewer; possibly none.

        Raises:
            NoChampion: no model is served.
        """
        return self._follower.get().similar.nearest(diamond, n)
