"""Hosts side by side: they share a MariaDB server and a bucket, and lose each in turn."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime

import obstore
import pytest
from load import ALL_WELL, Load, compare, kill_whole, shipped
from mariadb import fresh_database
from s3 import BUCKET, in_environment
from support import diamond, environment, serving, until

from diamond_adapters.models import object_model_repository
from diamond_adapters.models.cached_model_repository import CachedModelRepository
from diamond_adapters.models.object_model_repository import ObjectModelRepository
from diamond_adapters.object_store import open_store
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_adapters.stone_store.delta_stone_store import DeltaStoneStore
from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_core import DiamondTable, ExchangeFilter, ModelHistory, ModelId, StoneRecords
from diamond_core.stones.diamond import Diamond
from diamond_core.testing import a_card, a_fitted_model, an_exchange, load_formula, some_stones

MODELS = f"s3://{BUCKET}/shop/models"
A_FEW = 40


@pytest.fixture
def shop(own_s3, own_mariadb, trained_once, small_csv, tmp_path):
    """The settings that all hosts share, with two models in the bucket, the first one promoted."""
    with fresh_database(own_mariadb.url) as database:
        shared = own_s3.environment | {
            "DIAMOND_MODELS_URL": MODELS,
            "DIAMOND_DATA_URL": f"s3://{BUCKET}/shop/data",
            "DIAMOND_DATABASE_URL": database,
        }
        first = tmp_path / "first"
        shutil.copytree(trained_once, first)
        diamond(first, "train", str(small_csv), "--family", "linear", "--force")
        diamond(first, "models", "push", MODELS, **own_s3.environment)
        cards = json.loads(diamond(first, "models", "list", "--json", **shared).stdout)
        models = [card["id"] for card in reversed(cards)]
        diamond(first, "models", "promote", models[0], "--reason", "the first", **shared)
        yield shared, models


def all_serve(hosts, model):
    def all_do():
        found = [host.get("/v1/models/champion") for host in hosts]
        return all(each.status == 200 and each.json["id"] == model for each in found)

    until(all_do, f"all hosts serve {model}")


def all_go_on(loads):
    before = [load.answered for load in loads]
    until(
        lambda: all(load.answered >= old + A_FEW for load, old in zip(loads, before, strict=True)),
        "all hosts answer",
    )


def is_right(row, priced):
    """Whether a recorded price is what the model that it names gives."""
    answer = json.loads(row.response_body)
    stone = Diamond.parse(json.loads(row.request_body))
    return answer["price"] == priced(answer["model"]["id"], stone)


def test_hosts_follow_each_other_and_survive_the_loss_of_all_that_they_share(
    shop, own_s3, own_mariadb, tmp_path
):
    shared, (first, second) = shop
    homes = [tmp_path / f"host-{number}" / "home" for number in range(3)]
    for home in homes:
        home.parent.mkdir()
    with ExitStack() as stack:
        hosts = [stack.enter_context(serving(home, **shared)) for home in homes]
        loads = [Load(host, 1_000_000, name=f"host-{at}") for at, host in enumerate(hosts)]
        for load in loads:
            stack.callback(load.stop)
        all_go_on(loads)
        diamond(homes[0], "models", "promote", second, "--reason", "better", **shared)
        all_serve(hosts, second)

        own_s3.kill()
        all_go_on(loads)
        loads[1].stop()
        kill_whole(hosts[1])  # a host starts again while the store is away
        noted = loads[1].finish()
        hosts[1] = stack.enter_context(serving(homes[1], **shared))
        loads[1] = Load(hosts[1], 1_000_000, name="host-1-again")
        stack.callback(loads[1].stop)
        all_go_on(loads)
        all_serve(hosts, second)
        own_s3.start()
        diamond(homes[2], "models", "promote", first, "--reason", "as before", **shared)
        all_serve(hosts, first)

        own_mariadb.kill()
        all_go_on(loads)
        own_mariadb.start()
        all_go_on(loads)
        for load in loads:
            load.stop()
        for load in loads:
            noted |= load.finish()
        rows = shipped(noted, shared["DIAMOND_DATABASE_URL"])
    assert compare(noted, rows) == ALL_WELL
    with in_environment(own_s3):
        settings = Settings.load(environment(homes[0], **shared))
        history = build_container(settings).history()
        models = {id: history.open(history.card(id)) for id in map(ModelId, (first, second))}

        def priced(id, stone):
            return round(float(models[id].price(DiamondTable.from_diamonds([stone]))[0]), 2)

        prices = [row for row in rows if (row.path, row.status) == ("/v1/predictions", 200)]
        assert len(prices) > 10 * A_FEW
        assert {row.model_id for row in prices} == {first, second}
        assert all(is_right(row, priced) for row in prices[:: max(1, len(prices) // 2000)])


PROMOTE = """
import sys
from datetime import UTC, datetime
from diamond_adapters.models.object_model_repository import ObjectModelRepository
from diamond_core import ChooseChampion, Conflict, ModelHistory, ModelId
from diamond_core.testing import load_formula

history = ModelHistory(ObjectModelRepository.from_url(sys.argv[1]), load_formula)
choose = ChooseChampion(history, lambda: datetime.now(UTC))
print("ready", flush=True)
sys.stdin.readline()
for attempt in range(100):
    try:
        choose.promote(ModelId(sys.argv[2]), reason=f"attempt {attempt}", by=sys.argv[2])
        break
    except Conflict:
        pass
"""

PUBLISH = """
import sys
from diamond_adapters.models.object_model_repository import ObjectModelRepository
from diamond_core import ModelHistory
from diamond_core.testing import a_card, a_fitted_model, load_formula, some_stones

history = ModelHistory(ObjectModelRepository.from_url(sys.argv[1]), load_formula)
stones = some_stones(100)
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    history.publish(a_card(f"{sys.argv[2]}-{number}"), a_fitted_model(stones), stones)
"""


def test_ten_promoters_and_two_publishers_leave_a_linear_history(bucket, tmp_path):
    url = f"s3://{bucket}/{tmp_path.name}"
    history = ModelHistory(ObjectModelRepository.from_url(url), load_formula)
    stones = some_stones(100)
    promoted = [f"m-{number}" for number in range(10)]
    for name in promoted:
        history.publish(a_card(name), a_fitted_model(stones), stones)
    jobs = [(PROMOTE, name) for name in promoted] + [(PUBLISH, "p"), (PUBLISH, "q")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for code, name in jobs
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    seen = []
    while any(process.poll() is None for process in processes):
        seen.append(len(history.ids()))
        assert history.problems() == {}  # a reader sees whole models only
    assert [process.wait() for process in processes] == [0] * 12
    for process in processes:
        process.communicate()
    promotions = history.promotions()
    assert [each.number for each in promotions] == list(range(1, 11))
    assert sorted(each.model_id for each in promotions) == sorted(promoted)
    assert [each.previous for each in promotions[1:]] == [p.model_id for p in promotions[:-1]]
    assert sum(each.reason != "attempt 0" for each in promotions) > 0  # some lost at first
    assert seen == sorted(seen)
    assert len(history.ids()) == 10 + 12


def test_a_publication_that_was_killed_is_seen_by_nobody_and_removed_later(
    bucket, tmp_path, monkeypatch
):
    url = f"s3://{bucket}/{tmp_path.name}"
    repository = ObjectModelRepository.from_url(url)
    history = ModelHistory(repository, load_formula)
    stones = some_stones(100)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repository, "_create", killed)
        with pytest.raises(KeyboardInterrupt):
            history.publish(a_card("gone-1"), a_fitted_model(stones), stones)
    names = [each["path"] for chunk in obstore.list(open_store(url), "files") for each in chunk]
    assert any(name.startswith("files/gone-1/") for name in names)
    assert history.ids() == []
    history.publish(a_card("a-1"), a_fitted_model(stones), stones)  # others may still be at work
    assert history.ids() == ["a-1"]
    left = [each["path"] for chunk in obstore.list(open_store(url), "files") for each in chunk]
    assert set(names) < set(left)
    monkeypatch.setattr(object_model_repository, "_OLD", object_model_repository._OLD * 0)
    history.publish(a_card("b-1"), a_fitted_model(stones), stones)
    left = [each["path"] for chunk in obstore.list(open_store(url), "files") for each in chunk]
    assert not set(names) & set(left)
    assert history.problems() == {}


def test_a_host_serves_its_copies_while_the_store_is_away_or_damaged(own_s3, tmp_path):
    with in_environment(own_s3):
        stored = ObjectModelRepository.from_url(MODELS)
        stones = some_stones(100)
        history = ModelHistory(stored, load_formula)
        card = history.publish(a_card("a-1"), a_fitted_model(stones), stones)
        stored.promote(1, b"{}")
        copies = CachedModelRepository(stored, tmp_path / "copies")
        host = ModelHistory(copies, load_formula)
        expected = host.load(ModelId("a-1")).model.price(stones)
        assert copies.promotions() == [(1, b"{}")]
        for name in own_s3.names("shop/models"):
            obstore.put(own_s3.store(), name, b"damaged")
        again = ModelHistory(CachedModelRepository(stored, tmp_path / "copies"), load_formula)
        assert (again.load(ModelId("a-1")).model.price(stones) == expected).all()
        assert list(history.problems()) == ["a-1"]  # who looks at the store itself sees it
        own_s3.kill()
        away = CachedModelRepository(stored, tmp_path / "copies")
        again = ModelHistory(away, load_formula)
        assert again.card(ModelId("a-1")) == card
        assert (again.load(ModelId("a-1")).model.price(stones) == expected).all()
        assert list(away.promotions()) == [(1, b"{}")]


ADD = [sys.executable, "-m", "diamond_app", "data", "add"]


def test_two_hosts_that_add_stones_at_once_store_each_stone_once(bucket, sample_csv, tmp_path):
    """They share a bucket and no database: no lock helps them."""
    header, *rows = sample_csv.read_text(encoding="utf-8").splitlines(keepends=True)
    url = f"s3://{bucket}/{tmp_path.name}"
    processes = []
    for host in range(2):
        home = tmp_path / f"host-{host}"
        home.mkdir()
        files = []
        for number in range(3):  # each file shares half of its stones with one of the other host
            begin = (2 * number + host) * 100
            path = home / f"{number}.csv"
            path.write_text("".join([header, *rows[begin : begin + 200]]), encoding="utf-8")
            files.append(str(path))
        processes.append(
            subprocess.Popen(
                [*ADD, *files, "--json"],
                env=environment(home / "home", DIAMOND_DATA_URL=url),
                stdout=subprocess.PIPE,
            )
        )
    answers = [json.loads(process.communicate()[0]) for process in processes]
    store = DeltaStoneStore.from_url(url)
    assert len(store.deliveries()) == 6
    stones = StoneRecords.concatenate(list(store.stones()))
    assert len(stones) == len({row.tobytes() for row in stones.table.rows})
    assert len(stones) == store.version().stones
    new = sum(each["new"] for answer in answers for each in answer["deliveries"])
    assert new == len(stones)
    assert sum(each.new for each in store.deliveries()) == len(stones)
    assert [each.stones for each in store.versions()] == sorted(
        (each.stones for each in store.versions()), reverse=True
    )


def test_ten_timers_start_one_training(shop, sample_csv, tmp_path):
    shared, models = shop
    header, *rows = sample_csv.read_text(encoding="utf-8").splitlines(keepends=True)
    bought = tmp_path / "bought.csv"
    bought.write_text("".join([header, *rows[1000:1600]]), encoding="utf-8")
    processes = []
    for number in range(10):
        home = tmp_path / f"timer-{number}"
        home.mkdir()
        processes.append(
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "diamond_app", "pipeline", "run", str(bought)),
                    *("--family", "linear", "--json"),
                ],
                env=environment(home / "home", **shared),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        )
    outcomes = [json.loads(process.communicate()[0])["outcome"] for process in processes]
    assert sorted(outcomes) == [*["nothing new"] * 9, "trained"], outcomes
    cards = json.loads(
        diamond(tmp_path / "timer-0" / "home", "models", "list", "--json", **shared).stdout
    )
    assert len(cards) == len(models) + 1


def test_hosts_that_prune_the_record_at_once_do_not_stand_in_each_others_way(mysql_url):
    log = PeeweeRequestLog.from_url(mysql_url)
    log.append_all([an_exchange(id=f"{number:032x}") for number in range(2000)])
    failed: list[BaseException] = []

    def prune():
        own = PeeweeRequestLog.from_url(mysql_url)
        try:
            while own.prune(datetime.now(UTC), limit=50):
                pass
        except BaseException as ex:  # a thread's error would be lost
            failed.append(ex)
        finally:
            own.close()

    hosts = [threading.Thread(target=prune) for _ in range(4)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert failed == []
    assert log.count(ExchangeFilter()) == 0
    log.close()
