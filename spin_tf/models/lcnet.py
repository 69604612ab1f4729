from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.contract.preprocessing import axis_weights
from spin_tf.layers import SeparableBlock
from spin_tf.layers.base import ConfiguredLayer

# The rows that the published weights were trained on.
ROWS = 48


@keras.saving.register_keras_serializable("spin_tf")
class LCNet(ConfiguredLayer):
    """The light backbone of PP-OCRv6's small recogniser: 32 x W pixels to W / 4 time steps.

    The 32 rows are enlarged to 48; a stem brings them to 12 rows of W / 4, and three stages of separable blocks to 3,
    which are averaged. Every second residual block of a stage squeezes and excites, but never its last.

    Args:
        width: channels of the last stage (384 in PP-OCRv6); multiple of 16.
        num_blocks: residual blocks of the three stages (3, 6, 2 in PP-OCRv6).

    Call arguments:
        image: (batch, 32, W, 1).

    Returns:
        (batch, W / 4, width) in the compute dtype.

    Reference: PaddleOCR, PP-OCRv6_rec_small; Cui et al., "PP-LCNet", arXiv 2109.15099.
    """

    def __init__(self, width: int = 384, num_blocks: tuple[int, ...] | list[int] = (3, 6, 2), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if width % 16 or width < 16:
            raise ValueError(f"width must be a multiple of 16. Received: width={width}")
        if len(num_blocks) != 3:
            raise ValueError(f"num_blocks must be three numbers. Received: num_blocks={num_blocks}")
        self.width = width
        self.num_blocks = list(num_blocks)
        policy = self.dtype_policy

        def conv(name: str, filters: int, kernel_size: int, **options: Any) -> keras.layers.Conv2D:
            return keras.layers.Conv2D(filters, kernel_size, activation="relu", dtype=policy, name=name, **options)

        self.stem1 = conv("stem1", width // 8, 3, strides=2, padding="valid")
        self.stem2a = conv("stem2a", width // 16, 2, padding="same")
        self.stem2b = conv("stem2b", width // 8, 2, padding="same")
        self.pool = keras.layers.MaxPooling2D(2, strides=1, padding="same", dtype=policy)
        self.stem3 = conv("stem3", width // 8, 3, strides=2, padding="valid")
        self.stem4 = conv("stem4", width // 4, 1)
        self.blocks: list[SeparableBlock] = []
        for stage, count in enumerate(num_blocks):
            filters = width // 4 * 2**stage
            kinds = [(True, False)] * (stage > 0) + [(False, i % 2 == 0 and i < count - 1) for i in range(count)]
            for halves_rows, squeezes in kinds:
                name = f"block{len(self.blocks)}"
                self.blocks.append(SeparableBlock(filters, halves_rows, squeezes, dtype=policy, name=name))

    def build(self, image_shape: Shape) -> None:
        if image_shape[1] != 32:
            raise ValueError(f"LCNet reads images of 32 rows. Received: image_shape={image_shape}")
        self.enlarge = axis_weights(32, ROWS)
        columns = image_shape[2]
        halved = (None, ROWS // 2, columns // 2)
        self.stem1.build((None, ROWS, columns, 1))
        self.stem2a.build((*halved, self.width // 8))
        self.stem2b.build((*halved, self.width // 16))
        self.stem3.build((*halved, self.width // 4))
        shape: Shape = (None, ROWS // 4, columns // 4, self.width // 8)
        self.stem4.build(shape)
        shape = (*shape[:3], self.width // 4)
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.built = True

    def call(self, image: Tensor, training: bool = False) -> Tensor:
        x = ops.cast(image, self.compute_dtype)
        x = ops.einsum("hr,brwc->bhwc", ops.cast(self.enlarge, self.compute_dtype), x)
        # One pixel on both sides, where "same" of TensorFlow would pad at the end alone.
        both_sides = ((0, 0), (1, 1), (1, 1), (0, 0))
        x = self.stem1(ops.pad(x, both_sides))
        x = ops.concatenate([self.pool(x), self.stem2b(self.stem2a(x))], axis=-1)
        x = self.stem4(self.stem3(ops.pad(x, both_sides)))
        for block in self.blocks:
            x = block(x, training=training)
        return ops.mean(x, axis=1)

    def step_centres(self, width: int) -> np.ndarray:
        """(W / 4,): where in pixels from the left edge the centre of each time step's receptive field lies."""
        return np.arange(width // 4) * 4.0 + 2.0

    def compute_output_shape(self, image_shape: Shape) -> Shape:
        return (image_shape[0], image_shape[2] // 4, self.width)
