"""Augmentation of real words: geometry while a crop is resized, then light and sharpness.

Keras's RandAugment and its relatives draw from stateful seeds and change a square image in place; here every random
number is a function of (seed, word number), which exact resume needs, and the geometric part replaces the resize, so
that a small crop is interpolated once.

The mathematics is written once, over a namespace `xp`: `numpy` in the processes that prepare words for JAX, `keras.ops`
in a tf.data graph.
"""

from __future__ import annotations

import functools
import math
from types import ModuleType

import numpy as np
from PIL import Image

from spin_tf._extras import require
from spin_tf._types import Tensor
from spin_tf.contract.preprocessing import Preprocessing, axis_weights, normalized, values_of
from spin_tf.data.images import decode_image

NUM_SHAPE_DRAWS, NUM_LIGHT_DRAWS = 16, 11


def _quadrilateral(xp: ModuleType, draws: Tensor, strength: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """The corners (4, 2) of what is cut out of a crop: x and y in pixels, from the upper left clockwise.

    Args:
        draws: normal numbers float32 (16,).
        strength: 0 is the whole crop.
        height, width: of the crop, float32.
    """
    draws = xp.clip(draws, -2.0, 2.0)
    # The crop's own edges move in and out, then its corners on their own (perspective), in units of its size. However
    # strong the rest is, edges move no further than at strength 1: the ends of long words would be cut off.
    out = xp.minimum(strength, 1.0)
    edges, draws = draws * out, draws * strength
    left, right = edges[0] * 0.03 - 0.01 * out, 1.0 + edges[1] * 0.03 + 0.01 * out
    top, bottom = edges[2] * 0.06 - 0.02 * out, 1.0 + edges[3] * 0.06 + 0.02 * out
    corners = xp.reshape(xp.stack([left, top, right, top, right, bottom, left, bottom]), (4, 2))
    corners = corners + xp.reshape(draws[4:12], (4, 2)) * np.asarray([0.015, 0.05], np.float32)
    size = xp.stack([width, height])
    centred = (corners - 0.5) * size
    # Long crops are turned less: their ends would leave the picture.
    angle = draws[12] * (5.0 * math.pi / 180.0) * xp.minimum(1.0, 3.0 * height / width + 0.3)
    shear = draws[13] * 0.12
    cos, sin = xp.cos(angle), xp.sin(angle)
    turn = xp.stack([xp.stack([cos, sin]), xp.stack([shear * cos - sin, shear * sin + cos])])
    return xp.matmul(centred, turn) + size * 0.5


def _homography(xp: ModuleType, corners: Tensor, size: tuple[int, int]) -> Tensor:
    """The map (a, b, c, d, e, f, g, h) from the plane of `size`, its pixels being unit squares, to four corners (4, 2).

    (x, y) goes to ((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1)): Heckbert 1989, section 2.
    """
    x, y = [corners[i, 0] for i in range(4)], [corners[i, 1] for i in range(4)]
    dx1, dx2, sx = x[1] - x[2], x[3] - x[2], x[0] - x[1] + x[2] - x[3]
    dy1, dy2, sy = y[1] - y[2], y[3] - y[2], y[0] - y[1] + y[2] - y[3]
    determinant = dx1 * dy2 - dx2 * dy1
    g = (sx * dy2 - dx2 * sy) / determinant
    h = (dx1 * sy - sx * dy1) / determinant
    u, v = 1.0 / size[1], 1.0 / size[0]
    across = (x[1] - x[0] + g * x[1]) * u, (x[3] - x[0] + h * x[3]) * v, x[0]
    down = (y[1] - y[0] + g * y[1]) * u, (y[3] - y[0] + h * y[3]) * v, y[0]
    return xp.stack([*across, *down, g * u, h * v])


def warp_tensor(image: Tensor, size: tuple[int, int], strength: Tensor, draws: Tensor) -> Tensor:
    """Cuts a rotated, sheared, foreshortened and shifted quadrilateral out of a crop, straight to `size`, in a graph.

    Args:
        image: float32 (height, width, 1), any range.
        size: (height, width) of the result.
        strength: float32 scalar; 0 is a plain bilinear resize, 1 usual, 2 the strongest.
        draws: normal numbers float32 (16,).

    Returns:
        float32 (*size, 1); beyond the crop its border is repeated.
    """
    tf = require("tensorflow", "Training", "train")
    ops = require("keras", "Training", "train").ops
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    corners = _quadrilateral(ops, draws, strength, shape[0], shape[1])
    a, b, c, d, e, f, g, h = tf.unstack(_homography(ops, corners, size))
    # TensorFlow's coordinates count the centres of pixels; then the last entry is normalised to 1.
    norm = 1.0 + 0.5 * (g + h)
    c, f = c + 0.5 * (a + b), f + 0.5 * (d + e)
    transform = tf.stack([a - 0.5 * g, b - 0.5 * h, c - 0.5 * norm, d - 0.5 * g, e - 0.5 * h, f - 0.5 * norm, g, h])
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=(transform / norm)[None],
        output_shape=tf.constant(size, tf.int32),
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
    return tf.ensure_shape(warped[0], (*size, 1))


def warp(image: np.ndarray, size: tuple[int, int], strength: float, draws: np.ndarray) -> np.ndarray:
    """The numpy and Pillow twin of `warp_tensor`, for float32 (height, width, 1)."""
    height, width = image.shape[:2]
    corners = _quadrilateral(np, draws, np.float32(strength), np.float32(height), np.float32(width))
    # Pillow has nothing beyond the border, so it is made wide enough.
    outside = max(-float(corners.min()), float((corners - (width, height)).max()), 0.0)
    margin = math.ceil(outside) + 1
    padded = np.pad(image[..., 0], margin, mode="edge")
    transform = tuple(map(float, _homography(np, corners + margin, size)))
    picture = Image.fromarray(padded).transform(
        (size[1], size[0]), Image.Transform.PERSPECTIVE, transform, Image.Resampling.BILINEAR
    )
    return np.asarray(picture)[..., None]


def relight(xp: ModuleType, images: Tensor, strength: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
    """Random polarity, gamma, contrast, brightness, blur, low resolution and noise.

    Args:
        xp: `numpy` or `keras.ops`.
        images: float32 (batch, height, width, 1) in [-1, 1].
        strength: float32 (batch,), 0 (unchanged to 1e-4) to 2.
        uniform: random numbers in [0, 1), float32 (batch, 11).
        noise: normal random numbers, float32, shape of the images.

    Returns:
        float32, same shape, in [-1, 1].
    """
    height, width = images.shape[1], images.shape[2]
    # Planes (batch, height, width), and numbers that go with them.
    x, noise = (images[..., 0] + 1.0) * 0.5, noise[..., 0]
    strength = xp.reshape(strength, (-1, 1, 1))
    u = [xp.reshape(uniform[:, i], (-1, 1, 1)) for i in range(NUM_LIGHT_DRAWS)]

    def chance(i: int, probability: float) -> Tensor:
        return xp.where(u[i] < probability * strength, xp.ones_like(strength), xp.zeros_like(strength))

    x = x + chance(0, 0.2) * (1.0 - 2.0 * x)
    gamma = xp.exp((u[1] * 2.0 - 1.0) * 0.5 * strength)
    x = xp.power(xp.maximum(x, 1e-4), gamma)
    mean = xp.mean(x, axis=(1, 2), keepdims=True)
    contrast = xp.exp((u[2] * 1.2 - 0.9) * strength)
    x = mean + (x - mean) * contrast + (u[3] - 0.5) * 0.4 * strength
    # Out of focus or moved: blurred across and down, by as much as leaves a word of few pixels readable.
    x = xp.matmul(x, _blur(xp, width, chance(4, 0.35) * u[5] * 1.5 * strength))
    x = xp.matmul(xp.swapaxes(_blur(xp, height, chance(6, 0.35) * u[7] * 1.2 * strength), 1, 2), x)
    rows, columns = _coarse(height), _coarse(width)
    x = x + chance(8, 0.15) * (xp.matmul(xp.matmul(rows, x), columns.T) - x)
    x = x + noise * chance(9, 0.4) * u[10] * 0.1
    return xp.clip(x * 2.0 - 1.0, -1.0, 1.0)[..., None]


def _blur(xp: ModuleType, size: int, sigma: Tensor) -> Tensor:
    """Gaussians of standard deviation `sigma` (batch, 1, 1), in pixels, as matrices (batch, size, size).

    To multiply rows of pixels from the right: columns sum to 1, at the border over the pixels there are.
    """
    places = np.arange(size, dtype=np.float32)
    distance = np.square(places[:, None] - places)
    kernel = xp.exp(distance * (-0.5 / xp.maximum(xp.square(sigma), 1e-3)))
    return kernel / xp.sum(kernel, axis=1, keepdims=True)


@functools.cache
def _coarse(size: int) -> np.ndarray:
    """Three eighths of the resolution and back, bilinear, as a matrix (size, size)."""
    few = size * 3 // 8
    return axis_weights(few, size) @ axis_weights(size, few)


def augment(encoded: bytes, size: tuple[int, int], strength: float, seed: int, number: int) -> np.ndarray:
    """Decodes and augments one word; the numpy way from a file to the input of a model in training.

    Args:
        encoded: an image file.
        size: (height, width) of the model's input.
        strength: 0 (the preprocessing alone) to 2.
        seed, number: of the run and of the word in it; all random numbers are functions of them.

    Returns:
        float32 (*size, 1) in [-1, 1].

    Raises:
        ImageError: the file cannot be decoded.
    """
    image = decode_image(encoded)
    if strength <= 0:
        # All of it: what stands in wide ground is learnt, too.
        return Preprocessing(size).view(image)
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    draws = rng.standard_normal(NUM_SHAPE_DRAWS, np.float32)
    values = values_of(image)[0].astype(np.float32)[..., None]
    warped = normalized(warp(values, size, strength, draws)[..., 0])
    uniform = rng.random((1, NUM_LIGHT_DRAWS), np.float32)
    noise = rng.standard_normal((1, *size, 1), np.float32)
    return relight(np, warped[None], np.full(1, strength, np.float32), uniform, noise)[0]
