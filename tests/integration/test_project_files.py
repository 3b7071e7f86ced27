"""CI and the hooks before a commit run what the Makefile runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_ci_runs_the_test_command_from_the_oldest_python_on_and_may_only_read():
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    job = ci["jobs"]["test"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f">={job['strategy']['matrix']['python'][0]}" == project["requires-python"]
    assert job["steps"][-1]["run"].startswith("make test")
    assert ci["permissions"] == {"contents": "read"}


def test_hooks_run_the_checks_of_the_makefile_in_its_versions():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repo,) = hooks["repos"]
    assert repo["repo"] == "local", "a hook of another repository has a version of its own"
    checks = MAKEFILE.partition("\ncheck:")[2].partition("\n\n")[0]
    for hook in repo["hooks"]:
        command = hook["entry"].removeprefix(".venv/bin/").removesuffix(" --fix")
        assert re.search(rf"\$\(BIN\)/{re.escape(command)}\b", checks), command
        if hook.get("pass_filenames", True):
            folders = re.findall(r"\w+", hook["files"])
            assert f"{command} {' '.join(folders)}" in checks.replace(" --check", "")
