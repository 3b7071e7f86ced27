"""The store of what was last computed about the requests."""

from __future__ import annotations

from typing import Protocol

from diamond_core.monitoring.monitoring import Monitoring


class MonitoringStore(Protocol):
    """Keeps one ``Monitoring``. Processes can share it. Raises ``Unavailable`` if it fails."""

    def save(self, monitoring: Monitoring) -> None:
        """Keep *monitoring*, in place of what was kept; a reader sees either, never a part."""
        ...

    def load(self) -> Monitoring | None:
        """Return what was saved last; None if nothing was, or if it can't be read."""
        ...
