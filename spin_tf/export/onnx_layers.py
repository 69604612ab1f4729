"""The graph of an ONNX file as TensorFlow operators: what convolutional text detectors are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf._types import Message, Tensor

# Of a node: numbers, lists of them and texts, by name.
Attributes = dict[str, Any]
Operator = Callable[[ModuleType, list[Tensor], Attributes], Tensor]


class ONNXLayers:
    """A convolutional ONNX graph with one input and one output, called on tensors of TensorFlow.

    Written here and not left to onnx2tf: the detectors of PP-OCR are chains of some 15 operators, each of which is one
    line of TensorFlow. onnx2tf would bring a dozen packages that hold back others (it names exact versions of onnx,
    TensorFlow and numpy), makes one file a size where the sizes of one file are to share weights, fetches a data set
    from the network unless it is given one, and builds a 32 x 32 model out of a free input size without a word. Either
    way, numbers decide: the result is compared with ONNX Runtime before it is written.

    Args:
        proto: onnx.ModelProto; its input is (n, channels, height, width).

    Raises:
        ValueError: the graph has an operator, or an operator's attribute, that is not known here; says which.

    Example:
        layers = ONNXLayers(onnx.load("detector.onnx"))
        layers(tf.zeros((1, 736, 1312, 3)))
    """

    def __init__(self, proto: Message) -> None:
        self._helper = require("onnx", "Converting a detector", "onnx").helper
        self._to_array = require("onnx.numpy_helper", "Converting a detector", "onnx").to_array
        graph = proto.graph
        self._constants = {tensor.name: self._to_array(tensor) for tensor in graph.initializer}
        names = [value.name for value in graph.input if value.name not in self._constants]
        if len(names) != 1 or len(graph.output) != 1:
            raise ValueError(
                f"A detector has one input and one output. Received: inputs={names}, "
                f"outputs={[value.name for value in graph.output]}"
            )
        self._input, self._output = names[0], graph.output[0].name
        self._nodes = []
        for node in graph.node:
            attributes = {item.name: self._helper.get_attribute_value(item) for item in node.attribute}
            if node.op_type == "Constant":
                self._constants[node.output[0]] = self._to_array(attributes["value"])
            elif node.op_type not in _OPERATORS or len(node.output) != 1:
                raise ValueError(
                    f"No TensorFlow operator is known for the node {node.name or node.output[0]!r} of the ONNX file. "
                    f"Received: op_type={node.op_type}; known: {', '.join(sorted(_OPERATORS))}"
                )
            else:
                self._nodes.append((node, attributes))

    def __call__(self, image: Tensor) -> Tensor:
        """Runs the graph.

        Args:
            image: float32 tensor (n, height, width, channels): the input of the ONNX file with its channels last.

        Returns:
            float32 tensor, the output of the ONNX file with its channels last.
        """
        tf = require("tensorflow", "Converting a detector", "train")
        values: dict[str, Tensor] = {"": None, **self._constants, self._input: image}
        for node, attributes in self._nodes:
            # Names of empty inputs are empty: an optional one that was left out.
            values[node.output[0]] = _OPERATORS[node.op_type](
                tf, [values[name] for name in node.input], {**attributes, "node": node.name or node.output[0]}
            )
        return values[self._output]


def _refuse(attributes: Attributes, what: str, received: object) -> ValueError:
    return ValueError(f"The node {attributes['node']!r} of the ONNX file {what}. Received: {received}")


def _last(value: Any) -> Any:
    """A constant with its channels last; tensors have them there already."""
    if not isinstance(value, np.ndarray):
        return value
    return value.transpose(0, 2, 3, 1) if value.ndim == 4 else value.reshape(value.size) if value.size == 1 else value


def _elementwise(name: str) -> Operator:
    def apply(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
        for value in inputs:
            if isinstance(value, np.ndarray) and value.ndim != 4 and value.size != 1:
                raise _refuse(attributes, f"has a constant to {name} that is no map", f"shape={value.shape}")
        return getattr(tf, name)(*(_last(value) for value in inputs))

    return apply


def _conv(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    image, kernel, *bias = inputs
    group, strides, pads = _geometry(attributes)
    channels = image.shape[-1]
    if group not in (1, channels) or (group > 1 and len(kernel) % group):
        raise _refuse(attributes, "has groups of more than one channel", f"group={group}")
    # TensorFlow's own padding puts the odd pixel of a stride of two at the end, ONNX at the start.
    if any(pads):
        image = tf.pad(image, [[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]])
    if group == 1:
        result = tf.nn.conv2d(image, kernel.transpose(2, 3, 1, 0), strides, "VALID")
    else:
        # (channels * multiplier, 1, height, width), the multiples of a channel beside each other.
        split = kernel[:, 0].reshape(channels, -1, *kernel.shape[2:]).transpose(2, 3, 0, 1)
        result = tf.nn.depthwise_conv2d(image, split, [1, *strides, 1], "VALID")
    return result + bias[0] if bias and bias[0] is not None else result


def _conv_transpose(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    image, kernel, *bias = inputs
    group, strides, pads = _geometry(attributes)
    if group != 1 or any(pads) or list(kernel.shape[2:]) != strides:
        raise _refuse(attributes, "is no enlargement in blocks", f"kernel={kernel.shape}, strides={strides}, {pads=}")
    batch, height, width, _ = image.shape
    shape = [batch, height * strides[0], width * strides[1], kernel.shape[1]]
    result = tf.nn.conv2d_transpose(image, kernel.transpose(2, 3, 1, 0), shape, strides, "VALID")
    return result + bias[0] if bias and bias[0] is not None else result


def _geometry(attributes: Attributes) -> tuple[int, list[int], list[int]]:
    automatic = attributes.get("auto_pad", b"NOTSET")
    odd = set(attributes.get("dilations", [1])) != {1} or any(attributes.get("output_padding", [0]))
    if automatic not in (b"NOTSET", b"VALID") or odd:
        raise _refuse(attributes, "is a convolution of a kind that is not known", attributes)
    return attributes.get("group", 1), list(attributes.get("strides", [1, 1])), list(attributes.get("pads", [0] * 4))


def _batch_norm(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    image, scale, offset, mean, variance = inputs
    factor = scale / np.sqrt(variance + np.float32(attributes.get("epsilon", 1e-5)))
    # The converter folds both into the convolution before them.
    return image * factor + (offset - mean * factor)


def _clip(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    # Since opset 11 the bounds are inputs.
    lowest, highest = (
        float(inputs[i + 1]) if len(inputs) > i + 1 and inputs[i + 1] is not None else float(attributes.get(name, far))
        for i, (name, far) in enumerate((("min", -math.inf), ("max", math.inf)))
    )
    if (lowest, highest) == (0.0, 6.0):
        return tf.nn.relu6(inputs[0])
    return tf.clip_by_value(inputs[0], lowest, highest)


def _hard_sigmoid(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    slope, offset = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    return tf.clip_by_value(inputs[0] * slope + offset, 0.0, 1.0)


def _resize(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    image = inputs[0]
    how = [attributes.get(name, b"").decode() for name in ("mode", "coordinate_transformation_mode", "nearest_mode")]
    scales = np.asarray(inputs[2] if len(inputs) == 3 and inputs[2] is not None else [])
    whole = scales.size == 4 and np.array_equal(scales, np.rint(scales))
    if how not in (["nearest", "asymmetric", "floor"], ["nearest", "", "floor"]) or not whole:
        raise _refuse(attributes, "resizes in another way than by repeating pixels", f"{how}, scales={scales}")
    rows, columns = int(scales[2]), int(scales[3])
    return tf.raw_ops.ResizeNearestNeighbor(
        images=image, size=[image.shape[1] * rows, image.shape[2] * columns], half_pixel_centers=False
    )


def _concat(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    if attributes["axis"] not in (1, -3):
        raise _refuse(attributes, "joins along another axis than the channels", f"axis={attributes['axis']}")
    return tf.concat(inputs, -1)


def _mean(tf: ModuleType, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    return tf.reduce_mean(inputs[0], [1, 2], keepdims=True)


def _unary(name: str) -> Operator:
    return lambda tf, inputs, attributes: getattr(tf.nn, name)(inputs[0])


_OPERATORS: dict[str, Operator] = {
    "Add": _elementwise("add"),
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Div": _elementwise("divide"),
    "GlobalAveragePool": _mean,
    "HardSigmoid": _hard_sigmoid,
    "Identity": lambda tf, inputs, attributes: inputs[0],
    "Mul": _elementwise("multiply"),
    "Relu": _unary("relu"),
    "Resize": _resize,
    "Sigmoid": _unary("sigmoid"),
    "Sub": _elementwise("subtract"),
}
