"""Adapters that fail on purpose, for more than one test module."""

from __future__ import annotations

from diamond_adapters.in_memory import InMemoryModelRepository
from diamond_core import ModelDamaged


class DamagingRepository(InMemoryModelRepository):
    """One whose models can be damaged, by adding their ids to ``damaged``."""

    def __init__(self):
        super().__init__()
        self.damaged = set()

    def open(self, id):
        if id in self.damaged:
            raise ModelDamaged(id, "a byte was flipped")
        return super().open(id)
