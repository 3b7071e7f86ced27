"""The service as its users meet it: a real gunicorn over a real socket."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from support import STONE, Service, diamond, environment, free_port, newest, serving, until

from diamond_adapters.database import open_database
from diamond_adapters.models.filesystem_model_repository import FilesystemModelRepository
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_adapters.requests.peewee_request_log import PeeweeRequestLog
from diamond_core import ModelHistory, ModelId


def champion_of(home):
    last = max((home / "promotions").glob("*.json"))
    return json.loads(last.read_text())["model_id"]


def served_model(service):
    return service.post("/v1/predictions", STONE).json["model"]["id"]


def train_again(home, small_csv):
    """Train a second model, promote it, and return its id."""
    source = str(small_csv)
    run = diamond(home, "train", source, "--family", "linear", "--force", "--json")
    second = json.loads(run.stdout)["models"][0]["id"]
    diamond(home, "models", "promote", second, "--reason", "a test")
    return second


def test_prices_a_stone(service):
    answer = service.post("/v1/predictions", STONE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    told = answer.json
    assert list(told) == [
        *("id", "price", "currency", "price_per_carat", "price_range"),
        *("model", "assumed", "outside_training_range", "warning"),
    ]
    assert told["currency"] == "USD"
    assert told["price_per_carat"] == pytest.approx(told["price"] / 1.1, abs=0.01)
    assert told["price_range"]["low"] < told["price"] < told["price_range"]["high"]
    assert told["price_range"]["coverage"] == 0.9
    assert told["assumed"] == ["depth", "table", "x", "y", "z"]
    assert (told["outside_training_range"], told["warning"]) == ([], None)
    assert set(told["model"]) == {"id", "family", "trained_at"}
    assert datetime.fromisoformat(told["model"]["trained_at"]).tzinfo == UTC


def test_prices_many_stones_in_their_order(service):
    stones = [STONE | {"carat": carat} for carat in (2.0, 0.3, 1.1, 7)]
    answer = service.post("/v1/predictions/batch", {"diamonds": stones})
    predictions = answer.json["predictions"]
    alone = [service.post("/v1/predictions", stone).json for stone in stones]
    for one, other in zip(predictions, alone, strict=True):
        assert one | {"id": ""} == other | {"id": ""}
    assert predictions[3]["outside_training_range"] == ["carat", "price"]
    assert len({one["id"] for one in predictions}) == 4


def test_refuses_a_weight_of_which_nothing_is_known(service):
    far, wrong = STONE | {"carat": 40}, STONE | {"carat": 0}
    answer = service.post("/v1/predictions", far)
    (error,) = answer.json["errors"]
    assert (answer.status, error["pointer"]) == (422, "/carat")
    assert re.match(
        r"must be from [\d.]+ to [\d.]+ to be priced: the known stones", error["detail"]
    )
    batch = {"diamonds": [STONE, far, wrong, far]}
    answer = service.post("/v1/predictions/batch", batch)
    pointers = [each["pointer"] for each in answer.json["errors"]]
    assert (answer.status, pointers) == (422, [f"/diamonds/{at}/carat" for at in (1, 2, 3)])
    answer = service.post("/v1/predictions/batch", batch | {"on_error": "report"}).json
    assert [each is not None for each in answer["predictions"]] == [True, False, False, False]
    assert [each["pointer"] for each in answer["errors"]] == pointers


def test_says_where_a_price_must_be_read_with_care(service):
    heavy = STONE | {"carat": 7}
    answer = service.post("/v1/predictions", heavy).json
    assert "carat" in answer["outside_training_range"]
    assert answer["warning"].startswith("Use this price with care: carat is outside the known")
    csv = "carat,cut,color,clarity\n7,Ideal,H,SI2\n1,Ideal,H,SI2\n"
    headers = {"Content-Type": "text/csv"}
    priced = service.post("/v1/predictions/batch", csv.encode(), headers).body.decode()
    _, first, second = priced.splitlines()
    assert answer["warning"] in first
    assert second.endswith(",,")


def test_prices_ten_thousand_stones_at_once(service):
    stones = [STONE | {"carat": round(0.2 + at / 5000, 4), "depth": 61.5} for at in range(10_000)]
    answer = service.post("/v1/predictions/batch", {"diamonds": stones})
    assert answer.status == 200
    assert len(answer.json["predictions"]) == 10_000


def test_finds_similar_stones(service):
    answer = service.get("/v1/similar?carat=1.1&cut=ideal&color=h&clarity=si2&n=4").json
    assert answer["count"] == len(answer["diamonds"]) == 4
    assert answer["available"] >= 4
    differences = [abs(stone["carat_difference"]) for stone in answer["diamonds"]]
    assert differences == sorted(differences)
    for stone in answer["diamonds"]:
        assert (stone["cut"], stone["color"], stone["clarity"]) == ("Ideal", "H", "SI2")
        assert stone["carat_difference"] == pytest.approx(stone["carat"] - 1.1, abs=1e-6)
        assert set(stone) == {
            *("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z"),
            *("price", "carat_difference"),
        }


def test_says_how_many_similar_stones_there_are_when_there_are_few(service):
    few = service.get("/v1/similar?carat=1&cut=Fair&color=D&clarity=VVS1&n=1000")
    assert few.status == 200
    assert few.json["count"] == few.json["available"] < 1000
    none = service.get("/v1/similar?carat=1&cut=Fair&color=J&clarity=IF")
    assert none.json == {"diamonds": [], "count": 0, "available": 0}


def test_shows_the_history(service):
    listed = service.get("/v1/models").json
    (card,) = listed["models"]
    assert listed["champion"] == card["id"]
    assert service.get(f"/v1/models/{card['id']}").json == card
    assert service.get("/v1/models/champion").json == card


@pytest.mark.parametrize("path", ["/v1/predictions", "/v1/predictions/batch"])
def test_refuses_a_body_that_is_too_large(service, path):
    answer = service.post(path, b"x" * 2 * 1024 * 1024, {"Content-Type": "application/json"})
    assert answer.status == 413
    assert "2,000,000 bytes" in answer.json["detail"]
    assert served_model(service)


def test_reads_a_body_that_comes_in_chunks(service):
    body = json.dumps(STONE).encode()
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert service.request("POST", "/v1/predictions", chunks, headers).status == 200


def test_records_every_exchange(trained_home):
    log = PeeweeRequestLog(open_database(f"sqlite:///{trained_home / 'requests.db'}"))
    json_type = {"Content-Type": "application/json"}
    with serving(trained_home) as service:
        answers = {
            "good": service.post(
                "/v1/predictions?a=b", STONE, {"User-Agent": "test/1", "X-Request-ID": "good"}
            ),
            "bad": service.post("/v1/predictions", b'\xff{"', json_type | {"X-Request-ID": "bad"}),
            "missing": service.get("/v1/nothing", {"X-Request-ID": "missing"}),
            "unnamed": service.get("/v1/nothing"),
        }
        service.get("/livez")
        found = until(lambda: len(found := newest(log, 10)) == 4 and found, "all is recorded")
    recorded = {each.request_id: each for each in found}
    names = {name: answer.headers["x-request-id"] for name, answer in answers.items()}
    assert set(recorded) == set(names.values())
    for name, answer in answers.items():
        exchange = recorded[names[name]]
        assert (exchange.status, exchange.response_body) == (answer.status, answer.body)
        assert exchange.client == "127.0.0.1"
        assert exchange.duration_ms > 0
    good, bad = recorded["good"], recorded["bad"]
    assert [recorded[id].status for id in names.values()] == [200, 400, 404, 404]
    assert bad.request_body == b'\xff{"'
    assert json.loads(good.request_body) == STONE
    assert (good.query, good.headers["User-Agent"]) == ("a=b", "test/1")
    assert good.model_id == answers["good"].json["model"]["id"]
    assert good.id == answers["good"].json["id"] != good.request_id
    assert recorded[names["unnamed"]].id == names["unnamed"]


def test_workers_follow_a_new_champion_without_a_restart(trained_home, small_csv):
    first = champion_of(trained_home)
    with serving(trained_home, workers=2) as service:
        assert served_model(service) == first
        second = train_again(trained_home, small_csv)
        until(lambda: {served_model(service) for _ in range(12)} == {second}, "all follow", 10)
        diamond(trained_home, "models", "rollback")
        until(lambda: {served_model(service) for _ in range(12)} == {first}, "all go back", 10)
        assert service.get("/readyz").json["status"] == "ok"


@pytest.mark.parametrize("name", ["model.onnx", "samples", "card.json"])
def test_a_flipped_byte_is_refused_and_the_model_of_before_goes_on(trained_home, small_csv, name):
    first = champion_of(trained_home)
    with serving(trained_home) as service:
        source = str(small_csv)
        run = diamond(trained_home, "train", source, "--family", "linear", "--force", "--json")
        card = json.loads(run.stdout)["models"][0]
        second = card["id"]
        path = trained_home / "models" / second / name
        if name == "samples":
            path = trained_home / "samples" / f"{card['samples']}.npy"
        content = bytearray(path.read_bytes())
        content[len(content) // 2 if name != "card.json" else 0] ^= 1
        path.write_bytes(content)
        refused = diamond(
            trained_home, "models", "promote", second, "--reason", "test", check=False
        )
        assert (refused.returncode, name in refused.stderr) == (1, True)
        assert champion_of(trained_home) == first
        if name == "card.json":
            return
        # Promoted all the same, as by hand or before the damage.
        history = ModelHistory(FilesystemModelRepository(trained_home), OnnxModel)
        history.promote(
            ModelId(second),
            previous=ModelId(first),
            at=datetime.now(UTC),
            by="test",
            reason="test",
        )
        ready = until(
            lambda: (found := service.get("/readyz").json)["status"] == "degraded" and found, "told"
        )
        assert name in ready["problems"][0]
        assert served_model(service) == first
    with serving(trained_home) as service:
        assert served_model(service) == first
        assert name in service.get("/readyz").json["problems"][0]
        assert "could not follow the champion" in service.log.read_text()


def test_starts_without_a_model_and_serves_once_there_is_one(trained_home):
    promotions = trained_home / "promotions"
    promotions.rename(trained_home / "promotions.later")
    with serving(trained_home) as service:
        for answer in (
            service.post("/v1/predictions", STONE),
            service.get("/v1/similar?carat=1&cut=ideal&color=h&clarity=si2"),
            service.get("/readyz"),
        ):
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json["detail"] == "no model has been trained yet"
        assert service.get("/livez").status == 200
        assert service.get("/v1/models/champion").status == 503
        (trained_home / "promotions.later").rename(promotions)
        until(lambda: service.get("/readyz").status == 200, "the model is served", 10)
        assert served_model(service)


KEYS = {"DIAMOND_API_KEYS": "admin:admin-secret,web:web-secret"}


def test_lets_keys_price_and_admin_keys_promote(trained_home):
    champion = champion_of(trained_home)
    promote = f"/v1/models/{champion}/promote"
    with serving(trained_home, **KEYS) as service:
        web = {"Authorization": "Bearer web-secret"}
        admin = {"X-API-Key": "admin-secret"}
        for path, body in (("/v1/predictions", STONE), (promote, {"reason": "test"})):
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": "wröng"}):
                refused = service.post(
                    path, body, {k: v.encode().decode("latin-1") for k, v in headers.items()}
                )
                assert refused.status == 401
                assert "Bearer" in refused.headers["www-authenticate"]
        assert service.post("/v1/predictions", STONE, web).status == 200
        assert service.post(promote, {"reason": "test"}, web).status == 403
        assert service.post(promote, {"reason": " "}, admin).status == 422
        answer = service.post(promote, {"reason": "test"}, admin)
        assert answer.json["champion"]["id"] == champion
        assert service.post("/v1/models/gone/promote", {"reason": "x"}, admin).status == 404
    last = json.loads(max((trained_home / "promotions").glob("*.json")).read_text())
    assert (last["by"], last["reason"]) == ("key admin", "test")
    kept = b"".join(path.read_bytes() for path in trained_home.glob("requests.db*"))
    assert b"-secret" not in kept
    assert b"-secret" not in service.log.read_bytes()


def test_goes_on_pricing_when_the_record_can_not_be_written(trained_home):
    database = trained_home / "no-database.db"
    database.mkdir()
    with serving(trained_home, DIAMOND_DATABASE_URL=f"sqlite:///{database}") as service:
        assert service.post("/v1/predictions", STONE).status == 200
        ready = until(
            lambda: (found := service.get("/readyz").json)["status"] == "degraded" and found, "told"
        )
        assert "database of the request log accepts nothing" in ready["problems"][0]


def test_two_trainings_at_once_keep_the_history_whole(trained_home, small_csv):
    arguments = [sys.executable, "-m", "diamond_app", "train", str(small_csv)]
    both = [
        subprocess.Popen(
            [*arguments, "--force", "--family", "linear", "--json"],
            env=environment(trained_home),
            cwd=trained_home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outcomes = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    made = {json.loads(out)["models"][0]["id"] for out, _ in outcomes}
    listed = json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    assert len(made) == 2
    assert made <= {card["id"] for card in listed}
    assert sum("waiting for process" in err for _, err in outcomes) <= 1
    assert "FAIL" not in diamond(trained_home, "doctor").stdout


def test_a_killed_training_leaves_no_half_model(trained_home, small_csv):
    before = champion_of(trained_home)
    drafts = trained_home / "models"
    process = subprocess.Popen(
        [sys.executable, "-c", PAUSED_PUBLICATION, str(small_csv)],
        env=environment(trained_home),
        cwd=trained_home.parent,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: list(drafts.glob(".draft-*/model.onnx")), "a draft is being written")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [
        card["id"] for card in json.loads(diamond(trained_home, "models", "list", "--json").stdout)
    ] == [before]
    assert "FAIL" not in diamond(trained_home, "doctor").stdout
    for draft in drafts.glob(".draft-*"):
        os.utime(draft, (time.time() - 7200, time.time() - 7200))  # not one that is being written
    diamond(trained_home, "train", str(small_csv), "--family", "linear", "--force")
    assert list(drafts.glob(".draft-*")) == []
    assert len(list(drafts.iterdir())) == 2


PAUSED_PUBLICATION = """
import sys, threading
from diamond_adapters.models import filesystem_model_repository as repository
write = repository.write_synced
def write_and_wait(path, data):
    write(path, data)
    if path.name == "model.onnx":
        threading.Event().wait()
repository.write_synced = write_and_wait
sys.argv = ["diamond", "train", sys.argv[1], "--family", "linear", "--force"]
from diamond_app.cli.main import main
main()
"""


def test_a_wrong_setting_stops_gunicorn_too(trained_home):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "python:diamond_app.gunicorn_conf"),
            *("--bind", f"127.0.0.1:{free_port()}"),
        ],
        env=environment(trained_home, DIAMOND_DATABASE_URL="oracle://me:secret-word@host/x"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert "diamond: DIAMOND_DATABASE_URL: " in done.stderr
    assert "secret-word" not in done.stderr


def test_stops_when_told_to(trained_home):
    with serving(trained_home, workers=2) as service:
        assert served_model(service)
    assert service.process.returncode == 0
    log = service.log.read_text()
    assert "SIGABRT" not in log
    assert "terminate called" not in log


TOLD_WHILE_IT_STARTS = """
import os, signal
from diamond_app.wsgi import application
def start():
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getppid(), signal.SIGTERM)
    return application()
"""


def test_stops_when_told_to_while_it_starts(trained_home, tmp_path):
    (tmp_path / "told.py").write_text(TOLD_WHILE_IT_STARTS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "python:diamond_app.gunicorn_conf"),
            *("--pythonpath", str(tmp_path), "--bind", f"127.0.0.1:{free_port()}", "told:start()"),
        ],
        env=environment(trained_home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_gunicorns_own_settings_keep_their_meaning(trained_home):
    with serving(
        trained_home, GUNICORN_CMD_ARGS="--workers 3 --worker-class gthread --threads 2"
    ) as service:
        assert isinstance(service, Service)
        assert "Using worker: gthread" in service.log.read_text()
