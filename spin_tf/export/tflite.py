"""LiteRT (TFLite) files: builtin operators only, checked against the trained model before they are written."""

from __future__ import annotations

import io
import json
import os
import pathlib
import tempfile
import zipfile
from types import ModuleType

import numpy as np

from spin_tf._extras import require
from spin_tf._files import write_atomically
from spin_tf._types import JsonObject, Tensor
from spin_tf.contract.metadata import checksum_of
from spin_tf.decoding.stepping import read_stepwise
from spin_tf.export.check_inputs import wide_of
from spin_tf.export.flatbuffer import tidy
from spin_tf.export.parity import Parity, compare_words, require_parity, worst
from spin_tf.export.saved_model_folder import Signatures, write_signatures
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import (
    BATCH_SIGNATURE,
    ENCODE_SIGNATURE,
    METADATA_FILE,
    RECTIFY_SIGNATURE,
    SIGNATURE,
    STEP_SIGNATURE,
    WIDE,
    LiteRTInterpreter,
)

QUANTIZATIONS = ("none", "float16", "int8")
# Images of a call of the signature `batch`, and rows of a call of `step`: from 8 on a word costs hardly less.
BATCH_SIZE = 8


def convert(model: SPINRecognizer, quantization: str = "none") -> bytes:
    """Converts a model to a LiteRT flatbuffer with the metadata of the model appended as a zip archive.

    Signatures: `serving_default` reads one image, `batch` eight; `encode` and `step` are the parts of reading, for
    decoding outside of the graph (see `SteppingModel`), for one image and eight rows; `rectify` shows the stages of the
    transformation, where there is one. A model with a wide_image_size has all of them again for it:
    `serving_default_wide` and so on.

    Args:
        model: float32.
        quantization: "none" (float32), "float16" (weights), "int8" (weights; activations are quantised on the fly).

    Returns:
        the file's bytes.

    Raises:
        ValueError: another quantization.
    """
    if quantization not in QUANTIZATIONS:
        raise ValueError(f"quantization is one of {', '.join(QUANTIZATIONS)}. Received: quantization={quantization!r}")
    tf = require("tensorflow", "Export", "train")
    with tempfile.TemporaryDirectory() as folder:
        # The one route that gives builtin operators and right numbers: a SavedModel whose batches are of known size.
        endpoints = _endpoints(model, tf)
        write_signatures(model, endpoints, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(endpoints))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantization != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        flatbuffer = tidy(converter.convert(), list(endpoints))
    return append_metadata(flatbuffer, {**model.metadata, "quantization": quantization})


def _endpoints(model: SPINRecognizer, tf: ModuleType) -> Signatures:
    """The signatures, as functions and what they take; all of them use the same weights, which are stored once."""

    def read(image: Tensor) -> dict[str, Tensor]:
        result = model.read(image, stop_at_end=True)
        return {"probabilities": result["probabilities"], "positions": result["positions"]}

    def encode(image: Tensor) -> dict[str, Tensor]:
        started = model.start_words(image)
        # Without a geometric step the centres are a constant, and an output must not be one.
        return {**started, "centres": started["centres"] + 0.0 * image[:, :1, 0, 0]}

    def float32(name: str, *shape: int) -> Tensor:
        return tf.TensorSpec(shape, tf.float32, name=name)

    features, units = model.decoder.state_projection.shape
    endpoints: Signatures = {}
    for suffix, size in (("", model.image_size), (WIDE, model.wide_image_size)):
        if size is None:
            continue
        time = model.backbone.compute_output_shape((None, *size, 1))[1]
        one = [float32("image", 1, *size, 1)]
        rows = [
            float32("states", BATCH_SIZE, time, features),
            float32("projected", BATCH_SIZE, time, units),
            tf.TensorSpec((BATCH_SIZE,), tf.int32, name="previous"),
            float32("output", BATCH_SIZE, units),
            float32("cell", BATCH_SIZE, units),
        ]
        endpoints |= {
            SIGNATURE + suffix: (read, one),
            BATCH_SIGNATURE + suffix: (read, [float32("image", BATCH_SIZE, *size, 1)]),
            ENCODE_SIGNATURE + suffix: (encode, one),
            STEP_SIGNATURE + suffix: (model.decoder.step, rows),
        }
        if model.transformation is not None:
            endpoints[RECTIFY_SIGNATURE + suffix] = (model.rectify, one)
    return endpoints


def append_metadata(flatbuffer: bytes, metadata: JsonObject) -> bytes:
    """Appends `spin_tf.json` and a checksum as a zip archive, the way TFLite metadata carries associated files."""
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same model gives the same bytes.
        info = zipfile.ZipInfo(METADATA_FILE, date_time=(1980, 1, 1, 0, 0, 0))
        info.comment = checksum_of(flatbuffer)
        archive.writestr(info, json.dumps(metadata, ensure_ascii=False, sort_keys=True))
    return stream.getvalue()


def oldest_runtime(content: bytes) -> str:
    """The oldest TensorFlow Lite that has all operators of a file in their versions, such as "2.17.0"; "" if unknown.

    The converter says it in the file; programs on phones and small computers pin their runtime.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for entry in model.metadata or []:
        if entry.name == b"min_runtime_version":
            return bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode("ascii", "replace")
    return ""


def compare(
    model: SPINRecognizer, content: bytes, images: np.ndarray, wide: np.ndarray | None = None
) -> dict[str, Parity]:
    """Runs every signature on (n, height, width, 1) images, n at least 1, and compares with the model.

    Args:
        model: the trained one.
        content: of the file.
        images: of its image_size.
        wide: of its wide_image_size; by default joined of `images`, which are words that no model has seen.

    Returns:
        how each way of reading compares: `serving_default`, `batch`, and greedy decoding by `encode` and `step`; the
        same for wide images, where the model reads them.
    """
    interpreter = LiteRTInterpreter(content=content)
    parities = {}
    for suffix, views in (("", images), (WIDE, wide_of(images, model) if wide is None else wide)):
        if views is None:
            continue
        expected = model.predict_words(views)[0]
        stepwise = read_stepwise(interpreter, views, model.num_steps - 1)  # type: ignore[arg-type]
        readings = {
            SIGNATURE: interpreter.predict_words(views, batch=False),
            BATCH_SIGNATURE: interpreter.predict_words(views, batch=True),
            f"{ENCODE_SIGNATURE} and {STEP_SIGNATURE}": stepwise,
        }
        for name, (probabilities, _) in readings.items():
            parities[name + suffix] = compare_words(expected, probabilities, model.charset)
    return parities


def export(
    model: SPINRecognizer,
    path: str | os.PathLike[str],
    quantization: str,
    images: np.ndarray,
    wide: np.ndarray | None = None,
) -> Parity:
    """Converts, checks every signature against the model on `images`, and only then writes the file, in one step.

    Wide words are those of `compare`.

    Returns:
        how the signature compares that is farthest off.

    Raises:
        ParityError: the converted model reads otherwise than the trained one; says how far.
    """
    content = convert(model, quantization)
    parities = compare(model, content, images, wide)
    for name, parity in parities.items():
        kind = "int8, wide" if quantization == "int8" and name.endswith(WIDE) else quantization
        require_parity(parity, kind, f"{quantization} (signature {name}) file", path)
    write_atomically(os.fspath(path), lambda temporary: pathlib.Path(temporary).write_bytes(content))
    return worst(parities.values())
