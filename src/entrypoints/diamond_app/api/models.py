"""/v1/models: the history of models, and the champion."""

from __future__ import annotations

from typing import Annotated, Final

import falcon
from msgspec import Struct

from diamond_app.api.exchange_context import Request
from diamond_app.api.operation import Access, Topic, operation
from diamond_app.api.payloads import (
    invalid_parameters,
    read_query,
    read_text,
    whole_number,
)
from diamond_app.outcome_responses import LiveErrors
from diamond_app.responses import (
    MODEL_ID,
    DamagedModel,
    ModelCard,
    ModelName,
    Models,
    Promoted,
    described,
)
from diamond_core import ChampionFollower, ChooseChampion, ModelHistory, ModelId, MonitoringStore

DEFAULT_MODELS: Final = 100
MAXIMUM_MODELS: Final = 1000
MODEL_PATH: Final = {
    "id": Annotated[
        str,
        described("The model's id.", MODEL_ID, pattern="^[a-z0-9]+(-[a-z0-9]+)*$", maxLength=80),
    ]
}


class Promotion(Struct, forbid_unknown_fields=True):
    """Why a model is promoted to champion."""

    reason: Annotated[
        str, described("The reason, for the history.", "better on large stones", pattern=r"\S")
    ]


class ModelsQuery(Struct):
    """Which models to list; without any parameter, the newest."""

    limit: Annotated[
        int, described("The maximum number of models.", 50, ge=1, le=MAXIMUM_MODELS)
    ] = DEFAULT_MODELS
    before: Annotated[str, described("The 'next' of the previous page.", MODEL_ID)] = ""


class AllModels:
    """GET /v1/models: the history, newest first."""

    path = "/v1/models"

    def __init__(self, history: ModelHistory) -> None:
        self._history = history

    @operation(
        id="list_models",
        etag=True,
        long=True,
        topic=Topic.MODELS,
        summary="List the models",
        query=ModelsQuery,
        answer=Models,
        answered="A page of the models, newest first.",
        errors=(404, 503),
    )
    def on_get(self, req: Request, resp: falcon.Response) -> Models:
        given, wrong = read_query(req, ModelsQuery)
        limit = whole_number(given, "limit", DEFAULT_MODELS, MAXIMUM_MODELS, wrong)
        if wrong:
            raise invalid_parameters(wrong)
        cards, problems = self._history.cards_and_problems()
        before = given.get("before")
        first = 1 + cards.index(self._history.card(ModelId(before))) if before else 0
        page = cards[first : first + limit]
        return Models(
            [ModelCard.of(card) for card in page],
            self._history.champion(),
            [DamagedModel(id, problem) for id, problem in problems.items()],
            page[-1].id if len(cards) > first + len(page) else None,
        )


class OneModel:
    """GET /v1/models/{id}: one model's card."""

    path = "/v1/models/{id}"

    def __init__(self, history: ModelHistory) -> None:
        self._history = history

    @operation(
        id="show_model",
        etag=True,
        long=True,
        topic=Topic.MODELS,
        summary="Show one model",
        path=MODEL_PATH,
        answer=ModelCard,
        answered="The model's card.",
        errors=(404, 503),
    )
    def on_get(self, req: Request, resp: falcon.Response, id: str) -> ModelCard:
        return ModelCard.of(self._history.card(ModelId(id)))


class LiveModel:
    """GET /v1/models/{id}/live: its errors against prices that were really paid."""

    path = "/v1/models/{id}/live"

    def __init__(self, history: ModelHistory, monitoring: MonitoringStore) -> None:
        self._history = history
        self._monitoring = monitoring

    @operation(
        id="show_live_errors",
        etag=True,
        long=True,
        topic=Topic.MODELS,
        summary="Show one model's errors against prices paid",
        about="Computed every few minutes from the outcomes that were reported. A shadow is compared"
        " with the model whose prices were answered.",
        path=MODEL_PATH,
        answer=LiveErrors,
        answered="The errors, in all and by week.",
        errors=(404, 503),
    )
    def on_get(self, req: Request, resp: falcon.Response, id: str) -> LiveErrors:
        card = self._history.card(ModelId(id))
        found = self._monitoring.load()
        if found is None:
            return LiveErrors.of(card.id, None, None)
        shadows = found.shadows_of(card.id)
        return LiveErrors.of(card.id, found.live_of(card.id), found.at, shadows)


class ChampionModel:
    """GET /v1/models/champion: the champion's card."""

    path = "/v1/models/champion"

    def __init__(self, follower: ChampionFollower) -> None:
        self._follower = follower

    @operation(
        id="show_champion",
        etag=True,
        topic=Topic.MODELS,
        summary="Show the champion",
        answer=ModelCard,
        answered="The champion's card.",
        errors=(503,),
    )
    def on_get(self, req: Request, resp: falcon.Response) -> ModelCard:
        return ModelCard.of(self._follower.get().card)


class Promotions:
    """POST /v1/models/{id}/promote: promote a model to champion."""

    path = "/v1/models/{id}/promote"

    def __init__(self, choose_champion: ChooseChampion, history: ModelHistory) -> None:
        self._choose_champion = choose_champion
        self._history = history

    @operation(
        id="promote_model",
        long=True,
        topic=Topic.MODELS,
        summary="Promote a model to champion",
        path=MODEL_PATH,
        body=Promotion,
        answer=Promoted,
        answered="The new champion; workers serve it within a second.",
        errors=(404, 409, 503),
        access=Access.ADMINS,
    )
    def on_post(self, req: Request, resp: falcon.Response, id: str) -> Promoted:
        reason = read_text(req, "reason")
        by = f"key {req.context.key_name}"
        promoted = self._choose_champion.promote(ModelId(id), reason=reason, by=by)
        req.context.model_id = promoted
        return Promoted(ModelName.of(self._history.card(promoted)))
