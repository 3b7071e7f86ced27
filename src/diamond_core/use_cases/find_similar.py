"""Find comparable stones among those the champion was trained on."""

from __future__ import annotations

from diamond_core.stones.diamond import Diamond
from diamond_core.stones.similarity import Similar
from diamond_core.use_cases.follow_champion import ChampionFollower


class FindSimilar:
    """Find training stones of the same cut, color and clarity and the nearest weight."""

    def __init__(self, champion: ChampionFollower) -> None:
        self._champion = champion

    def __call__(self, diamond: Diamond, n: int) -> Similar:
        """Return the *n* most similar stones, or all there are; none is no error.

        Raises:
            NoChampion: no model has been trained yet.
        """
        return self._champion.get().similar.nearest(diamond, n)
