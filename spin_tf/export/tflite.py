"""LiteRT (TFLite) files: builtin operators only, checked against the trained model before they are written."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from typing import Any

import numpy as np

from spin_tf._extras import require
from spin_tf.export.parity import Parity, compare_words, require_parity
from spin_tf.models import SPINRecognizer
from spin_tf.reading.litert import METADATA_FILE, SIGNATURE, run_flatbuffer

QUANTIZATIONS = ("none", "float16", "int8")


def convert(model: SPINRecognizer, quantization: str = "none") -> bytes:
    """Converts a model to a LiteRT flatbuffer with the metadata of the model appended as a zip archive.

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
    keras = require("keras", "Export", "train")

    def read(image: Any) -> dict[str, Any]:
        result = model.read(image, stop_at_end=True)
        return {"probabilities": result["probabilities"], "positions": result["positions"]}

    height, width = model.image_size
    with tempfile.TemporaryDirectory() as folder:
        # The one route that gives builtin operators and right numbers: a SavedModel with a batch of 1.
        archive = keras.export.ExportArchive()
        archive.track(model)
        signature = [tf.TensorSpec((1, height, width, 1), tf.float32, name="image")]
        archive.add_endpoint(SIGNATURE, read, input_signature=signature)
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantization != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        flatbuffer = converter.convert()
    return append_metadata(flatbuffer, {**model.metadata, "quantization": quantization})


def append_metadata(flatbuffer: bytes, metadata: dict[str, Any]) -> bytes:
    """Appends `spin_tf.json` as a zip archive, the way TFLite metadata carries associated files."""
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date: the same model gives the same bytes.
        info = zipfile.ZipInfo(METADATA_FILE, date_time=(1980, 1, 1, 0, 0, 0))
        archive.writestr(info, json.dumps(metadata, ensure_ascii=False, sort_keys=True))
    return stream.getvalue()


def compare(model: SPINRecognizer, content: bytes, images: np.ndarray) -> Parity:
    """Runs the interpreter on (n, height, width, 1) images, n at least 1, and compares with the model."""
    return compare_words(model.predict_words(images)[0], run_flatbuffer(content, images)[0])


def export(model: SPINRecognizer, path: str | os.PathLike[str], quantization: str, images: np.ndarray) -> Parity:
    """Converts, checks against the model on `images`, and only then writes the file, in one step.

    Raises:
        ParityError: the converted model reads otherwise than the trained one; says how far.
    """
    content = convert(model, quantization)
    parity = compare(model, content, images)
    require_parity(parity, quantization, quantization, path)
    temporary = f"{os.fspath(path)}.partial"
    with open(temporary, "wb") as stream:
        stream.write(content)
    os.replace(temporary, path)
    return parity
