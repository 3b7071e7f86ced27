"""``diamond_core`` offers by itself what people and authors of families and adapters need."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import diamond_core
import diamond_core.testing

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^ *```python.*?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
ADAPTERS = sorted((ROOT / "src/adapters").rglob("*.py"))


def imports_of(code):
    """Return (module, name) of each name that *code* imports from the core."""
    return [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("diamond_core")
        for alias in node.names
    ]


def shown():
    """Return (where, module, name) of each name of the core that people are shown an import of."""
    codes = [
        (page.name, snippet)
        for page in PAGES
        for snippet in FENCE.findall(page.read_text(encoding="utf-8"))
        if "diamond_core" in snippet  # others may be fragments
    ]
    codes += [(path.name, path.read_text(encoding="utf-8")) for path in EXAMPLES]
    return [(where, *each) for where, code in codes for each in imports_of(code)]


def test_each_name_stands_once_and_exists():
    names = diamond_core.__all__
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(diamond_core, name)] == []


def test_documentation_and_examples_import_public_names_from_the_top():
    public = {
        (module.__name__, name)
        for module in (diamond_core, diamond_core.testing)
        for name in module.__all__
    }
    imported = shown()
    assert {module for _, module, _ in imported} == {"diamond_core", "diamond_core.testing"}
    assert [each for each in imported if each[1:] not in public] == []


def test_adapters_use_only_names_that_other_authors_have():
    imported = {
        name for path in ADAPTERS for _, name in imports_of(path.read_text(encoding="utf-8"))
    }
    assert len(imported) > 30
    assert sorted(imported - set(diamond_core.__all__)) == []
