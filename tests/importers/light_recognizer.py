"""A small ONNX file built as PP-OCR's light recogniser is, with random weights."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Residual blocks of the three stages; which of them squeeze follows from their number.
NUM_BLOCKS = (2, 1, 1)


class _Graph:
    def __init__(self, seed: int) -> None:
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []
        self.rng = np.random.default_rng(seed)
        self.count = 0

    def add(self, op: str, inputs: list[str], **attributes: Any) -> str:
        self.count += 1
        name = f"{op}{self.count}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        self.count += 1
        name = f"w{self.count}"
        self.arrays.append(numpy_helper.from_array(value.astype(np.float32), name))
        # The published file puts an Identity before each use.
        return self.add("Identity", [name])

    def conv(self, x: str, channels: int, filters: int, size: int, activation: str = "", **attributes: Any) -> str:
        inputs = channels // attributes.get("group", 1)
        kernel = self.rng.normal(0, 1.4 / np.sqrt(inputs * size * size), (filters, inputs, size, size))
        x = self.add("Conv", [x, self.constant(kernel)], kernel_shape=[size, size], **attributes)
        x = self.add("Add", [x, self.constant(self.rng.normal(0, 0.1, (1, filters, 1, 1)))])
        return self.add(activation, [x]) if activation else x

    def gelu(self, x: str) -> str:
        erf = self.add("Erf", [self.add("Div", [x, self.constant(np.array([np.sqrt(2.0)]))])])
        product = self.add("Mul", [x, self.add("Add", [erf, self.constant(np.array([1.0]))])])
        return self.add("Mul", [product, self.constant(np.array([0.5]))])

    def block(self, x: str, channels: int, filters: int, halves_rows: bool, squeezes: bool) -> str:
        strides = [2, 1] if halves_rows else [1, 1]
        x = self.conv(x, channels, channels, 3, group=channels, strides=strides, pads=[1] * 4)
        if squeezes:
            scale = self.add("ReduceMean", [x], axes=[2, 3], keepdims=1)
            scale = self.conv(scale, channels, channels // 4, 1, "Relu")
            scale = self.add("HardSigmoid", [self.conv(scale, channels // 4, channels, 1)], alpha=1 / 6, beta=0.5)
            x = self.add("Mul", [x, scale])
        branch = self.gelu(self.conv(x, channels, 2 * channels, 1))
        branch = self.conv(branch, 2 * channels, filters, 1)
        return branch if halves_rows else self.add("Add", [x, branch])


def write(path: str | os.PathLike[str], width: int = 32, seed: int = 0) -> None:
    """Writes the file: stem, three stages of blocks, the average pooling, and a head of one convolution."""
    g = _Graph(seed)
    eighth, both_sides, at_end = width // 8, [1] * 4, "SAME_UPPER"
    x = g.conv("x", 3, eighth, 3, "Relu", strides=[2, 2], pads=both_sides)
    pooled = g.add("MaxPool", [x], kernel_shape=[2, 2], strides=[1, 1], auto_pad=at_end)
    y = g.conv(x, eighth, eighth // 2, 2, "Relu", auto_pad=at_end)
    y = g.conv(y, eighth // 2, eighth, 2, "Relu", auto_pad=at_end)
    x = g.add("Concat", [pooled, y], axis=1)
    x = g.conv(x, 2 * eighth, eighth, 3, "Relu", strides=[2, 2], pads=both_sides)
    x = g.conv(x, eighth, width // 4, 1, "Relu")
    for stage, count in enumerate(NUM_BLOCKS):
        filters = width // 4 * 2**stage
        if stage:
            x = g.block(x, filters // 2, filters, halves_rows=True, squeezes=False)
        for i in range(count):
            x = g.block(x, filters, filters, halves_rows=False, squeezes=i % 2 == 0 and i < count - 1)
    x = g.add("AveragePool", [x], kernel_shape=[3, 2], strides=[3, 2])
    x = g.conv(x, width, 7, 1)
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 48, "w"])
    graph = helper.make_graph(g.nodes, "light", [image], [helper.make_empty_tensor_value_info(x)], g.arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 8
    onnx.save(model, os.fspath(path))
