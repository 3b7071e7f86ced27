"""One class for each address: parse, call the use case, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import falcon
import orjson

from diamond_adapters.request_log.journal_status import JournalStatus
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
from diamond_core.model_card import ModelId
from diamond_core.ports import ModelRepository
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.find_similar import FindSimilar
from diamond_core.use_cases.price_diamonds import PriceDiamonds
from diamond_core.use_cases.serve_champion import Champion

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
        valuation = self._price_diamonds.one(diamond)
        context = req.context
        context.model_id = valuation.card.id
        context.priced = 1
        _send(resp, prediction_answer(valuation, context.serial, diamond.carat))


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
        valuations = self._price_diamonds.many(table)
        context = req.context
        context.model_id = valuations.card.id
        context.priced = len(valuations)
        _send(resp, {"predictions": predictions_answer(valuations, context.serial)})

    def _price_csv(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the same CSV with prices: a row that can't be priced says why."""
        from diamond_app.priced_csv import price_csv  # what it imports would delay each start

        context = req.context
        priced = price_csv("the CSV", context.body, self._price_diamonds, most=MOST_CSV_ROWS)
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

    def __init__(self, models: ModelRepository, doorkeeper: Doorkeeper) -> None:
        self._models = models
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        champion = self._models.champion()
        cards = [card.to_json() for card in self._models.cards()]
        _send(resp, {"models": cards, "champion": champion})


class OneModel:
    """GET /v1/models/{id}: one model's card."""

    def __init__(self, models: ModelRepository, doorkeeper: Doorkeeper) -> None:
        self._models = models
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        self._doorkeeper.require(req)
        _send(resp, self._models.card(ModelId(id)).to_json())


class ChampionModel:
    """GET /v1/models/champion: the card of the model that prices now."""

    def __init__(self, champion: Champion, doorkeeper: Doorkeeper) -> None:
        self._champion = champion
        self._doorkeeper = doorkeeper

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self._doorkeeper.require(req)
        _send(resp, self._champion.get().card.to_json())


class Promotions:
    """POST /v1/models/{id}/promote: make a model the champion."""

    def __init__(
        self, choose_champion: ChooseChampion, models: ModelRepository, doorkeeper: Doorkeeper
    ) -> None:
        self._choose_champion = choose_champion
        self._models = models
        self._doorkeeper = doorkeeper

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        self._doorkeeper.require_admin(req)
        reason = text_field(json_body(req), "reason")
        by = f"key {req.context.key_name}"
        promoted = self._choose_champion.promote(ModelId(id), reason=reason, by=by)
        req.context.model_id = promoted
        _send(resp, {"champion": model_answer(self._models.card(promoted))})


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

    def __init__(
        self, champion: Champion, journal_status: Callable[[], JournalStatus] | None
    ) -> None:
        self._champion = champion
        self._journal_status = journal_status

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        card = self._champion.get().card  # without a model: 503
        problems = [self._champion.problem] if self._champion.problem else []
        journal = self._journal_status() if self._journal_status is not None else None
        if journal is not None and journal.problem:
            problems.append(journal.problem)
        status = "degraded" if problems else "ok"
        _send(resp, {"status": status, "model": model_answer(card), "problems": problems})
