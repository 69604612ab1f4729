from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from spin_tf.config import STAGES
from spin_tf.models import SPINRecognizer
from spin_tf.training.statistics import recalibrate


class ShippedModel:
    """What would be shipped now: a float32 copy of a model in training, with its averaged weights where it has them.

    Validation reads with it, so that the accuracy told is that of the file, and the model in training is left alone.

    Args:
        model: the model in training; may be mixed precision, mirrored and synchronised.
        averages: of its trainable weights, or none.
    """

    def __init__(self, model: SPINRecognizer, averages: list[Any]) -> None:
        self._source = model
        self._averages = averages
        policy = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy("float32")
        self.model = SPINRecognizer(model.config, charset=model.charset.to_dict(), name="spin_recognizer")
        keras.mixed_precision.set_dtype_policy(policy)
        self._read = tf.function(self._read_tokens, autograph=False)

    def update(self, batches: Iterable[Any] = (), averaged: bool = True) -> None:
        """Takes over the present weights.

        Args:
            batches: images of training words, from which averaged weights get batch statistics of their own; those
                of the model in training where there are none.
            averaged: take the averages, where there are any; else the weights as they are, with the batch statistics
                of the model in training.
        """
        averages = {
            variable.path: average
            for variable, average in zip(self._source.trainable_variables, self._averages, strict=False)
            if averaged
        }
        for target, source in zip(self.model.variables, self._source.variables, strict=True):
            target.assign(np.asarray(averages.get(source.path, source)))
        if averages:
            for name in STAGES:
                if getattr(self.model, name) is not None:
                    getattr(self.model, name).trainable = getattr(self._source, name).trainable
            recalibrate(self.model, batches)

    def _read_tokens(self, images: Any) -> Any:
        probabilities = self.model.read(images, stop_at_end=True)["probabilities"]
        return tf.argmax(probabilities, axis=-1, output_type=tf.int32)

    def read(self, images: np.ndarray) -> np.ndarray:
        """Token ids int32 (batch, steps) of images (batch, height, width, 1)."""
        return self._read(tf.constant(images)).numpy()

    def save(self, path: str) -> None:
        """Writes a .keras file."""
        self.model.save(path)
