"""Entry points: the command line, the HTTP service, and the container that wires them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from diamond_app.home import Home

__all__ = ["open_home"]


def open_home(home: str | PathLike[str] | None = None) -> Home:
    """Return the use cases of a home, wired as the commands and the service have them.

    Settings come from the environment and a file ``.env``; *home* replaces
    ``DIAMOND_HOME``. Nothing is opened or created before it is used.

    ```python
    from diamond_app import open_home
    from diamond_core import Diamond

    stone = Diamond.parse({"carat": 1.1, "cut": "Ideal", "color": "H", "clarity": "SI2"})
    print(open_home().price_diamonds.one(stone).price)
    ```

    Raises:
        InvalidSetting: a setting can't be used, or *home* is not a folder.
    """
    from diamond_app.home import Home

    return Home.load(home)
