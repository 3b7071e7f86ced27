"""CI and the hooks before a commit run what the Makefile runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_ci_runs_the_test_command_from_the_oldest_python_on_and_may_only_read():
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = ci["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert f">={pythons[0]}" == project["requires-python"]
    for job in ci["jobs"].values():
        assert job["steps"][-1]["run"].startswith("make test")
    assert ci["permissions"] == {"contents": "read"}


def test_every_python_of_ci_has_one_pin_of_each_package():
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines == sorted(lines, key=str.lower)
    pins = [Requirement(line) for line in lines]
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) and not pin.url for pin in pins)
    names = sorted({canonicalize_name(pin.name) for pin in pins})
    for version in ["3.11.2", *ci["jobs"]["test"]["strategy"]["matrix"]["python"]]:
        full = version if version.count(".") == 2 else f"{version}.9"
        python = {"python_version": full.rpartition(".")[0], "python_full_version": full}
        applied = [pin.name for pin in pins if not pin.marker or pin.marker.evaluate(python)]
        assert sorted(map(canonicalize_name, applied)) == names


def test_make_names_the_package_that_a_python_without_venv_lacks(tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError('as on a bare Debian')")
    done = subprocess.run(
        [
            *("make", "--silent", "-C", str(ROOT), f"PYTHON={sys.executable}"),
            *(f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/pip"),
        ],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    assert done.stderr.splitlines()[0].endswith(f"on Debian and Ubuntu: apt install {package}")
    assert not (tmp_path / "venv").exists()


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
