"""Compute the prices of a recorded exchange again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from diamond_core.errors import ModelNotFound, NotRecomputable
from diamond_core.models.explanation import Explanation
from diamond_core.models.model_card import ModelId
from diamond_core.monitoring.priced_stones import PricedStones, ReadPriced
from diamond_core.ports import RequestLog
from diamond_core.requests.exchange import Exchange
from diamond_core.stones.diamond import Diamond
from diamond_core.use_cases.explain_price import ExplainPrice
from diamond_core.use_cases.find_exchanges import find_exchanges
from diamond_core.use_cases.model_history import LoadedModel, ModelHistory
from diamond_core.use_cases.price_diamonds import Predictions, PriceDiamonds


@dataclass(frozen=True, slots=True)
class PriceAndRange:
    """A price and the ends of its range, in USD."""

    price: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedPrice:
    """The recorded and the recomputed price of one stone.

    Attributes:
        id: the id of the prediction.
        same: whether price and range are equal, to the cent.
        assumed: fields that the model uses and that were not given.
        outside: numbers that are outside the model's training range.
        explanation: why it has the recomputed price, if that was asked for.
    """

    id: str
    diamond: Diamond
    recorded: PriceAndRange
    recomputed: PriceAndRange
    same: bool
    assumed: Sequence[str]
    outside: Sequence[str]
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedExchange:
    """The prices of a recorded exchange, computed again with the model that priced them.

    Attributes:
        id: the exchange's id.
        occurred_at: when the prices were answered, in UTC.
        model: the id of the model.
        same: whether all prices are the same.
        stones: the stones, in the order of the request.
    """

    id: str
    occurred_at: datetime
    model: str
    same: bool
    stones: Sequence[RecomputedPrice]


class RecomputeExchange:
    """Computes recorded prices again: the same model gives the same price, to the cent.

    It keeps the model that it loaded last. Threads can share it.
    """

    def __init__(self, log: RequestLog, history: ModelHistory, read_priced: ReadPriced) -> None:
        self._log = log
        self._history = history
        self._read_priced = read_priced
        self._loaded: LoadedModel | None = None

    def __call__(self, id: str, *, explained: int = 0) -> RecomputedExchange:
        """Compute the prices of the exchange that *id* names again; see ``find_exchanges``.

        The id of one prediction in a batch selects that stone alone. The first *explained* prices
        are explained from the typical stone on, by the model that priced them.

        Raises:
            ExchangeNotFound: there is no such exchange.
            NotRecomputable: it has no prices, its bodies were not kept completely, or its model
                was removed.
            ModelDamaged: its model can't be used.
            Unavailable: the log or the model can't be read.
        """
        exchange, *_ = find_exchanges(self._log, id, limit=1)
        stones = self._stones(exchange)
        if (of_id := stones.ids == id).any():
            stones = stones[of_id]
        model = self._model(exchange)
        found = _recompute(model, stones)
        for at, each in enumerate(found[:explained]):
            why = ExplainPrice(model)(each.diamond).explanation
            found[at] = replace(each, explanation=why)
        return RecomputedExchange(
            id=exchange.id,
            occurred_at=exchange.occurred_at,
            model=exchange.model_id,
            same=all(each.same for each in found),
            stones=found,
        )

    def _stones(self, exchange: Exchange) -> PricedStones:
        if exchange.request_truncation or exchange.response_truncation:
            raise NotRecomputable(exchange.id, "its bodies were not kept completely")
        parts = list(self._read_priced([exchange]))
        if not parts or not exchange.model_id:
            raise NotRecomputable(exchange.id, "it has no prices")
        return PricedStones.concatenate(parts)

    def _model(self, exchange: Exchange) -> LoadedModel:
        loaded = self._loaded
        if loaded is not None and loaded.card.id == exchange.model_id:
            return loaded
        try:
            self._loaded = loaded = self._history.load(ModelId(exchange.model_id))
        except ModelNotFound as ex:
            reason = f"the model {exchange.model_id!r}, which priced it, was removed"
            raise NotRecomputable(exchange.id, reason) from ex
        return loaded


def _recompute(model: LoadedModel, stones: PricedStones) -> list[RecomputedPrice]:
    """Price *stones* with *model*, and compare with what is recorded."""
    again = PriceDiamonds(model).many(stones.table)
    remarks, which = again.remarks()
    return [
        RecomputedPrice(
            id=id,
            diamond=diamond,
            recorded=old,
            recomputed=new,
            same=old == new,
            assumed=remarks[remark].assumed,
            outside=remarks[remark].outside,
        )
        for id, diamond, old, new, remark in zip(
            stones.ids.tolist(),
            stones.table,
            _prices(stones),
            _prices(again),
            which.tolist(),
            strict=True,
        )
    ]


def _prices(answers: PricedStones | Predictions) -> list[PriceAndRange]:
    columns = (answers.prices.tolist(), answers.lows.tolist(), answers.highs.tolist())
    return list(map(PriceAndRange, *columns))
