from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers import ConvNorm, ResidualBlock
from spin_tf.layers.base import ConfiguredLayer


@keras.saving.register_keras_serializable("spin_tf")
class ResNet32(ConfiguredLayer):
    """The backbone of FAN: 32 x W pixels to W / 4 + 1 time steps (26 for 100).

    Args:
        width: c, the channels of the last stages (512 in the paper); multiple of 16.
        num_blocks: residual blocks of the four stages ((1, 2, 5, 3) in the paper).
        synchronized: batch statistics over all replicas.

    Call arguments:
        image: (batch, 32, W, 1).

    Returns:
        (batch, W / 4 + 1, width) in the compute dtype.

    Reference: Cheng et al., "Focusing Attention", ICCV 2017, table 1.
    """

    def __init__(
        self,
        width: int = 512,
        num_blocks: tuple[int, ...] | list[int] = (1, 2, 5, 3),
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if width % 16 or width < 16:
            raise ValueError(f"width must be a multiple of 16. Received: width={width}")
        if len(num_blocks) != 4:
            raise ValueError(f"num_blocks must be four numbers. Received: num_blocks={num_blocks}")
        self.width = width
        self.num_blocks = list(num_blocks)
        self.synchronized = synchronized
        common = {"synchronized": synchronized, "dtype": self.dtype_policy}

        def conv(name: str, filters: int, **options: Any) -> ConvNorm:
            return ConvNorm(filters, name=name, **options, **common)

        def blocks(stage: int, filters: int) -> list[ResidualBlock]:
            return [ResidualBlock(filters, name=f"block{stage}_{i}", **common) for i in range(num_blocks[stage - 1])]

        halve = {"pool_size": 2, "dtype": self.dtype_policy}
        one_each_side = ((0, 0), (1, 1))
        self.stages: list[keras.layers.Layer] = [
            conv("conv0_1", width // 16),
            conv("conv0_2", width // 8),
            keras.layers.MaxPooling2D(**halve),
            *blocks(1, width // 4),
            conv("conv1", width // 4),
            keras.layers.MaxPooling2D(**halve),
            *blocks(2, width // 2),
            conv("conv2", width // 2),
            # Padding with zeros is padding with the least value here: what comes in is behind a ReLU.
            keras.layers.ZeroPadding2D(one_each_side, dtype=self.dtype_policy),
            keras.layers.MaxPooling2D(strides=(2, 1), **halve),
            *blocks(3, width),
            conv("conv3", width),
            *blocks(4, width),
            conv("conv4_1", width, kernel_size=2, strides=(2, 1), padding=one_each_side),
            conv("conv4_2", width, kernel_size=2, padding="valid"),
        ]

    def build(self, image_shape: Shape) -> None:
        shape = tuple(image_shape)
        if shape[1] != 32:
            raise ValueError(f"ResNet32 reads images of 32 rows. Received: image_shape={image_shape}")
        for layer in self.stages:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, image: Tensor, training: bool = False) -> Tensor:
        x = ops.cast(image, self.compute_dtype)
        for layer in self.stages:
            x = layer(x, training=training) if isinstance(layer, ConvNorm | ResidualBlock) else layer(x)
        return ops.squeeze(x, axis=1)

    def step_centres(self, width: int) -> np.ndarray:
        """(W / 4 + 1,): where in pixels from the left edge the centre of each time step's receptive field lies.

        Poolings and paddings put the centre of step t on the left edge of pixel 4 t.
        """
        return np.arange(width // 4 + 1) * 4.0

    def compute_output_shape(self, image_shape: Shape) -> Shape:
        return (image_shape[0], image_shape[2] // 4 + 1, self.width)
