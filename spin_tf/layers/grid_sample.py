from __future__ import annotations

from typing import Any

import keras
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers.base import ConfiguredLayer


@keras.saving.register_keras_serializable("spin_tf")
class GridSample(ConfiguredLayer):
    """Bilinear sampling of an image at a grid of points, border pixels repeated beyond the edges.

    Args:
        align_corners: where -1 and 1 lie: at the centres of the corner pixels (True, PaddleOCR: pixel =
            (x + 1) / 2 * (width - 1)) or at the outer edges (False, the paper's meaning: ((x + 1) * width - 1) / 2).

    Call arguments:
        image: (batch, height, width, 1).
        grid: (batch, height', width', 2): (x, y), where [-1, 1] spans the image.

    Returns:
        (batch, height', width', 1) in the compute dtype; interpolated in float32.
    """

    def __init__(self, align_corners: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.align_corners = align_corners

    def build(self, image_shape: Shape, *_: object, **__: object) -> None:
        if image_shape[-1] != 1:
            raise ValueError(f"GridSample reads grey images of one channel. Received: image_shape={image_shape}")
        self.built = True

    def _pixel(self, coordinate: Tensor, size: int) -> Tensor:
        if self.align_corners:
            pixel = (coordinate + 1.0) * (0.5 * (size - 1))
        else:
            pixel = ((coordinate + 1.0) * size - 1.0) * 0.5
        return ops.clip(pixel, 0.0, size - 1.0)

    def call(self, image: Tensor, grid: Tensor) -> Tensor:
        height, width = image.shape[1], image.shape[2]
        flat = ops.reshape(ops.cast(image, "float32"), (-1,))
        grid = ops.cast(grid, "float32")
        x, y = self._pixel(grid[..., 0], width), self._pixel(grid[..., 1], height)
        left, top = ops.floor(x), ops.floor(y)
        dx, dy = x - left, y - top
        # Offsets of the batch's images in the flat array: a gather from one dimension is what every backend and
        # LiteRT do fastest.
        first = ops.arange(ops.shape(image)[0], dtype="int32")[:, None, None] * (height * width)
        left, top = ops.cast(left, "int32"), ops.cast(top, "int32")
        right, bottom = ops.minimum(left + 1, width - 1), ops.minimum(top + 1, height - 1)
        upper, lower = first + top * width, first + bottom * width

        def pixels(index: Tensor) -> Tensor:
            return ops.take(flat, index, axis=0)

        above = pixels(upper + left) * (1.0 - dx) + pixels(upper + right) * dx
        below = pixels(lower + left) * (1.0 - dx) + pixels(lower + right) * dx
        return ops.cast(above * (1.0 - dy) + below * dy, self.compute_dtype)[..., None]

    def compute_output_shape(self, image_shape: Shape, grid_shape: Shape) -> Shape:
        return (*grid_shape[:3], 1)
