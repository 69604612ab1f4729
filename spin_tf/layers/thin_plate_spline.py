from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from spin_tf._types import Shape, Tensor
from spin_tf.layers.base import ConfiguredLayer


def base_points(num_control_points: int) -> np.ndarray:
    """(F, 2) points (x, y) in [-1, 1]: half on the upper edge, half on the lower, left to right."""
    x = np.linspace(-1, 1, num_control_points // 2)
    return np.concatenate([np.stack([x, np.full_like(x, y)], 1) for y in (-1, 1)])


def grid_matrix(num_control_points: int, image_size: tuple[int, int]) -> np.ndarray:
    """(height * width, F + 3): what maps [control points; extra rows] to the sampling grid.

    The linear system of the spline depends on constants only, so solving it leaves one matrix.
    """
    height, width = image_size
    points = base_points(num_control_points)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, 1)
    radial = distance**2 * np.log(distance)
    ones, zeros = np.ones((num_control_points, 1)), np.zeros
    delta = np.block(
        [
            [ones, points, radial],
            [zeros((2, 3)), points.T],
            [zeros((1, 3)), ones.T],
        ]
    )
    x = (np.arange(-width, width, 2) + 1.0) / width
    y = (np.arange(-height, height, 2) + 1.0) / height
    target = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    distance = np.linalg.norm(target[:, None] - points[None], axis=2)
    radial = distance**2 * np.log(distance + 1e-6)
    return np.concatenate([np.ones((len(target), 1)), target, radial], 1) @ np.linalg.inv(delta)


@functools.lru_cache(maxsize=16)
def _grid_matrix(num_control_points: int, image_size: tuple[int, int]) -> np.ndarray:
    return grid_matrix(num_control_points, image_size).astype("float32")


@keras.saving.register_keras_serializable("spin_tf")
class ThinPlateSpline(ConfiguredLayer):
    """Sampling grid of a thin-plate spline through control points: one constant matrix product.

    Args:
        image_size: (height, width) of the grid; a call may ask for another width.
        num_control_points: F, even.
        extra_rows: PaddleOCR's dense layer from the 2F coordinates to the three affine rows. It starts at zero and
            is not trained, which makes it zero (as in the paper) unless a checkpoint says otherwise.

    Call arguments:
        control_points: (batch, F, 2), (x, y) in units where [-1, 1] spans the image.
        width: of the grid; None is that of `image_size`.

    Returns:
        (batch, height, width, 2) float32: for each output pixel the (x, y) to sample from.

    Reference: Shi et al., RARE, CVPR 2016, section 3.1.
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        num_control_points: int = 20,
        extra_rows: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_control_points < 4 or num_control_points % 2:
            raise ValueError(
                f"num_control_points must be even and at least 4. Received: num_control_points={num_control_points}"
            )
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.num_control_points = num_control_points
        self.extra_rows = extra_rows

    def build(self, control_points_shape: Shape, *_: object) -> None:
        if self.extra_rows:
            size = 2 * self.num_control_points
            self.extra_kernel = self.add_weight(
                name="extra_kernel", shape=(size, 6), initializer="zeros", trainable=False
            )
            self.extra_bias = self.add_weight(name="extra_bias", shape=(6,), initializer="zeros", trainable=False)
        self.built = True

    def call(self, control_points: Tensor, width: int | None = None) -> Tensor:
        size = (self.image_size[0], width or self.image_size[1])
        matrix = _grid_matrix(self.num_control_points, size)
        points = ops.cast(control_points, "float32")
        grid = ops.matmul(matrix[:, : self.num_control_points], points)
        if self.extra_rows:
            flat = ops.reshape(points, (-1, 2 * self.num_control_points))
            rows = ops.matmul(flat, ops.cast(self.extra_kernel, "float32")) + ops.cast(self.extra_bias, "float32")
            grid = grid + ops.matmul(matrix[:, self.num_control_points :], ops.reshape(rows, (-1, 3, 2)))
        return ops.reshape(grid, (-1, *size, 2))

    def compute_output_shape(self, control_points_shape: Shape, width: int | None = None) -> Shape:
        return (control_points_shape[0], self.image_size[0], width or self.image_size[1], 2)
