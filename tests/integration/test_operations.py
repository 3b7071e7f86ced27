"""What an operator relies on: metrics of all workers, readable logs, a stop that finishes."""

from __future__ import annotations

import http.client
import json
import os
import signal
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from support import STONE, diamond, serving, until

SECRET = "a-secret-nobody-may-read"


def samples(service, name):
    """Return the samples of *name* with their labels, as the service tells them now."""
    text = service.get("/metrics").body.decode()
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    ]


def workers_of(service):
    """Return the process ids of the service's workers."""
    pid = service.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_counts_the_requests_of_all_workers_and_of_those_that_died(trained_home):
    with serving(trained_home, workers=2, DIAMOND_LOG_FORMAT="json") as service:
        for _ in range(20):
            assert service.post("/v1/predictions", STONE).status == 200
        assert service.post("/v1/predictions/batch", {"diamonds": [STONE] * 7}).status == 200
        assert service.get("/v1/nothing").status == 404
        assert service.get("/v1/models/champion").status == 200

        def counts():
            return {
                (
                    labels["http_request_method"],
                    labels["http_route"],
                    labels["http_response_status_code"],
                ): value
                for labels, value in samples(service, "http_server_request_duration_seconds_count")
            }

        def is_complete():
            told = counts()
            return (
                told.get(("POST", "/v1/predictions", "200")) == 20
                and told.get(("POST", "/v1/predictions/batch", "200")) == 1
                and told.get(("GET", "/v1/models/champion", "200")) == 1
                and told.get(("GET", "", "404")) == 1
            )

        until(is_complete, "both workers have shared their counts", 10)
        [(labels, priced)] = samples(service, "diamond_predictions_total")
        assert priced == 27
        first, second = workers_of(service)
        os.kill(first, signal.SIGKILL)
        until(lambda: {*workers_of(service)} - {first, second}, "another worker takes its place")
        until(service.answers, "it answers")
        assert is_complete()
        assert samples(service, "diamond_predictions_total") == [(labels, 27)]
        [(info, one)] = samples(service, "diamond_model_info")
        assert (info["model"], one) == (labels["model"], 1)


def test_finishes_a_request_that_is_under_way_when_it_is_told_to_stop(trained_home):
    with serving(trained_home, DIAMOND_LOG_FORMAT="json") as service:
        body = json.dumps(STONE).encode()
        slow = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        slow.putrequest("POST", "/v1/predictions")
        slow.putheader("Content-Type", "application/json")
        slow.putheader("Content-Length", str(len(body)))
        slow.endheaders(body[:10])
        service.get("/livez")  # the slow request was accepted before this one
        service.process.send_signal(signal.SIGTERM)
        until(lambda: "Handling signal: term" in service.log.read_text(), "it began to stop")
        slow.send(body[10:])
        answer = slow.getresponse()
        assert (answer.status, json.loads(answer.read())["currency"]) == (200, "USD")
        slow.close()
        assert service.process.wait(30) == 0
        assert "SIGABRT" not in service.log.read_text()


def test_logs_json_lines_that_hold_the_request_id_and_no_secret(trained_home):
    more = {
        "DIAMOND_API_KEYS": f"admin:{SECRET}",
        "DIAMOND_LOG_FORMAT": "json",
        "GUNICORN_CMD_ARGS": "--access-logfile -",
    }
    with serving(trained_home, **more) as service:
        headers = {"X-API-Key": SECRET, "X-Request-ID": "call-17"}
        assert service.post("/v1/predictions", STONE, headers).status == 200
        until(lambda: "call-17" in service.log.read_text(), "the access log has the request")
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    [access] = [line for line in lines if line.get("request_id") == "call-17"]
    assert (access["method"], access["path"]) == ("POST", "/v1/predictions")
    assert access["status"] == "200"
    assert SECRET not in service.log.read_text()


def test_logs_plain_lines_where_they_are_asked_for(trained_home):
    with serving(trained_home, DIAMOND_LOG_FORMAT="text") as service:
        pass
    log = service.log.read_text()
    assert "INFO     serving model linear-" in log
    assert "{" not in log


def test_a_wrong_log_format_stops_the_start_with_one_line(trained_home):
    done = diamond(trained_home, "serve", check=False, DIAMOND_LOG_FORMAT="yaml")
    assert done.returncode == 1
    assert (
        done.stderr == "diamond: DIAMOND_LOG_FORMAT: must be one of auto, json, text, not 'yaml'\n"
    )
