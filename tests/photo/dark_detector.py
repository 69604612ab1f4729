"""A detector without weights, for tests: what is dark, but not black as the rest of the input is, is a word.

Letters grow together by the mean of 5 x 17 pixels. Red weighs more than blue, so that their order shows.
"""

from __future__ import annotations

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZES = {"landscape": (192, 320), "portrait": (320, 192)}
ROWS, COLUMNS = 5, 17


def write_onnx(path: pathlib.Path) -> None:
    """Writes the ONNX file: (n, 3, h, w) in -1..1, blue first, to (n, 1, h, w)."""
    grey = np.array([0.2, 0.5, 0.3], np.float32).reshape(1, 3, 1, 1)
    values = {
        "grey": grey,
        "one": np.array(1, np.float32),
        "none": np.array(0, np.float32),
        # What is darker than a quarter is ink: 1 from -0.6 down to -0.94, 0 from -0.5 up and for black.
        "lightest": np.array([-0.5], np.float32),
        "blackest": np.array([-0.98], np.float32),
        "ten": np.array([10], np.float32),
        "twenty-five": np.array([25], np.float32),
        "mean": np.full((1, 1, ROWS, COLUMNS), 30 / (ROWS * COLUMNS), np.float32),
        "bias": np.array([-9], np.float32),
    }
    pads = [ROWS // 2, COLUMNS // 2] * 2
    nodes = [
        helper.make_node("Conv", ["x", "grey"], ["g"]),
        helper.make_node("Sub", ["lightest", "g"], ["darker"]),
        helper.make_node("Mul", ["darker", "ten"], ["dark 10"]),
        helper.make_node("Clip", ["dark 10", "none", "one"], ["dark"]),
        helper.make_node("Sub", ["g", "blackest"], ["lighter"]),
        helper.make_node("Mul", ["lighter", "twenty-five"], ["light 25"]),
        helper.make_node("Clip", ["light 25", "none", "one"], ["light"]),
        helper.make_node("Mul", ["dark", "light"], ["ink"]),
        helper.make_node("Conv", ["ink", "mean", "bias"], ["score"], pads=pads),
        helper.make_node("Sigmoid", ["score"], ["y"]),
    ]
    save(path, nodes, values)


def save(path: pathlib.Path, nodes: list[onnx.NodeProto], values: dict[str, np.ndarray], channels: int = 1) -> None:
    """Writes a graph from x to y, of free sizes, in the version of PP-OCR's files."""
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", channels, "oh", "ow"])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def write(path: pathlib.Path, sizes: dict[str, tuple[int, int]] = SIZES) -> None:
    """Writes the LiteRT file."""
    from spin_tf.export import detector_file

    source = path.with_suffix(".onnx")
    write_onnx(source)
    path.write_bytes(detector_file.convert(source, sizes))
