"""Authentication and permissions by API keys."""

from __future__ import annotations

from typing import Final

from diamond_app.api.exchange_context import Request
from diamond_app.api.problems import Problem
from diamond_app.settings import API_KEYS, ApiKeys

_SET_A_KEY: Final = (
    f"no keys are set; start the service with {API_KEYS}=admin:<secret> (or the path of a file with"
    " such lines) to use this"
)
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="diamond-core"'}


class Authenticator:
    """Checks the key of a request, given as ``Authorization: Bearer`` or ``X-API-Key``.

    If no keys are set, everyone can price and read, and nobody can administer. If keys are set,
    pricing and reading need one; those named ``admin`` or ``admin-...`` can also administer. The
    one-time key of ``diamond serve`` is needed only to administer.
    """

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    def require(self, req: Request) -> None:
        """Accept any valid key, or every request if no keys are set.

        Raises:
            Problem: 401 without a valid key.
        """
        if self._keys and self._keys.needed_to_price:
            self._name(req)

    def require_admin(self, req: Request) -> None:
        """Accept admin keys only.

        Raises:
            Problem: 401 without a valid key; 403 with another key, or if no keys are set.
        """
        if not self._keys.needed_to_price and not _secret(req):
            raise Problem(403, f"{_SET_A_KEY}, or send the key that it printed at its start")
        if not self._keys:
            raise Problem(403, _SET_A_KEY)
        name = self._name(req)
        if not is_admin(name):
            raise Problem(403, f"the key {name!r} can't administer; use one named 'admin'")

    def _name(self, req: Request) -> str:
        secret = _secret(req)
        if not secret:
            raise Problem(
                401,
                "send a key as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'",
                headers=_CHALLENGE,
            )
        name = self._keys.name_of(secret)
        if name is None:
            raise Problem(401, "this key is unknown", headers=_CHALLENGE)
        req.context.key_name = name
        return name


def is_admin(name: str) -> bool:
    """Return whether the key of this name can administer."""
    return name == "admin" or name.startswith("admin-")


def _secret(req: Request) -> str:
    """Return the key that the request carries, or ''."""
    scheme, _, credentials = (req.auth or "").partition(" ")
    return req.get_header("X-API-Key") or (
        credentials.strip() if scheme.lower() == "bearer" else ""
    )
