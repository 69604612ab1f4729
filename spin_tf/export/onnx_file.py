"""ONNX files: any number of images at a time, checked against the trained model before they are written."""

from __future__ import annotations

import base64
import copy
import functools
import json
import os
import pathlib
import tempfile
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf._files import write_atomically
from spin_tf._types import Message, Tensor
from spin_tf.contract.metadata import METADATA_FILE
from spin_tf.decoding.stepping import read_stepwise
from spin_tf.export.check_inputs import wide_of
from spin_tf.export.parity import Parity, compare_words, require_parity, worst
from spin_tf.models import SPINRecognizer
from spin_tf.reading.onnx_model import STEP_KEY, ONNXModel

# Of both widths, weights from this size on are stored once.
_SHARED_BYTES = 1024


def convert(model: SPINRecognizer) -> bytes:
    """Converts a model to ONNX, float32, with the metadata of the model inside.

    The graph reads: `image` (n, height, width, 1) -> `probabilities`, `positions`, and the `states`, `projected` and
    `centres` of `SteppingModel.encode`; with a wide_image_size, images of either width. An ONNX file holds one graph,
    so the step of the decoder is a second file, in base64 among the metadata of the first: it is a thirteenth of the
    whole, and there is still one file to hand over.

    Raises:
        MissingExtraError: tf2onnx or onnx are not installed.
    """
    keras = require("keras", "ONNX export", "train")
    onnx = require("onnx", "ONNX export", "onnx")
    features, units = model.decoder.state_projection.shape

    class Words(keras.Model):  # type: ignore[name-defined, misc]
        def call(self, image: Tensor) -> dict[str, Tensor]:
            started = model.start_words(image)
            probabilities, attention = model.decoder.decode(started["states"], stop_at_end=True)
            across = keras.ops.sum(attention * started["centres"][:, None], axis=-1)
            return {**started, "probabilities": probabilities, "positions": keras.ops.clip(across, 0.0, 1.0)}

    class Step(keras.Model):  # type: ignore[name-defined, misc]
        def call(
            self, states: Tensor, projected: Tensor, previous: Tensor, last_output: Tensor, last_cell: Tensor
        ) -> dict[str, Tensor]:
            return model.decoder.step(states, projected, previous, last_output, last_cell)

    words = _to_onnx(Words(name="words"), {"image": (*model.image_size, 1)})
    if model.wide_image_size is not None:
        wide = _to_onnx(Words(name="words"), {"image": (*model.wide_image_size, 1)})
        words = either_width(words, wide, model.image_size[1])
    # What goes in must not be called as what comes out: the converter takes them for one.
    rows: dict[str, tuple[int | None, ...]] = {
        "states": (None, features),
        "projected": (None, units),
        "previous": (),
        "last_output": (units,),
        "last_cell": (units,),
    }
    step = _to_onnx(Step(name="step"), rows)
    metadata = json.dumps({**model.metadata, "quantization": "none"}, ensure_ascii=False, sort_keys=True)
    onnx.helper.set_model_props(
        words, {METADATA_FILE: metadata, STEP_KEY: base64.b64encode(step.SerializeToString()).decode()}
    )
    return words.SerializeToString()


def either_width(narrow: Message, wide: Message, width: int) -> Message:
    """One onnx.ModelProto of two that differ in the width of their images only; weights that both have are stored once.

    Args:
        narrow, wide: with an input `image` and the same outputs.
        width: of the narrow one's images.
    """
    onnx = require("onnx", "ONNX export", "onnx")
    helper, types = onnx.helper, onnx.TensorProto
    shared: dict[bytes, Message] = {}
    branches = []
    for name, proto in (("narrow", narrow), ("wide", wide)):
        renamed, kept = {}, []
        for weight in proto.graph.initializer:
            if weight.ByteSize() < _SHARED_BYTES:
                kept.append(weight)
                continue
            old, weight.name = weight.name, ""
            known = shared.setdefault(weight.SerializeToString(), weight)
            known.name = known.name or f"shared_{len(shared)}"
            renamed[old] = known.name
        # A name of the outer graph must not come again within.
        renamed |= {value.name: f"{name}_{value.name}" for value in proto.graph.output}
        outputs = copy.deepcopy(list(proto.graph.output))
        for value in outputs:
            value.name = renamed[value.name]
        _rename(proto.graph, renamed)
        branches.append(helper.make_graph(list(proto.graph.node), name, [], outputs, kept))
    constants = [
        helper.make_tensor("width_axis", types.INT64, [], [2]),
        helper.make_tensor("narrow_width", types.INT64, [], [width]),
    ]
    nodes = [
        helper.make_node("Shape", ["image"], ["image_shape"]),
        helper.make_node("Gather", ["image_shape", "width_axis"], ["image_width"]),
        helper.make_node("Equal", ["image_width", "narrow_width"], ["is_narrow"]),
        helper.make_node(
            "If",
            ["is_narrow"],
            [value.name for value in narrow.graph.output],
            then_branch=branches[0],
            else_branch=branches[1],
        ),
    ]
    [image] = narrow.graph.input
    image.type.tensor_type.shape.dim[2].ClearField("dim_value")
    image.type.tensor_type.shape.dim[2].dim_param = "width"
    whole = []
    for one, other in zip(narrow.graph.output, wide.graph.output, strict=True):
        whole.append(copy.deepcopy(one))
        for ours, theirs in zip(whole[-1].type.tensor_type.shape.dim, other.type.tensor_type.shape.dim, strict=True):
            if ours != theirs:
                ours.Clear()
                ours.dim_param = "time"
    graph = helper.make_graph(nodes, "words", [image], whole, [*constants, *shared.values()])
    joined = helper.make_model(graph, opset_imports=narrow.opset_import)
    joined.ir_version = narrow.ir_version
    return joined


def _rename(graph: Message, names: dict[str, str]) -> None:
    """Renames what the nodes of a graph take and give, those of its loops too."""
    for node in graph.node:
        for values in (node.input, node.output):
            for i, name in enumerate(values):
                values[i] = names.get(name, name)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names)


def _to_onnx(model: Any, inputs: dict[str, tuple[int | None, ...]]) -> Message:
    """The onnx.ModelProto of a Keras model; all inputs are float32 but `previous`."""
    keras = require("keras", "ONNX export", "train")
    onnx = require("onnx", "ONNX export", "onnx")
    require("tf2onnx", "ONNX export", "onnx")
    _teach_erfc()
    # What it reads with is built already; Keras only wants to hear so.
    model.built = True
    signature = [
        keras.InputSpec(shape=(None, *shape), dtype="int32" if name == "previous" else "float32", name=name)
        for name, shape in inputs.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        model.export(path, format="onnx", input_signature=signature, verbose=False)
        proto = onnx.load(path)
    for value in (*proto.graph.input, *proto.graph.output):
        # The converter names every free size anew.
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return proto


@functools.cache
def _teach_erfc() -> None:
    """Tells tf2onnx what TensorFlow's exact GELU is made of: erfc, which ONNX does not know, is 1 - erf."""
    from tf2onnx.handler import tf_op

    @tf_op("Erfc")
    class Erfc:
        @classmethod
        def version_9(cls, graph: Message, node: Message, **kwargs: Any) -> None:
            [output] = node.output
            shapes, types = [graph.get_shape(output)], [graph.get_dtype(output)]
            graph.remove_node(node.name)
            erf = graph.make_node("Erf", node.input, shapes=shapes, dtypes=types)
            one = graph.make_const(f"{node.name}_one", np.ones((), np.float32))
            graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=[output], shapes=shapes, dtypes=types)


def export(model: SPINRecognizer, path: str | os.PathLike[str], images: np.ndarray) -> Parity:
    """Converts, checks against the model on `images`, read at once and step by step, and only then writes the file.

    Args:
        model: float32.
        path: the file to write.
        images: (n, height, width, 1) float32 in [-1, 1] to compare on, n at least 1.

    Returns:
        how the way of reading compares that is farther off.

    Raises:
        ParityError: the file reads otherwise than the model; nothing is left behind.
        MissingExtraError: onnxruntime, tf2onnx or onnx are not installed.
    """
    require("onnxruntime", "ONNX export", "onnx")
    content = convert(model)
    parities: list[Parity] = []

    def write(temporary: str) -> None:
        pathlib.Path(temporary).write_bytes(content)
        exported = ONNXModel(temporary)
        for views in (images, wide_of(images, model)):
            if views is not None:
                expected = model.predict_words(views)[0]
                readings = exported.predict_words(views)[0], read_stepwise(exported, views)[0]
                parities.extend(compare_words(expected, reading, model.charset) for reading in readings)
        for parity in parities:
            require_parity(parity, "none", "ONNX file", path)

    write_atomically(os.fspath(path), write)
    return worst(parities)
