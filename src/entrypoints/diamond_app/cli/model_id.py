"""How commands name a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diamond_core import ModelHistory, ModelId


def model_id(history: ModelHistory, text: str) -> ModelId:
    """Return the model id that *text* names."""
    from diamond_core import ModelId, NoChampion

    if text != "champion":
        return ModelId(text)
    champion = history.champion()
    if champion is None:
        raise NoChampion
    return champion
