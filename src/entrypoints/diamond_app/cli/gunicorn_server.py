"""gunicorn in the command's own process."""

from __future__ import annotations

import sys


def run_gunicorn(arguments: list[str]) -> None:
    """Become gunicorn in this process: a new one would import everything once more."""
    from gunicorn.app.wsgiapp import WSGIApplication

    class Server(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
        """gunicorn with our arguments; the command's own stay in argv, for a live upgrade."""

        def load_config(self) -> None:
            original, sys.argv = sys.argv, ["gunicorn", *arguments]
            try:
                super().load_config()
            finally:
                sys.argv = original

    Server(prog="gunicorn").run()
