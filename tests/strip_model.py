"""A LiteRT model that reads something known without weights, so that tests of reading need no trained model.

It cuts the image into four strips and turns the mean grey of each into a token: black is the end token, then come the
characters of charset 36 in order up to white. The step after the strips is always the end.
"""

from __future__ import annotations

import json
import pathlib
import tempfile
import zipfile
from typing import Any

import numpy as np

from spin_tf.charset import Charset

CHARSET = Charset.from_spec("36")
NUM_STRIPS = 4
METADATA: dict[str, Any] = {
    "format": 1,
    "spin_tf_version": "0.1.0",
    "name": "strips",
    "charset": CHARSET.to_dict(),
    "image_size": [32, 100],
    "max_length": NUM_STRIPS,
}
_NUM_LEVELS = len(CHARSET.characters) + 1


def draw(word: str, height: int = 32, width: int = 100) -> np.ndarray:
    """Returns the uint8 image (height, width) that the model reads as `word` (at most `NUM_STRIPS` characters)."""
    levels = np.zeros(NUM_STRIPS)
    levels[: len(word)] = [CHARSET.characters.index(c) + 1 for c in word]
    grey = np.rint(levels * 255 / (_NUM_LEVELS - 1)).astype(np.uint8)
    return np.broadcast_to(np.repeat(grey, width // NUM_STRIPS), (height, width)).copy()


def read(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the model computes, in numpy: probabilities (n, 5, 38) and positions (n, 5)."""
    level = images.reshape(len(images), 32, NUM_STRIPS, 25).mean(axis=(1, 3))
    level = np.concatenate([(level + 1) * (_NUM_LEVELS - 1) / 2, np.zeros((len(images), 1))], axis=1)
    tokens = np.concatenate([[-100.0], np.arange(_NUM_LEVELS)])
    scores = np.exp(-4 * (level[..., None] - tokens) ** 2)
    positions = np.tile([0.125, 0.375, 0.625, 0.875, 0.5], (len(images), 1))
    return scores / scores.sum(axis=-1, keepdims=True), positions


def write(path: pathlib.Path) -> None:
    """Converts the model to LiteRT and writes it with its metadata, as an export does."""
    import tensorflow as tf

    class StripModel(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, 32, 100, 1), tf.float32, name="image")])
        def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
            level = tf.reduce_mean(tf.reshape(image, (1, 32, NUM_STRIPS, 25)), axis=(1, 3))
            level = tf.concat([(level + 1) * (_NUM_LEVELS - 1) / 2, tf.zeros((1, 1))], axis=1)
            return {
                "probabilities": _probabilities(level),
                # A sum with the image: the converter must not turn the output into a constant.
                "positions": tf.constant([[0.125, 0.375, 0.625, 0.875, 0.5]]) + 0.0 * image[:, 0, :5, 0],
            }

    module = StripModel()
    convert(module, {"serving_default": module.serve}, path, METADATA)


# A model of two sizes: strips are 16 columns wide.
WIDE_METADATA = {
    **METADATA,
    "name": "strips of two widths",
    "preprocessing": 2,
    "image_size": [32, 128],
    "wide_image_size": [32, 256],
    "max_length": 16,
}


def read_strips(images: Any) -> tuple[Any, Any]:
    """What the model of two sizes computes: tensors (n, 17, 38) and (n, 17) of images (n, 32, 128 or 256, 1)."""
    import tensorflow as tf

    strips = images.shape[2] // 16
    rest = 17 - strips
    # More of what is above, and surer from strip to strip: turned by 180 degrees, it reads otherwise.
    rows = np.linspace(1.15, 0.85, 32, dtype=np.float32)[:, None, None]
    level = tf.reduce_mean(tf.reshape(images, (-1, 32, strips, 16)) * rows, axis=(1, 3))
    # What is behind the strips is black, and the end.
    level = tf.pad((tf.clip_by_value(level, -1.0, 1.0) + 1) * (_NUM_LEVELS - 1) / 2, ((0, 0), (0, rest)))
    places = np.concatenate([(np.arange(strips) + 0.5) / strips, np.full(rest, 0.5)]).astype(np.float32)
    return _probabilities(level, np.linspace(4.0, 12.0, 17, dtype=np.float32)[:, None]), places + 0.0 * level


def write_two_sizes(path: pathlib.Path) -> None:
    """Converts the model of two sizes to LiteRT, with the signatures that an export has for reading."""
    import tensorflow as tf

    def serve(size: list[int]) -> Any:
        def read(image: tf.Tensor) -> dict[str, tf.Tensor]:
            return dict(zip(("probabilities", "positions"), read_strips(image), strict=True))

        return tf.function(read, input_signature=[tf.TensorSpec((1, *size, 1), tf.float32, name="image")])

    signatures = {
        "serving_default": serve(WIDE_METADATA["image_size"]),
        "serving_default_wide": serve(WIDE_METADATA["wide_image_size"]),
    }
    module = tf.Module()
    module.functions = signatures
    convert(module, signatures, path, WIDE_METADATA)


def _probabilities(level: Any, sharpness: Any = 4.0) -> Any:
    import tensorflow as tf

    tokens = tf.concat([[-100.0], tf.range(_NUM_LEVELS, dtype=tf.float32)], axis=0)
    return tf.nn.softmax(-sharpness * tf.square(level[..., None] - tokens))


def convert(module: Any, signatures: dict[str, Any], path: pathlib.Path, metadata: dict[str, Any]) -> None:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        # A fixed date: the same model gives the same bytes.
        info = zipfile.ZipInfo("spin_tf.json", date_time=(1980, 1, 1, 0, 0, 0))
        archive.writestr(info, json.dumps(metadata))
