"""Warm-up records of TensorFlow Serving: requests that it runs before a version answers its first one.

A TFRecord file `assets.extra/tf_serving_warmup_requests` of PredictionLog messages
(tensorflow_serving/apis/prediction_log.proto), at most 1000. Their few fields are defined here, so that an export needs
no package of TensorFlow Serving; tests/serving reads them back with the official ones.
"""

from __future__ import annotations

import io
import pathlib

import numpy as np
import tensorflow as tf
from PIL import Image

from spin_tf._protobuf import messages
from spin_tf.synthesis import WordSynthesizer

WARMUP_FILE = "tf_serving_warmup_requests"
# One word, the batches that deploy/tf_serving/batching.config makes, and sizes between them.
BATCH_SIZES = (1, 2, 4, 8, 16, 32)


_PredictionLog = messages("""
    ModelSpec { string name = 1; string signature_name = 3 }
    PredictRequest { ModelSpec model_spec = 1; map<string, bytes> inputs = 2 }
    PredictLog { PredictRequest request = 1 }
    PredictionLog { PredictLog predict_log = 6 }
""")["PredictionLog"]


def prediction_log(model_name: str, signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    """A serialised PredictionLog with the arrays as TensorProtos."""
    log = _PredictionLog()
    request = log.predict_log.request
    request.model_spec.name, request.model_spec.signature_name = model_name, signature
    for name, array in inputs.items():
        request.inputs[name] = tf.make_tensor_proto(array).SerializeToString()
    return log.SerializeToString(deterministic=True)


def warmup_images() -> list[bytes]:
    """One file for each way through the graph: every kind that is decoded, a tall one, and one that is broken."""

    def file(seed: int, file_format: str, quarters: int = 0, alpha: bool = False) -> bytes:
        pixels = np.ascontiguousarray(np.rot90(WordSynthesizer().word(seed)[0], quarters))
        # In colours: a grey BMP would need a palette.
        image = Image.fromarray(pixels).convert("RGB")
        if alpha:
            image.putalpha(Image.linear_gradient("L").resize(image.size))
        stream = io.BytesIO()
        image.save(stream, file_format)
        return stream.getvalue()

    return [
        file(0, "JPEG"),
        file(1, "PNG"),
        file(2, "PNG", alpha=True),
        file(3, "BMP"),
        file(4, "JPEG", quarters=1),
        b"\xff\xd8\xff no image",
    ]


def write_warmup(folder: pathlib.Path, model_name: str, signature: str, argument: str) -> None:
    """Writes the records for a signature of one string argument into `folder` (a version's assets.extra)."""
    images = warmup_images()
    with tf.io.TFRecordWriter(str(folder / WARMUP_FILE)) as writer:
        for size in BATCH_SIZES:
            batch = np.array([images[i % len(images)] for i in range(size)], dtype=object)
            writer.write(prediction_log(model_name, signature, {argument: batch}))
