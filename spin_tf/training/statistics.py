"""Batch statistics that belong to a model's weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spin_tf.layers.batch_norm import BatchNorm

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
