"""The store of what was last computed about the requests."""

from __future__ import annotations

from typing import Protocol

from diamond_core.monitoring.counted_stones import CountedStones
from diamond_core.monitoring.monitoring import Monitoring


class MonitoringStore(Protocol):
    """Keeps one ``Monitoring``, and the stones that it counts.

    Processes can share it. All methods raise ``Unavailable`` if it fails.
    """

    def save(self, monitoring: Monitoring) -> None:
        """Keep *monitoring*, in place of what was kept; a reader sees either, never a part."""
        ...

    def load(self) -> Monitoring | None:
        """Return what was saved last; None if nothing was, or if it can't be read."""
        ...

    def save_counted(self, counted: CountedStones) -> None:
        """Keep *counted*, in place of what was kept, in the same way."""
        ...

    def load_counted(self) -> CountedStones | None:
        """Return what ``save_counted`` saved last; None if nothing was, or if it can't be read."""
        ...
