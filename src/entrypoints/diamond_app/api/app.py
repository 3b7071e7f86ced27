"""The service as a WSGI application."""

from __future__ import annotations

import falcon

from diamond_app.api import problems, record, resources
from diamond_app.api.keys import Doorkeeper
from diamond_app.api.live_docs import LiveDocs, LiveDocsFile
from diamond_app.api.metrics import Metrics
from diamond_app.api.openapi import OpenApi
from diamond_app.api.pages import add_pages
from diamond_app.api.problems import App
from diamond_app.api.recording import Recording
from diamond_app.api.security_headers import SecurityHeaders
from diamond_app.settings import ApiKeys
from diamond_core import (
    ChampionFollower,
    ChooseChampion,
    Clock,
    FindSimilar,
    ModelHistory,
    PriceDiamonds,
    RequestLog,
)


def create_app(
    *,
    champion: ChampionFollower,
    price_diamonds: PriceDiamonds,
    find_similar: FindSimilar,
    choose_champion: ChooseChampion,
    history: ModelHistory,
    request_log: RequestLog,
    clock: Clock,
    api_keys: ApiKeys,
) -> App:
    """Return the service, wired with what it needs."""
    metrics = Metrics(champion, request_log)
    app: App = falcon.App()
    app.add_middleware(metrics)
    app.add_middleware(SecurityHeaders())
    app.add_middleware(Recording(request_log))
    app.req_options.auto_parse_qs_csv = False
    app.req_options.strip_url_path_trailing_slash = True
    problems.install(app)
    door = Doorkeeper(api_keys)
    app.add_route("/v1/predictions", resources.Predictions(price_diamonds, door))
    app.add_route("/v1/predictions/batch", resources.PredictionBatches(price_diamonds, door))
    app.add_route("/v1/similar", resources.SimilarDiamonds(find_similar, door))
    app.add_route("/v1/models", resources.Models(history, door))
    app.add_route("/v1/models/champion", resources.ChampionModel(champion, door))
    app.add_route("/v1/models/{id}", resources.OneModel(history, door))
    app.add_route("/v1/models/{id}/promote", resources.Promotions(choose_champion, history, door))
    app.add_route("/v1/requests", record.Requests(request_log, clock, door))
    app.add_route("/v1/requests/{id}", record.OneRequest(request_log, door))
    app.add_route("/livez", resources.Liveness())
    app.add_route("/readyz", resources.Readiness(champion, request_log))
    app.add_route("/metrics", resources.Scrape(metrics))
    app.add_route(
        "/openapi.json", OpenApi(keys_are_set=bool(api_keys) and api_keys.needed_to_price)
    )
    app.add_route("/docs", LiveDocs())
    app.add_route("/docs/{name}", LiveDocsFile())
    add_pages(app, history, door)
    return app
