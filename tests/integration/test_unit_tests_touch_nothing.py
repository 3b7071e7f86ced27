"""What tests/unit/conftest.py refuses: a unit test that writes, forks, connects or leaves a thread."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "unit" / "conftest.py"
TESTS = """
import contextlib, os, socket, sqlite3, subprocess, sys, threading
from pathlib import Path
import pytest

HERE = Path(__file__)
ended = threading.Event()

@pytest.fixture
def file():
    HERE.with_name("a").write_text("")

def bad_fixture(file): pass
def bad_write(): HERE.with_name("b").write_text("")
def bad_append(): HERE.open("a")
def bad_low_level(): os.open(HERE, os.O_RDWR)
def bad_folder(tmp_path): pass
def bad_unlink(): HERE.with_name("c").unlink()
def bad_sqlite(): sqlite3.connect(":memory:")
def bad_process(): subprocess.run([sys.executable, "--version"])
def bad_fork(): os.fork() or os._exit(0)
def bad_socket(): socket.create_connection(("127.0.0.1", 9))
def bad_though_caught():
    with contextlib.suppress(BaseException):
        HERE.with_name("d").write_text("")
def bad_thread(): threading.Thread(target=ended.wait, args=(20,), daemon=True).start()
def good_reads(): HERE.read_text()
def good_thread():
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
"""


def test_a_unit_test_that_touches_the_world_fails(tmp_path):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--tb=short"),
            *("-o", "python_functions=bad_* good_*", "--rootdir", str(tmp_path), str(tmp_path)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    passed = re.findall(r"^PASSED test_some\.py::(\w+)", done.stdout, re.MULTILINE)
    failed = re.findall(r"^(?:FAILED|ERROR) test_some\.py::(\w+)", done.stdout, re.MULTILINE)
    assert passed == ["good_reads", "good_thread"], done.stdout + done.stderr
    assert sorted(failed) == sorted(re.findall(r"def (bad_\w+)", TESTS)), done.stdout
    assert list(tmp_path.glob("[abcd]")) == []
