"""The contract of ``ExclusiveWork``."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from diamond_core.errors import Unavailable
from diamond_core.ports import ExclusiveWork
from diamond_core.testing.shared_store import SharedStore, another_process

_HOLDS = """
import sys
with work.hold("training", lambda sentence: None):
    print("holds", flush=True)
    sys.stdin.readline()
"""


class ExclusiveWorkContract(SharedStore):
    """Inherit, and supply ``work`` and the fixtures of ``SharedStore``."""

    @pytest.fixture
    def work(self) -> ExclusiveWork:
        raise NotImplementedError("supply the adapter under test")

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
        with another_process(elsewhere, _HOLDS) as other:
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
