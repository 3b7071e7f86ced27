"""One class for each address: parse, call the use case, answer."""

from __future__ import annotations

from typing import Any, Final

import falcon
import orjson

from diamond_app.answers import (
    model_answer,
    prediction_answer,
    predictions_answer,
    similar_answer,
)
from diamond_app.api.keys import Doorkeeper
from diamond_app.api.metrics import CONTENT_TYPE as METRICS_TYPE
from diamond_app.api.metrics import Metrics
from diamond_app.api.payloads import (
    diamond_from_json,
    json_body,
    similar_from_query,
    table_from_json,
    text_field,
)
from diamond_app.api.recording import is_csv
from diamond_core import (
    ChampionFollower,
    ChooseChampion,
    FindSimilar,
    ModelHistory,
    ModelId,
    PriceDiamonds,
    RequestLog,
)
from diamond_core.codec import to_plain

MOST_CSV_ROWS: Final = 250_000


def _send(resp: falcon.Response, values: Any) -> None:
    resp.data = orjson.dumps(values)


class Predictions:
    """POST /v1/predictions: what one stone is worth."""

    def __init__(self, price_diamonds: PriceDiamonds, doorkeeper: Doorkeeper) -> None:
        self._price_diamonds = price_diamonds
        self._doorkeeper = doorkeeper

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        diamond = diamond_from_json(json_body(req))
        prediction = self._price_diamonds.one(diamond)
        context = req.context
        context.model_id = prediction.card.id
        context.priced = 1
        _send(resp, prediction_answer(prediction, context.id, diamond.carat))


class PredictionBatches:
    """POST /v1/predictions/batch: what many stones are worth, in their order, as JSON or CSV."""

    def __init__(self, price_diamonds: PriceDiamonds, doorkeeper: Doorkeeper) -> None:
        self._price_diamonds = price_diamonds
        self._doorkeeper = doorkeeper

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        if is_csv(req):
            self._price_csv(req, resp)
            return
        table = table_from_json(json_body(req))
        predictions = self._price_diamonds.many(table)
        context = req.context
        context.model_id = predictions.card.id
        context.priced = len(predictions)
        _send(resp, {"predictions": predictions_answer(predictions, context.id)})

    def _price_csv(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the same CSV with prices: a row that can't be priced says why."""
        from diamond_app.priced_csv import price_csv  # what it imports would delay each start

        context = req.context
        priced = price_csv("the CSV", context.body, self._price_diamonds, maximum=MOST_CSV_ROWS)
        context.model_id = priced.model_id
        context.priced = priced.good
        resp.content_type = "text/csv; charset=utf-8"
        resp.data = priced.data


class SimilarDiamonds:
    """GET /v1/similar: training stones like one stone."""

    def __init__(self, find_similar: FindSimilar, doorkeeper: Doorkeeper) -> None:
        self._find_similar = find_similar
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        diamond, n = similar_from_query(req)
        _send(resp, similar_answer(self._find_similar(diamond, n)))


class Models:
    """GET /v1/models: the history, newest first."""

    def __init__(self, history: ModelHistory, doorkeeper: Doorkeeper) -> None:
        self._history = history
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        cards, damaged = self._history.cards_and_damage()
        answer = {
            "models": [to_plain(card) for card in cards],
            "champion": self._history.champion(),
            "damaged": [{"id": each.id, "problem": each.detail} for each in damaged],
        }
        _send(resp, answer)


class OneModel:
    """GET /v1/models/{id}: one model's card."""

    def __init__(self, history: ModelHistory, doorkeeper: Doorkeeper) -> None:
        self._history = history
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        self._doorkeeper.require(req)
        _send(resp, to_plain(self._history.card(ModelId(id))))


class ChampionModel:
    """GET /v1/models/champion: the card of the model that prices now."""

    def __init__(self, champion: ChampionFollower, doorkeeper: Doorkeeper) -> None:
        self._champion = champion
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        _send(resp, to_plain(self._champion.get().card))


class Promotions:
    """POST /v1/models/{id}/promote: make a model the champion."""

    def __init__(
        self, choose_champion: ChooseChampion, history: ModelHistory, doorkeeper: Doorkeeper
    ) -> None:
        self._choose_champion = choose_champion
        self._history = history
        self._doorkeeper = doorkeeper

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        self._doorkeeper.require_admin(req)
        reason = text_field(json_body(req), "reason")
        by = f"key {req.context.key_name}"
        promoted = self._choose_champion.promote(ModelId(id), reason=reason, by=by)
        req.context.model_id = promoted
        _send(resp, {"champion": model_answer(self._history.card(promoted))})


class Liveness:
    """GET /livez: the process answers."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        _send(resp, {"status": "ok"})


class Scrape:
    """GET /metrics: the counts of all workers, for Prometheus."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.data = self._metrics.text()
        resp.content_type = METRICS_TYPE


class Readiness:
    """GET /readyz: whether stones can be priced, and what is not as it should be."""

    def __init__(self, champion: ChampionFollower, request_log: RequestLog) -> None:
        self._champion = champion
        self._request_log = request_log

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        card = self._champion.get().card  # without a model: 503
        found = (self._champion.problem, self._request_log.health().problem)
        problems = [problem for problem in found if problem]
        status = "degraded" if problems else "ok"
        _send(resp, {"status": status, "model": model_answer(card), "problems": problems})
