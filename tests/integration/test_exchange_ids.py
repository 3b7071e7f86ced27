"""Ids of exchanges across processes; it forks, so it is no unit test."""

import os
import time

from diamond_core import new_exchange_id


def test_makes_other_ids_in_a_forked_process(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, new_exchange_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100).decode() != new_exchange_id()
    os.close(reader)
    os.close(writer)
