"""The one program that draws charts: JavaScript modules and a style sheet.

Pages load the files as they are; a report contains them (``script``). ``plot.js`` draws layers of
marks over two axes, ``bars.js`` horizontal bars; both document their arguments.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)


def script(*modules: str) -> str:
    """Return *modules* and everything they import as the text of one script.

    They share one scope there: two modules must not declare the same name at their top level.
    """
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in texts:
            return
        text = FOLDER.joinpath(name).read_text("utf-8")
        for imported in _IMPORT.findall(text):
            add(imported)
        texts[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    for module in modules:
        add(module)
    return "\n".join(texts.values())
