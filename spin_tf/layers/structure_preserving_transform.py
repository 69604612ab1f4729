from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers.base import ConfiguredLayer

EPSILON = 1e-6


def exponents(num_power_pairs: int) -> list[float]:
    """The 2K + 1 exponents of SPN: lower_1, upper_1, lower_2, upper_2, ..., then 1 (paper, equation 4)."""
    values = []
    for i in range(1, num_power_pairs + 1):
        t = 0.5 * i / (num_power_pairs + 1)
        lower = round(math.log(1 - t) / math.log(t), 2)
        values += [lower, round(1 / lower, 2)]
    return [*values, 1.0]


@keras.saving.register_keras_serializable("spin_tf")
class StructurePreservingTransform(ConfiguredLayer):
    """SPN: maps every intensity of an image by a learned sum of powers, the same map for all pixels.

    With x = (image + 1) / 2, and x' = (1 - a) x + a * offset where an offset image and its gate a are given:
    `y = sum_i w_i * x' ** b_i`, then instance norm and `2 * sigmoid(.) - 1`. Everything is computed in float32
    whatever the policy: the map is steep, and powers below 1 have an infinite slope at 0, so the power's argument is
    bounded from below; a pixel of exactly 0 stays exactly 0, as 0 ** b is.

    Args:
        num_power_pairs: K; the transformation has 2K + 1 exponents.
        affine: learn a scale and a bias after the instance norm.
        epsilon: added to the variance in the instance norm.

    Call arguments:
        image: (batch, height, width, 1) in [-1, 1].
        weights: (batch, 2K + 1).
        gate: optional, (batch, 1): logit of a.
        offset: optional, (batch, height, width, 1) in [0, 1]; goes with gate.

    Returns:
        (batch, height, width, 1) in (-1, 1), in the compute dtype.

    Reference: Zhang et al., AAAI 2021, arXiv 2005.13117, section 3.2.
    """

    def __init__(self, num_power_pairs: int = 6, affine: bool = True, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_power_pairs < 1:
            raise ValueError(f"num_power_pairs must be at least 1. Received: num_power_pairs={num_power_pairs}")
        self.num_power_pairs = num_power_pairs
        self.affine = affine
        self.epsilon = epsilon

    def build(self, image_shape: Shape, *_: object, **__: object) -> None:
        if self.affine:
            self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")
            self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")
        self.built = True

    def call(self, image: Tensor, weights: Tensor, gate: Tensor = None, offset: Tensor = None) -> Tensor:
        x = (ops.cast(image, "float32") + 1.0) * 0.5
        if gate is not None:
            a = ops.sigmoid(ops.cast(gate, "float32"))[:, :, None, None]
            x = (1.0 - a) * x + a * ops.cast(offset, "float32")
        weights = ops.cast(weights, "float32")
        log_x = ops.log(ops.maximum(x, EPSILON))
        y = weights[:, -1, None, None, None] * x
        for i, exponent in enumerate(exponents(self.num_power_pairs)[:-1]):
            y = y + weights[:, i, None, None, None] * ops.exp(exponent * log_x)
        y = ops.where(x > 0.0, y, ops.zeros_like(y))
        y = y - ops.mean(y, axis=(1, 2), keepdims=True)
        y = y * ops.rsqrt(ops.mean(ops.square(y), axis=(1, 2), keepdims=True) + self.epsilon)
        if self.affine:
            y = y * ops.cast(self.scale, "float32") + ops.cast(self.bias, "float32")
        return ops.cast(2.0 * ops.sigmoid(y) - 1.0, self.compute_dtype)

    def compute_output_shape(self, image_shape: Shape, *_: object, **__: object) -> Shape:
        return image_shape
