from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers.base import ConfiguredLayer
from spin_tf.layers.conv_norm import ConvNorm


@keras.saving.register_keras_serializable("spin_tf")
class ResidualBlock(ConfiguredLayer):
    """conv-bn-relu-conv-bn, plus the input (through a 1 x 1 conv-bn where the channels change), then ReLU.

    Args:
        filters: output channels.
        synchronized: batch statistics over all replicas.

    Call arguments:
        inputs: (batch, height, width, channels).

    Returns:
        (batch, height, width, filters) in the compute dtype.

    Reference: He et al., CVPR 2016; arranged as in FAN (Cheng et al., ICCV 2017).
    """

    def __init__(self, filters: int, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.synchronized = synchronized
        common = {"synchronized": synchronized, "dtype": self.dtype_policy}
        self.conv1 = ConvNorm(filters, name="conv1", **common)
        self.conv2 = ConvNorm(filters, activation=False, name="conv2", **common)
        self.projection: ConvNorm | None = None

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] != self.filters:
            self.projection = ConvNorm(
                self.filters,
                kernel_size=1,
                activation=False,
                synchronized=self.synchronized,
                dtype=self.dtype_policy,
                name="projection",
            )
            self.projection.build(input_shape)
        self.conv1.build(input_shape)
        self.conv2.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        shortcut = inputs if self.projection is None else self.projection(inputs, training=training)
        x = self.conv2(self.conv1(inputs, training=training), training=training)
        return ops.relu(x + ops.cast(shortcut, x.dtype))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)
