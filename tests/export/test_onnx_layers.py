"""Operators of ONNX in TensorFlow: the numbers of ONNX Runtime."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import helper, numpy_helper

from spin_tf.export.onnx_layers import ONNXLayers
from tests.photo.dark_detector import save

RNG = np.random.default_rng(1)


def uniform(*shape: int) -> np.ndarray:
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def node(kind: str, inputs: list[str], output: str = "y", **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def conv(**attributes: Any) -> onnx.NodeProto:
    return node("Conv", ["x", "kernel"], **attributes)


NORM = {name: uniform(3) for name in ("scale", "offset", "mean")} | {"variance": uniform(3) ** 2 + np.float32(0.1)}
ROI = {"roi": np.zeros(8, np.float32)}
RESIZE = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
# Nodes and constants from x (1, 3, 12, 20) to y.
CASES: dict[str, tuple[list[onnx.NodeProto], dict[str, np.ndarray]]] = {
    "conv": ([conv(kernel_shape=[3, 3], pads=[1, 1, 1, 1])], {"kernel": uniform(5, 3, 3, 3)}),
    "conv, stride 2": ([conv(pads=[1, 1, 1, 1], strides=[2, 2])], {"kernel": uniform(5, 3, 3, 3)}),
    "conv, uneven": ([conv(pads=[0, 2, 1, 0], strides=[2, 1])], {"kernel": uniform(2, 3, 2, 3)}),
    "conv with bias": (
        [node("Conv", ["x", "kernel", "bias"])],
        {"kernel": uniform(4, 3, 1, 1), "bias": uniform(4)},
    ),
    "depthwise": ([conv(group=3, pads=[2, 2, 2, 2], strides=[2, 2])], {"kernel": uniform(3, 1, 5, 5)}),
    "depthwise, two each": ([conv(group=3)], {"kernel": uniform(6, 1, 3, 3)}),
    "transposed": (
        [node("ConvTranspose", ["x", "kernel", "bias"], strides=[2, 2])],
        {"kernel": uniform(3, 2, 2, 2), "bias": uniform(2)},
    ),
    "batch norm": ([node("BatchNormalization", ["x", "scale", "offset", "mean", "variance"], epsilon=1e-3)], NORM),
    "clip to 6": (
        [node("Mul", ["x", "ten"], "z"), node("Clip", ["z", "low", "six"])],
        {"ten": np.array([10], np.float32), "low": np.array(0, np.float32), "six": np.array(6, np.float32)},
    ),
    "clip below": ([node("Clip", ["x", "low"])], {"low": np.array(-0.2, np.float32)}),
    "clip above": ([node("Clip", ["x", "", "high"])], {"high": np.array(0.3, np.float32)}),
    "channel attention": (
        [
            node("GlobalAveragePool", ["x"], "mean"),
            node("HardSigmoid", ["mean"], "share", alpha=0.2, beta=0.5),
            node("Mul", ["x", "share"]),
        ],
        {},
    ),
    "by channel": ([node("Add", ["x", "c"], "z"), node("Div", ["z", "c"])], {"c": uniform(1, 3, 1, 1) + 3}),
    "resize": (
        [node("Resize", ["x", "roi", "scales"], **RESIZE)],
        {**ROI, "scales": np.array([1, 1, 2, 4], np.float32)},
    ),
    "concat": ([node("Relu", ["x"], "z"), node("Sigmoid", ["x"], "s"), node("Concat", ["z", "s"], axis=1)], {}),
    "constant node": (
        [
            node("Constant", [], "c", value=numpy_helper.from_array(np.array([2], np.float32))),
            node("Sub", ["x", "c"], "z"),
            node("Identity", ["z"]),
        ],
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_same_numbers_as_onnx_runtime(name: str, tmp_path: pathlib.Path) -> None:
    nodes, values = CASES[name]
    path = tmp_path / "graph.onnx"
    save(path, nodes, values)
    x = uniform(1, 3, 12, 20)
    (expected,) = onnxruntime.InferenceSession(path).run(None, {"x": x})
    actual = ONNXLayers(onnx.load(path))(tf.constant(x.transpose(0, 2, 3, 1))).numpy()
    np.testing.assert_allclose(actual.transpose(0, 3, 1, 2), expected, atol=2e-6)
    assert np.ptp(expected) > 0.1


WRONG: dict[str, tuple[list[onnx.NodeProto], dict[str, np.ndarray], str]] = {
    "operator": ([node("Softmax", ["x"])], {}, "No TensorFlow operator .*op_type=Softmax"),
    "groups": ([conv(group=2)], {"kernel": uniform(4, 1, 3, 3)}, "groups of more than one channel.*group=2"),
    "dilated": ([conv(dilations=[2, 2])], {"kernel": uniform(4, 3, 3, 3)}, "of a kind that is not known"),
    "automatic": ([conv(auto_pad="SAME_UPPER")], {"kernel": uniform(4, 3, 3, 3)}, "of a kind that is not known"),
    "overlapping": (
        [node("ConvTranspose", ["x", "kernel"], strides=[2, 2])],
        {"kernel": uniform(3, 2, 3, 3)},
        "is no enlargement in blocks",
    ),
    "linear": (
        [node("Resize", ["x", "roi", "scales"], mode="linear")],
        {**ROI, "scales": np.array([1, 1, 2, 2], np.float32)},
        "resizes in another way",
    ),
    "by half": (
        [node("Resize", ["x", "roi", "scales"], **RESIZE)],
        {**ROI, "scales": np.array([1, 1, 0.5, 0.5], np.float32)},
        "resizes in another way",
    ),
    "rows": ([node("Concat", ["x", "x"], axis=2)], {}, "joins along another axis"),
    "vector": ([node("Add", ["x", "v"])], {"v": uniform(3)}, "a constant to add that is no map"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_known_is_named(name: str, tmp_path: pathlib.Path) -> None:
    nodes, values, message = WRONG[name]
    path = tmp_path / "graph.onnx"
    save(path, nodes, values)
    with pytest.raises(ValueError, match=message):
        ONNXLayers(onnx.load(path))(tf.zeros((1, 12, 20, 3)))
