"""Averages of weights, those that a run keeps and those of several models, with the batch statistics that fit them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from spin_tf._types import JsonObject, Tensor, Variable
from spin_tf.config import STAGES
from spin_tf.layers.batch_norm import BatchNorm
from spin_tf.models import SPINRecognizer


def make_averages(variables: list[Variable]) -> list[Variable]:
    """Float32 variables for the moving averages of weights, which start from the present values; one each, in order."""
    return [
        keras.Variable(
            np.asarray(variable),
            trainable=False,
            dtype="float32",
            name=f"average_{i}",
            # Every replica computes the same.
            aggregation="only_first_replica",
        )
        for i, variable in enumerate(variables)
    ]


# Of 96 words each: the mean of that many batches differs from that of all words by a hundredth of a deviation.
NUM_BATCHES = 16


def recalibrate(model: Any, batches: Iterable[Any]) -> None:
    """Takes the running statistics of every batch norm anew, as the mean over some batches.

    Averaged weights have never seen a batch: the statistics that training left belong to other weights, the latest.
    Frozen stages, and norms that keep their statistics in training, keep them here.

    Args:
        model: a `SPINRecognizer`.
        batches: images (batch, 32, W, 1), as in training.

    Reference: Izmailov et al., "Averaging Weights", UAI 2018, section 3.3.
    """
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    try:
        for number, images in enumerate(batches):
            for norm in norms:
                # The mean so far, and the new one with its share.
                norm.momentum = number / (number + 1)
            model.encode(model.rectify(images, training=True)["image"], training=True)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def average_models(models: Sequence[SPINRecognizer], shares: Sequence[float] | None = None) -> SPINRecognizer:
    """Averages the weights of models, and their batch statistics, which `recalibrate` then takes anew.

    Models that were trained on from the same weights mostly lie in one valley of the loss, the middle of which is
    lower than where each has ended; those of different starts do not, and read nothing when they are averaged.

    Args:
        models: of the same architecture, charset and image size.
        shares: of each model, at least 0, in any unit; equal ones by default.

    Returns:
        a new model, of temperature 1: it has to be calibrated anew.

    Raises:
        ValueError: no model, models that differ in more than their weights, or shares that do not fit.

    Reference: Wortsman et al., "Model soups", ICML 2022.
    """
    if not models:
        raise ValueError("there is no model to average. Received: models=[]")
    shares = [1.0] * len(models) if shares is None else list(shares)
    if len(shares) != len(models) or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise ValueError(f"shares are numbers of at least 0, one for each of {len(models)}. Received: shares={shares}")
    first = models[0]
    for number, model in enumerate(models[1:], 2):
        for what, mine, other in (
            ("architecture", architecture(first), architecture(model)),
            ("charset", first.charset.to_dict(), model.charset.to_dict()),
        ):
            if mine != other:
                raise ValueError(f"model {number} has another {what} than the first. Received: {other} and {mine}")
    result = SPINRecognizer(first.config, charset=first.charset.to_dict(), name=first.name)
    weights = np.asarray(shares, "float64") / sum(shares)
    for target, *sources in zip(result.variables, *(model.variables for model in models), strict=True):
        values = (weight * np.asarray(source, "float64") for weight, source in zip(weights, sources, strict=True))
        target.assign(sum(values).astype(np.asarray(target).dtype))  # type: ignore[union-attr]
    return result


def architecture(model: SPINRecognizer) -> JsonObject:
    """What models must have in common whose weights belong to each other, beside the charset."""
    return {key: value for key, value in model.config.items() if key not in ("name", "charset")}


class ShippedModel:
    """What would be shipped now: a float32 copy of a model in training, with its averaged weights where it has them.

    Validation reads with it, so that the accuracy told is that of the file, and the model in training is left alone.

    Args:
        model: the model in training; may be mixed precision, mirrored and synchronised.
        averages: of its trainable weights, or none.
    """

    def __init__(self, model: SPINRecognizer, averages: list[Variable]) -> None:
        self._source = model
        self._averages = averages
        policy = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy("float32")
        self.model = SPINRecognizer(model.config, charset=model.charset.to_dict(), name="spin_recognizer")
        keras.mixed_precision.set_dtype_policy(policy)
        # Not above: JAX averages without it.
        import tensorflow as tf

        def read(images: Tensor) -> Tensor:
            probabilities = self.model.read(images, stop_at_end=True)["probabilities"]
            return tf.argmax(probabilities, axis=-1, output_type=tf.int32)

        self._read = tf.function(read, autograph=False)

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

    def read(self, images: np.ndarray) -> np.ndarray:
        """Token ids int32 (batch, steps) of images (batch, height, width, 1)."""
        return self._read(keras.ops.convert_to_tensor(images)).numpy()
