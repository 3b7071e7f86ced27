"""What any ``ExclusiveWork`` must do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from diamond_core.errors import Unavailable
from diamond_core.ports import ExclusiveWork

_HOLDS = """
import sys
{elsewhere}
with work.hold("training", lambda sentence: None):
    print("holds", flush=True)
    sys.stdin.readline()
"""


class ExclusiveWorkContract:
    """Inherit, and supply ``work``, ``reopen``, ``elsewhere`` and ``break_down``."""

    @pytest.fixture
    def work(self) -> ExclusiveWork:
        raise NotImplementedError("supply the adapter under test")

    @pytest.fixture
    def reopen(self) -> Callable[[], ExclusiveWork]:
        """Return what opens the same store once more."""
        raise NotImplementedError("supply what opens it again")

    @pytest.fixture
    def elsewhere(self) -> str | None:
        """Return Python code that opens the same store as ``work``; None: only this process can."""
        raise NotImplementedError("supply code that opens it in another process")

    @pytest.fixture
    def break_down(self) -> Callable[[], None]:
        """Return what makes the store fail; skip where nothing can."""
        raise NotImplementedError("supply what makes it fail")

    def test_lets_one_work_at_a_time(
        self, work: ExclusiveWork, reopen: Callable[[], ExclusiveWork]
    ) -> None:
        self.one_waits_for_another(work, work)
        self.one_waits_for_another(work, reopen())

    def one_waits_for_another(self, first: ExclusiveWork, second: ExclusiveWork) -> None:
        order: list[str] = []
        waits = threading.Event()

        def wait_and_work() -> None:
            def waiting(sentence: str) -> None:
                order.append("second waits")
                assert sentence
                waits.set()

            with second.hold("training", waiting):
                order.append("second works")

        with first.hold("training", lambda _: None):
            thread = threading.Thread(target=wait_and_work, daemon=True)
            thread.start()
            assert waits.wait(30)
            order.append("first ends")
        thread.join(30)
        assert order == ["second waits", "first ends", "second works"]

    def test_lets_work_of_another_name_go_on(self, work: ExclusiveWork) -> None:
        waited: list[str] = []
        with work.hold("training", waited.append), work.hold("pruning", waited.append):
            assert waited == []

    def test_can_be_held_again_after_an_error(self, work: ExclusiveWork) -> None:
        with pytest.raises(ZeroDivisionError), work.hold("training", lambda _: None):
            raise ZeroDivisionError
        waited: list[str] = []
        with work.hold("training", waited.append):
            assert waited == []

    def test_waits_for_another_process_until_it_is_killed(
        self, work: ExclusiveWork, elsewhere: str | None
    ) -> None:
        if elsewhere is None:
            pytest.skip("its store ends with the process")
        code = _HOLDS.format(elsewhere=elsewhere)
        with subprocess.Popen(  # noqa: S603  # code of the test's own
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"holds\n"
            waited: list[str] = []

            def waiting(sentence: str) -> None:
                waited.append(sentence)
                other.kill()

            with work.hold("training", waiting):
                assert len(waited) == 1

    def test_says_when_its_store_fails(
        self, work: ExclusiveWork, break_down: Callable[[], None]
    ) -> None:
        break_down()
        with pytest.raises(Unavailable), work.hold("training", lambda _: None):
            pass
