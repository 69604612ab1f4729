from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers.base import ConfiguredLayer
from spin_tf.layers.batch_norm import BatchNorm


@keras.saving.register_keras_serializable("spin_tf")
class ConvNorm(ConfiguredLayer):
    """Convolution without bias, batch norm, and ReLU: the brick of every stage.

    Args:
        filters: output channels.
        kernel_size: one number or (height, width).
        strides: one number or (height, width).
        padding: "same", "valid", or ((top, bottom), (left, right)) zeros.
        activation: apply ReLU.
        frozen_statistics: normalise by the stored statistics in training too (PaddleOCR's localisation network).
        synchronized: compute the batch statistics over all replicas.

    Call arguments:
        inputs: (batch, height, width, channels).

    Returns:
        (batch, height', width', filters) in the compute dtype.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        strides: int | tuple[int, int] = 1,
        padding: Any = "same",
        activation: bool = True,
        frozen_statistics: bool = False,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.activation = activation
        self.frozen_statistics = frozen_statistics
        self.synchronized = synchronized
        self.conv = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding=padding if isinstance(padding, str) else "valid",
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=self.dtype_policy,
            name="conv",
        )
        self.norm = BatchNorm(synchronized=synchronized, dtype=self.dtype_policy, name="norm")

    def build(self, input_shape: Shape) -> None:
        self.conv.build(input_shape)
        self.norm.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        x = inputs
        if not isinstance(self.padding, str):
            x = ops.pad(x, ((0, 0), *self.padding, (0, 0)))
        x = self.norm(self.conv(x), training=training and not self.frozen_statistics)
        return ops.relu(x) if self.activation else x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if not isinstance(self.padding, str):
            (top, bottom), (left, right) = self.padding
            batch, height, width, channels = input_shape
            input_shape = (batch, height + top + bottom, width + left + right, channels)
        return self.conv.compute_output_shape(input_shape)
