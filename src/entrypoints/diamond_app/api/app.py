"""The service as a WSGI application."""

from __future__ import annotations

from collections.abc import Sequence

import falcon

from diamond_app.api import (
    drift,
    explanations,
    grades,
    health,
    ladder,
    models,
    outcomes,
    pipeline,
    predictions,
    problems,
    requests,
    similar,
)
from diamond_app.api.authenticator import Authenticator
from diamond_app.api.cross_origin import CrossOrigin
from diamond_app.api.exchange_context import Request
from diamond_app.api.live_docs import LiveDocs, LiveDocsFile
from diamond_app.api.metrics import Metrics
from diamond_app.api.openapi import OpenApi
from diamond_app.api.operation import Resource, Served
from diamond_app.api.pages import add_pages
from diamond_app.api.problems import App
from diamond_app.api.recording import Recording
from diamond_app.api.security_headers import SecurityHeaders
from diamond_app.settings import ApiKeys
from diamond_core import (
    ChampionFollower,
    ChooseChampion,
    Clock,
    DriftLimits,
    ExplainPrice,
    FindSimilar,
    ModelHistory,
    MonitoringStore,
    OutcomeLog,
    PipelineRuns,
    PriceDiamonds,
    PriceLadder,
    RecomputeExchange,
    ReportOutcomes,
    RequestLog,
    ShadowLog,
)


def create_app(
    *,
    champion_follower: ChampionFollower,
    price_diamonds: PriceDiamonds,
    explain_price: ExplainPrice,
    price_ladder: PriceLadder,
    find_similar: FindSimilar,
    choose_champion: ChooseChampion,
    history: ModelHistory,
    pipeline_runs: PipelineRuns,
    monitoring_store: MonitoringStore,
    drift_limits: DriftLimits,
    request_log: RequestLog,
    report_outcomes: ReportOutcomes,
    outcome_log: OutcomeLog,
    shadow_log: ShadowLog,
    recompute_exchange: RecomputeExchange,
    clock: Clock,
    api_keys: ApiKeys,
    cors_origins: Sequence[str] = (),
) -> App:
    """Return the service, wired with what it needs."""
    metrics = Metrics(champion_follower, request_log, monitoring_store, drift_limits)
    resources: list[Resource] = [
        predictions.OnePrediction(price_diamonds, explain_price),
        predictions.ManyPredictions(price_diamonds),
        explanations.Explanations(explain_price),
        outcomes.OneOutcome(report_outcomes, clock),
        ladder.PricesAround(price_ladder),
        similar.SimilarStones(find_similar),
        grades.AllGrades(),
        models.AllModels(history),
        models.ChampionModel(champion_follower),
        models.OneModel(history),
        models.LiveModel(history, monitoring_store),
        models.Promotions(choose_champion, history),
        pipeline.AllRuns(pipeline_runs),
        drift.DriftResource(monitoring_store, drift_limits),
        requests.AllRequests(request_log, clock),
        requests.OneRequest(request_log),
        requests.PricesOfRequest(recompute_exchange, outcome_log, shadow_log),
        health.Liveness(),
        health.ReadinessResource(champion_follower, request_log),
        health.MetricsResource(metrics),
    ]
    resources.append(OpenApi(resources, keys_are_set=bool(api_keys) and api_keys.needed_to_price))

    app: App = falcon.App(request_type=Request)
    app.add_middleware(metrics)
    app.add_middleware(SecurityHeaders())
    if cors_origins:
        app.add_middleware(CrossOrigin(cors_origins))
    app.add_middleware(Recording(request_log))
    app.req_options.auto_parse_qs_csv = False
    app.req_options.strip_url_path_trailing_slash = True
    problems.install(app)
    authenticator = Authenticator(api_keys)
    for resource in resources:
        app.add_route(resource.path, Served(resource, authenticator))
    app.add_route("/docs", LiveDocs())
    app.add_route("/docs/{name}", LiveDocsFile())
    add_pages(app, history, authenticator, [each.path for each in resources])
    return app
