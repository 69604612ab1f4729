"""A LiteRT model that reads something known without weights, so that tests of reading need no trained model.

It cuts the image into four strips and turns the mean grey of each into a token: black is the end token, then come the
characters of charset 36 in order up to white. The step after the strips is always the end.
"""

from __future__ import annotations

import json
import pathlib
import zipfile

import numpy as np

from spin_tf.charset import Charset

CHARSET = Charset.from_spec("36")
NUM_STRIPS = 4
METADATA = {
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
            tokens = tf.concat([[-100.0], tf.range(_NUM_LEVELS, dtype=tf.float32)], axis=0)
            return {
                "probabilities": tf.nn.softmax(-4 * tf.square(level[..., None] - tokens)),
                # A sum with the image: the converter must not turn the output into a constant.
                "positions": tf.constant([[0.125, 0.375, 0.625, 0.875, 0.5]]) + 0.0 * image[:, 0, :5, 0],
            }

    module = StripModel()
    folder = path.parent / f"{path.stem}_saved_model"
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("spin_tf.json", json.dumps(METADATA))
