"""/v1/predictions: what stones are worth."""

from __future__ import annotations

import io
from typing import Final

import falcon

import diamond_core
from diamond_app.api.answer_file import AnswerFile
from diamond_app.api.exchange_context import ExchangeContext, Request
from diamond_app.api.operation import Topic, operation
from diamond_app.api.payloads import Batch, StoneToPrice, read_stone_to_price, read_stones
from diamond_app.api.request_body import CSV, media_type
from diamond_app.price_responses import Prediction, Predictions
from diamond_core import Diamond, ExplainPrice, PriceDiamonds

MAXIMUM_CSV_ROWS: Final = 250_000


class OnePrediction:
    """POST /v1/predictions: what one stone is worth."""

    path = "/v1/predictions"

    def __init__(self, price_diamonds: PriceDiamonds, explain_price: ExplainPrice) -> None:
        self._price_diamonds = price_diamonds
        self._explain_price = explain_price

    @operation(
        id="price_diamond",
        topic=Topic.PRICES,
        summary="Price one stone",
        about="Give the four Cs; measurements can make the price more accurate. With `explain`, the"
        " answer is that of `/v1/explanations`.",
        body=StoneToPrice,
        answer=Prediction,
        answered="The price, its range, and the model.",
        errors=(503,),
    )
    def on_post(self, req: Request, resp: falcon.Response) -> Prediction:
        context = req.context
        diamond, explain = read_stone_to_price(context.body)
        price = self._explain_price if explain else self._price_diamonds.one
        return answered(context, price(diamond), diamond)


def answered(
    context: ExchangeContext, prediction: diamond_core.Prediction, diamond: Diamond
) -> Prediction:
    """Return the answer for the prediction of *diamond*, and note in the context what priced it."""
    context.model_id = prediction.card.id
    context.priced = 1
    return Prediction.of(prediction, context.id, diamond.carat)


class ManyPredictions:
    """POST /v1/predictions/batch: what many stones are worth, in their order, as JSON or CSV."""

    path = "/v1/predictions/batch"

    def __init__(self, price_diamonds: PriceDiamonds) -> None:
        self._price_diamonds = price_diamonds

    @operation(
        id="price_diamonds",
        long=True,
        topic=Topic.PRICES,
        summary="Price many stones at once",
        about="Much faster than one request per stone, and at most 10,000 stones. An error names the"
        " stone by its index; with `on_error: report` the other stones are priced. A CSV"
        " (`Content-Type: text/csv`, at most 16 MB) is accepted too: the answer is the same CSV"
        " with predicted_price, price_low, price_high, error and warning after its columns.",
        body=Batch,
        csv=True,
        answer=Predictions,
        answered="The prices, in the order of the stones.",
        errors=(503,),
    )
    def on_post(self, req: Request, resp: falcon.Response) -> Predictions | None:
        if media_type(req) == CSV:
            self._price_csv(req, resp)
            return None
        pricer = self._price_diamonds.pinned()
        stones, wrong = read_stones(req, pricer.refusals)
        predictions = pricer.many(stones)
        context = req.context
        context.model_id = predictions.card.id
        context.priced = len(predictions)
        return Predictions.of(predictions, context.id, wrong)

    def _price_csv(self, req: Request, resp: falcon.Response) -> None:
        """Answer the same CSV with prices, or with the reason for a row that can't be priced."""
        from diamond_app.priced_csv import price_csv  # its imports would delay each start

        context = req.context
        with AnswerFile() as answer:
            priced = price_csv(
                "the CSV",
                io.BytesIO(context.body),
                len(context.body),
                answer.file,
                self._price_diamonds,
                maximum=MAXIMUM_CSV_ROWS,
            )
            answer.send(req, resp)
        context.model_id = priced.model_id
        context.priced = priced.good
        resp.content_type = "text/csv; charset=utf-8"
