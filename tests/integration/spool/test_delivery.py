"""From the spool to the destination: what waits, is refused, or was delivered before."""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import peewee
import pytest
from spools import FickleDestination, files, health, some_exchanges
from support import newest, until

from diamond_adapters.in_memory import InMemoryRequestLog
from diamond_adapters.requests import shipper as shipper_module
from diamond_adapters.requests.dead_letters import DeadLetters
from diamond_adapters.requests.delivery import retry
from diamond_adapters.requests.destination import WithMarks
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.requests.retention import Retention
from diamond_adapters.requests.session import ServerFailed
from diamond_adapters.requests.shipper import Shipper
from diamond_adapters.requests.spooled_request_log import SpooledRequestLog
from diamond_core import ExchangeFilter, Refused, Truncation, Unavailable
from diamond_core.testing import an_exchange


def test_what_a_living_process_appended_is_seen_by_another(spooled):
    one, other = spooled(), spooled()
    written = some_exchanges(5)
    one.append_all(written[:3])
    assert newest(other) == written[2::-1]
    one.append_all(written[3:])
    assert newest(other) == newest(one) == written[::-1]


def test_many_readers_ship_each_exchange_once(spooled, destination, folder):
    written = some_exchanges(300)
    first = spooled()
    first.append_all(written)
    first.close()
    logs = [spooled() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda log: newest(log, 1000), logs):
            assert found == written[::-1]
    assert destination.count(ExchangeFilter()) == 300
    assert files(folder) == []


def test_an_insert_whose_answer_was_lost_is_repeated_to_no_effect(spooled, destination):
    log = spooled()
    written = some_exchanges(20)
    log.append_all(written)
    destination.fails_after = True
    with pytest.raises(Unavailable):
        newest(log)
    destination.away = destination.fails_after = False
    assert newest(log, 100) == written[::-1]


def test_pruned_exchanges_do_not_come_back_after_a_lost_answer(spooled, destination):
    log = spooled()
    log.append_all(some_exchanges(20))
    destination.fails_after = True
    with pytest.raises(Unavailable):
        newest(log)
    destination.away = destination.fails_after = False
    assert destination.prune(datetime.now(UTC), limit=100) == 20
    assert newest(log) == []


def test_exchanges_wait_while_the_database_is_away(spooled, destination, folder):
    log = spooled()
    destination.away = True
    written = some_exchanges(10)
    log.append_all(written)
    with pytest.raises(Unavailable):
        newest(log)
    log.close()
    assert len(files(folder)) == 1
    destination.away = False
    assert newest(spooled(), 100) == written[::-1]
    assert files(folder) == []


@pytest.mark.parametrize("error", [Unavailable, Refused])
def test_a_refused_exchange_becomes_a_dead_letter_and_stops_no_other(
    spooled, destination, folder, error
):
    log = spooled()
    written = some_exchanges(100)
    destination.refuses, destination.refuses_with = {"r0", "r3", "r50", "r99"}, error
    log.append_all(written)
    found = {each.request_id for each in newest(log, 1000)}
    assert found == {each.request_id for each in written} - destination.refuses
    after = health(folder)
    assert (after.dead_letters, after.damaged) == (4, 0)
    assert "4 exchanges are dead letters" in after.problem
    letters = DeadLetters(folder).letters()
    assert {letter.reason for letter in letters} == {"data too long"}
    assert [letter.exchange for letter in letters] == [written[n] for n in (0, 3, 50, 99)]
    ids = [letter.exchange.id for letter in letters]
    assert set(retry(destination, DeadLetters(folder), ids)) == set(ids)
    destination.refuses = {"r99"}
    assert retry(destination, DeadLetters(folder), ids) == {ids[-1]: "data too long"}
    assert len(newest(log, 1000)) == 99
    assert DeadLetters(folder).remove(ids) == 1
    assert health(folder).dead_letters == 0


def test_values_that_are_all_refused_become_dead_letters(spooled, destination, folder):
    log = spooled()
    written = some_exchanges(20)
    destination.refuses, destination.refuses_with = {each.request_id for each in written}, Refused
    log.append_all(written)
    assert newest(log) == []
    assert [letter.exchange for letter in DeadLetters(folder).letters()] == written


def test_an_exchange_that_fails_alone_waits_until_another_is_taken(spooled, destination, folder):
    log = spooled()
    destination.refuses = {"r0"}
    log.append_all(some_exchanges(1))
    for _ in range(5):
        with pytest.raises(Unavailable, match="too long"):
            newest(log)
    assert health(folder).dead_letters == 0
    log.append(an_exchange(request_id="another"))
    assert [each.request_id for each in newest(log)] == ["another"]
    assert health(folder).dead_letters == 1


@pytest.mark.parametrize("error", [Unavailable, ServerFailed])
def test_a_database_that_refuses_everything_costs_no_exchange_and_is_not_pressed(
    spooled, destination, folder, error
):
    log = spooled()
    written = some_exchanges(300)
    log.append_all(written)
    destination.refuses = {each.request_id for each in written}
    destination.refuses_with = error
    for _ in range(6):
        with pytest.raises(Unavailable, match="too long"):
            newest(log)
    assert destination.asked <= (6 if error is ServerFailed else 6 * 20)
    assert health(folder).dead_letters == 0
    destination.refuses = frozenset()
    assert newest(log, 1000) == written[::-1]


def test_an_outage_while_a_refused_exchange_is_looked_for_costs_no_other(
    spooled, destination, folder, monkeypatch
):
    log = spooled()
    destination.refuses = {"r7"}
    log.append_all(some_exchanges(50))
    deliver, calls = FickleDestination.deliver, iter(range(1000))

    def deliver_with_an_outage(self, file, last, rows):
        if 8 <= next(calls) <= 60:
            raise Unavailable("gone away")
        deliver(self, file, last, rows)

    monkeypatch.setattr(FickleDestination, "deliver", deliver_with_an_outage)
    monkeypatch.setattr(FickleDestination, "marks", PeeweeRequestLog.marks)
    until(lambda: len(found_or_nothing(log)) == 49, "the others are in the destination")
    assert [letter.exchange.request_id for letter in DeadLetters(folder).letters()] == ["r7"]


def found_or_nothing(log):
    try:
        return newest(log, 100)
    except Unavailable:
        return []


def test_a_problem_is_forgotten_once_all_is_moved(spooled, destination, folder):
    log = spooled()
    log.append_all(some_exchanges(3))
    destination.away = True
    Shipper(folder, destination)._tell("away")
    destination.away = False
    assert len(newest(log)) == 3
    assert health(folder).problem == ""


def test_the_files_of_others_go_on_beside_one_that_is_stuck(spooled, destination, folder):
    stuck, other = spooled(), spooled()
    destination.refuses, destination.refuses_with = {"stuck"}, ServerFailed
    stuck.append(an_exchange(request_id="stuck"))
    other.append(an_exchange(request_id="other"))
    with pytest.raises(Unavailable):
        newest(stuck)
    assert [each.request_id for each in destination.find(ExchangeFilter(), limit=9)] == ["other"]


def test_any_other_request_log_can_be_the_record(folder):
    destination = InMemoryRequestLog()
    log = SpooledRequestLog(WithMarks(destination, folder / "marks.json"), folder)
    written = some_exchanges(3)
    log.append_all(written)
    assert newest(log) == written[::-1]
    destination.prune(datetime.now(UTC), limit=9)
    log.append(another := an_exchange())
    assert newest(log) == [another], "what is pruned does not come back"
    log.close()
    assert files(folder) == []


def test_a_reader_of_the_record_cannot_write_it(destination, spooled):
    log = spooled()
    log.append(an_exchange())
    newest(log)
    with pytest.raises(peewee.OperationalError, match="readonly"):
        destination._reader.execute_sql("DELETE FROM requests")


@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_a_full_request_log_keeps_exchanges_without_their_bodies(
    kind, destination, folder, request, monkeypatch
):
    if kind == "mysql":
        destination = PeeweeRequestLog.from_url(request.getfixturevalue("mysql_url"))
    monkeypatch.setattr(shipper_module, "_MEASURE_SECONDS", 0.0)
    body = "ü".encode() * 40_000
    log = SpooledRequestLog(destination, folder)
    first = an_exchange(response_body=body)
    log.append(first)
    Shipper(folder, destination, Retention(limit=1 << 40)).round()
    assert list(destination.find(ExchangeFilter(), limit=9)) == [first]
    assert "request log" not in health(folder).problem

    size = destination.size()
    assert size >= len(body)
    near = Shipper(folder, destination, Retention(limit=round(size * 1.1)))
    log.append(an_exchange())
    near.round()
    assert "% of its limit" in health(folder).problem

    full = Shipper(folder, destination, Retention(limit=size // 2))
    second = an_exchange(request_body=b"", response_body=body)
    third = an_exchange(request_truncation=Truncation(9, "ab"), response_body=b"\xff")
    log.append_all([second, third])
    full.round()
    found = {each.id: each for each in destination.find(ExchangeFilter(), limit=9)}
    assert found[second.id] == dataclasses.replace(
        second,
        response_body=b"",
        response_truncation=Truncation(len(body), hashlib.sha256(body).hexdigest()),
    )
    assert found[third.id].request_truncation == Truncation(9, "ab")
    assert found[third.id].request_body == b""
    assert found[third.id].response_truncation == Truncation(1, hashlib.sha256(b"\xff").hexdigest())
    assert found[first.id] == first
    assert "the request log is full" in health(folder).problem
    assert health(folder).database_bytes > health(folder).database_limit > 0
    log.close()
