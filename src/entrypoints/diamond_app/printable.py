"""Text from outside, safe to show: it can't control a terminal or forge a line of a log."""

from __future__ import annotations

import json


def printable(text: str, keep: str = "") -> str:
    r"""Return *text* with an escape such as ``\u001b`` for each character that does not print.

    These are control characters, line ends, and those that change the direction of text; those in
    *keep* stay. JSON text keeps its meaning, as only its strings can contain the others.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in keep else json.dumps(each)[1:-1] for each in text
    )
