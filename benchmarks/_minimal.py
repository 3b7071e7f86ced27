"""The apps that the service is compared with: bare Falcon, and the least that answers a price.

gunicorn loads one with ``_minimal:bare()`` or ``_minimal:app()``; ``DIAMOND_HOME`` says whose
champion. ``app`` decodes the JSON, runs the champion's graph and answers; it does not check,
record, count or set a header. Its similar stones are those of the same index.
"""

from __future__ import annotations

import falcon
import msgspec
import numpy as np
import onnxruntime as ort

from diamond_app.container import build_container
from diamond_app.settings import Settings
from diamond_core import GRADES, Clarity, Color, Cut, Diamond
from diamond_core.stones.fields import GRADED, OPTIONAL


class Bare:
    """The least that a resource can do with a stone."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        msgspec.json.decode(req.stream.read(req.content_length))
        resp.data = b'{"price": 4608.99}'

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        _ = req.params
        resp.data = b'{"diamonds": []}'


class Price:
    """The price of a stone by the champion's graph."""

    def __init__(self, graph: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._run = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"]).run
        self._numbers = [GRADES[name].numbers for name in GRADED]

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        stone = msgspec.json.decode(req.stream.read(req.content_length))
        cut, color, clarity = self._numbers
        row = [
            stone["carat"],
            cut[stone["cut"]],
            color[stone["color"]],
            clarity[stone["clarity"]],
            *(stone.get(name, float("nan")) for name in OPTIONAL),
        ]
        (price,) = self._run(["price"], {"features": np.array([row], np.float32)})
        resp.data = msgspec.json.encode({"price": round(float(price[0]), 2)})


class Similar:
    """The similar stones of the champion's index."""

    def __init__(self, nearest) -> None:
        self._nearest = nearest

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        given = req.params
        stone = Diamond(
            carat=float(given["carat"]),
            cut=Cut(given["cut"]),
            color=Color(given["color"]),
            clarity=Clarity(given["clarity"]),
        )
        found = self._nearest(stone, int(given["n"]))
        resp.data = msgspec.json.encode({"diamonds": found.stones.rows_of_today().tolist()})


class Live:
    """For the question whether the server answers at all."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.data = b"{}"


def bare() -> falcon.App:
    """Return an app without a model."""
    return _app(Bare(), Bare())


def app() -> falcon.App:
    """Return the minimal app."""
    settings = Settings.load()
    history = build_container(settings).history()
    id = history.champion()
    graph = (settings.home / "models" / id / "model.onnx").read_bytes()
    return _app(Price(graph), Similar(history.load(id).similar.nearest))


def _app(price: object, similar: object) -> falcon.App:
    made = falcon.App()
    made.add_route("/v1/predictions", price)
    made.add_route("/v1/similar", similar)
    made.add_route("/livez", Live())
    return made
