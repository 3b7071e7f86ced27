"""gunicorn in the command's own process."""

from __future__ import annotations

import sys


def run_gunicorn(arguments: list[str]) -> None:
    """Run gunicorn in this process: a new process would import everything again."""
    from gunicorn.app.wsgiapp import WSGIApplication

    class Server(WSGIApplication):  # type: ignore[misc]  # gunicorn has no types
        """gunicorn with our arguments; ``sys.argv`` keeps the command's own, for a live upgrade."""

        def load_config(self) -> None:
            original, sys.argv = sys.argv, ["gunicorn", *arguments]
            try:
                super().load_config()
            finally:
                sys.argv = original

    Server(prog="gunicorn").run()
