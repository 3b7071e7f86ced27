"""Models from elsewhere: a graph that reads files, never ends or lies is refused, and named."""

from __future__ import annotations

import logging
import mmap

import numpy as np
import pytest
from dependency_injector import providers
from falcon import testing
from onnx import TensorProto, helper, numpy_helper
from wired import in_memory

from diamond_adapters.models import onnx_model
from diamond_adapters.models.graph_check import MAXIMUM_BYTES
from diamond_adapters.models.onnx_model import OnnxModel
from diamond_app.wsgi import _refresh, app_of
from diamond_core import ONNX_FILE, ChooseChampion, ModelDamaged, ModelHistory, ModelId
from diamond_core.testing import a_card, a_fitted_model, some_stones
from diamond_core.testing.samples import FOUR_CS, NOON

STONES = some_stones(150)
MICROSOFT = "com.microsoft"
node = helper.make_node


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def result(name):
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)


def graph(*nodes, constants=(), shape=("n", 4), output="price", domains=(), functions=()):
    """Return a graph over ``carat``, float64 of shape (n, 1): the other columns are dropped."""
    first = node("Gather", ["features", "column"], ["narrow"], axis=1)
    widen = node("Cast", ["narrow"], ["carat"], to=TensorProto.DOUBLE)
    made = helper.make_graph(
        [first, widen, *nodes],
        "hostile",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
        [result(output)],
        [constant("column", [0]), constant("factor", [4000.0]), *constants],
    )
    opsets = [helper.make_opsetid(domain, 1) for domain in domains]
    opsets.append(helper.make_opsetid("", 18))
    model = helper.make_model(made, opset_imports=opsets, ir_version=9, functions=functions)
    return model.SerializeToString()


def price(source="factor"):
    return node("Mul", ["carat", source], ["price"])


def secret():
    """Return a constant whose data is in a file of the working folder."""
    tensor = TensorProto(name="secret", data_type=TensorProto.DOUBLE, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.bin")
    return tensor


def branch(name, *nodes, constants=()):
    return helper.make_graph(nodes, name, [], [result(name)], list(constants))


def ones(size):
    one = constant("", [1.0])
    return node("ConstantOfShape", [size], ["m0"], value=one)


def choice(then):
    """Return the nodes that compute ``chosen`` by the branch *then*."""
    condition = node("Constant", [], ["true"], value=constant("", True))
    other = branch("other", node("Identity", ["factor"], ["other"]))
    return condition, node("If", ["true"], ["chosen"], then_branch=then, else_branch=other)


def endless(source):
    scalars = [
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (("turn", TensorProto.INT64), ("before", TensorProto.BOOL))
    ]
    more = helper.make_tensor_value_info("more", TensorProto.BOOL, [])
    body = helper.make_graph([node("Identity", ["before"], ["more"])], "body", scalars, [more])
    sum_up = helper.make_graph(
        [node("Add", ["sum", "row"], ["next"]), node("Identity", ["next"], ["shown"])],
        "sum_up",
        [result("sum"), result("row")],
        [result("next"), result("shown")],
    )
    if source == "Loop":
        body.input.append(result("kept"))
        body.output.append(result("again"))
        body.node.append(node("Identity", ["kept"], ["again"]))
        return node("Loop", ["", "true", "factor"], ["then"], body=body)
    return node("Scan", ["factor", "carat"], ["then", "all"], body=sum_up, num_scan_inputs=1)


FUNCTION = helper.make_function(
    "ai.onnx",
    "Twice",
    ["a"],
    ["b"],
    [node("Add", ["a", "a"], ["b"])],
    [helper.make_opsetid("", 18)],
)
REFUSED = {
    "external data": (graph(price("secret"), constants=[secret()]), "data in other files"),
    "external data in a branch": (
        graph(*choice(branch("then", constants=[secret()])), price("chosen")),
        "data in other files",
    ),
    "external data of a node": (
        graph(node("Constant", [], ["secret"], value=secret()), price("secret")),
        "data in other files",
    ),
    "an endless loop": (graph(*choice(branch("then", endless("Loop"))), price("chosen")), "Loop"),
    "a scan": (graph(*choice(branch("then", endless("Scan"))), price("chosen")), "Scan"),
    "an operator of onnxruntime": (
        graph(node("Gelu", ["carat"], ["price"], domain=MICROSOFT), domains=[MICROSOFT]),
        "only ai.onnx",
    ),
    "a function": (
        graph(node("Twice", ["carat"], ["price"], domain="ai.onnx"), functions=[FUNCTION]),
        "functions",
    ),
    "no graph": (b"", "onnxruntime"),
    "no protobuf": (b"\xff" * 99, "not an ONNX graph"),
    "columns of another model": (graph(price(), shape=("n", 9)), "4 columns"),
    "a lie about its rows": (graph(price(), shape=(1 << 40, 4)), "invalid dimensions"),
    "another name": (graph(node("Identity", ["carat"], ["cost"]), output="cost"), "'price'"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_refuses_a_graph(data, reason, tmp_path, monkeypatch):
    (tmp_path / "secret.bin").write_bytes(np.array([4000.0]).tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=reason):
        OnnxModel(data, FOUR_CS)


def test_loads_a_graph_that_chooses_between_branches():
    twice = branch("then", node("Add", ["factor", "factor"], ["then"]))
    prices = OnnxModel(graph(*choice(twice), price("chosen")), FOUR_CS).price(STONES)
    np.testing.assert_allclose(prices, STONES.column("carat") * 8000.0, rtol=1e-6)


def test_refuses_an_enormous_file_unread():
    with mmap.mmap(-1, MAXIMUM_BYTES + 1) as enormous:
        with pytest.raises(ValueError, match="the maximum is 268,435,456"):
            OnnxModel(view := memoryview(enormous), FOUR_CS)
        view.release()


def test_ends_the_load_of_a_graph_that_computes_for_long(monkeypatch):
    steps = [node("MatMul", [f"m{n}", f"m{n}"], [f"m{n + 1}"]) for n in range(1000)]
    end = node("ReduceMax", ["m1000"], ["last"], keepdims=0)
    size = constant("size", [300, 300])
    monkeypatch.setattr(onnx_model, "FIRST_RUN_SECONDS", 0.01)
    with pytest.raises(ValueError, match="terminate flag"):
        OnnxModel(graph(ones("size"), *steps, end, price("last"), constants=[size]), FOUR_CS)


# A champion that fails


class Promoted:
    """A service on graphs, whose history a test fills."""

    def __init__(self):
        container = in_memory()
        self.history = ModelHistory(container.model_repository(), OnnxModel)
        container.history.override(providers.Object(self.history))
        self.follower = container.champion_follower()
        self.client = testing.TestClient(app_of(container))

    def promote(self, name, data):
        fitted = a_fitted_model(STONES, files={ONNX_FILE: data})
        self.history.publish(a_card(name), fitted, STONES)
        before = self.history.champion()
        self.history.promote(ModelId(name), previous=before, at=NOON, by="test", reason="test")


FAILING = {
    "a shape that does not fit": graph(
        node("Shape", ["carat"], ["rows"]),
        node("Add", ["rows", "rows"], ["more"]),
        node("Reshape", ["carat", "more"], ["price"]),
    ),
    "a row that is missing": graph(
        node("Gather", ["carat", "far"], ["price"], axis=0), constants=[constant("far", [10_000])]
    ),
    "a division by zero": graph(
        node("Cast", ["carat"], ["whole"], to=TensorProto.INT32),
        node("Sub", ["whole", "whole"], ["zero"]),
        node("Div", ["whole", "zero"], ["ratio"]),
        node("Cast", ["ratio"], ["price"], to=TensorProto.DOUBLE),
    ),
    "memory without end": graph(
        ones("size"),
        node("ReduceMax", ["m0"], ["last"], keepdims=0),
        price("last"),
        constants=[constant("size", [1 << 45])],
    ),
}


@pytest.mark.parametrize("data", FAILING.values(), ids=list(FAILING))
def test_serves_on_and_names_a_champion_that_fails_when_it_runs(data, caplog):
    service = Promoted()
    service.promote("sound", graph(price()))
    _refresh(service.follower)
    assert service.client.simulate_get("/readyz").json["status"] == "ok"
    service.promote("bad", data)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            _refresh(service.follower)
    (logged,) = [record for record in caplog.records if record.name == "diamond_app"]
    ready = service.client.simulate_get("/readyz").json
    assert (ready["status"], ready["model"]["id"]) == ("degraded", "sound")
    assert len(ready["problems"]) == 1
    for told in (logged.getMessage(), *ready["problems"]):
        assert "the model 'bad' is damaged" in told
        assert "\n" not in told
    assert "diamond_champion_refused 1.0" in service.client.simulate_get("/metrics").text
    with pytest.raises(ModelDamaged, match=r"model\.onnx can't be loaded"):
        ChooseChampion(service.history, lambda: NOON).promote(
            ModelId("bad"), reason="test", by="test"
        )
