"""Augmentation inside tf.data: geometry while a crop is resized, light and sharpness on whole batches.

Keras's RandAugment and its relatives draw from stateful seeds and change a square image in place; here every random
number is a function of (seed, word number), which exact resume needs, and the geometric part replaces the resize, so
that a small crop is interpolated once.
"""

from __future__ import annotations

import math
from typing import Any

from spin_tf._extras import require


def _unit_square_to_quad(tf: Any, corners: Any) -> Any:
    """The homography (8,) taking (0, 0), (1, 0), (1, 1), (0, 1) to four corners (4, 2): Heckbert 1989, section 2."""
    x, y = tf.unstack(corners[:, 0]), tf.unstack(corners[:, 1])
    dx1, dx2, sx = x[1] - x[2], x[3] - x[2], x[0] - x[1] + x[2] - x[3]
    dy1, dy2, sy = y[1] - y[2], y[3] - y[2], y[0] - y[1] + y[2] - y[3]
    determinant = dx1 * dy2 - dx2 * dy1
    g = (sx * dy2 - dx2 * sy) / determinant
    h = (dx1 * sy - sx * dy1) / determinant
    return tf.stack(
        [
            x[1] - x[0] + g * x[1],
            x[3] - x[0] + h * x[3],
            x[0],
            y[1] - y[0] + g * y[1],
            y[3] - y[0] + h * y[3],
            y[0],
            g,
            h,
        ]
    )


def warp_and_resize(image: Any, size: tuple[int, int], strength: Any, seed: Any) -> Any:
    """Cuts a randomly rotated, sheared, foreshortened and shifted quadrilateral out of a crop, straight to `size`.

    Args:
        image: float32 (height, width, 1), any range.
        size: (height, width) of the result.
        strength: float32 scalar; 0 is a plain bilinear resize, 1 the strongest.
        seed: int32 (2,).

    Returns:
        float32 (*size, 1); beyond the crop its border is repeated.
    """
    tf = require("tensorflow", "Training", "train")
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    height, width = shape[0], shape[1]
    draws = tf.random.stateless_normal((16,), seed)
    draws = tf.clip_by_value(draws, -2.0, 2.0) * strength
    # The crop's own edges move in and out, then its corners on their own (perspective), in units of its size.
    left, right = draws[0] * 0.03 - 0.01 * strength, 1.0 + draws[1] * 0.03 + 0.01 * strength
    top, bottom = draws[2] * 0.06 - 0.02 * strength, 1.0 + draws[3] * 0.06 + 0.02 * strength
    corners = tf.reshape(tf.stack([left, top, right, top, right, bottom, left, bottom]), (4, 2))
    corners += tf.reshape(draws[4:12], (4, 2)) * tf.constant([0.015, 0.05])
    centred = (corners - 0.5) * tf.stack([width, height])
    # Long crops are turned less: their ends would leave the picture.
    angle = draws[12] * (5.0 * math.pi / 180.0) * tf.minimum(1.0, 3.0 * height / width + 0.3)
    shear = draws[13] * 0.12
    cos, sin = tf.cos(angle), tf.sin(angle)
    turned = tf.linalg.matmul(
        centred, tf.stack([tf.stack([cos, sin]), tf.stack([shear * cos - sin, shear * sin + cos])])
    )
    corners = turned + tf.stack([width, height]) * 0.5
    a, b, c, d, e, f, g, h = tf.unstack(_unit_square_to_quad(tf, corners))
    # From output pixel (i + 0.5) / size to input pixel coordinate - 0.5; then the last entry normalised to 1.
    u, v = 1.0 / size[1], 1.0 / size[0]
    g, h = g * u, h * v
    norm = 1.0 + 0.5 * (g + h)
    a, b, c = a * u, b * v, c + 0.5 * (a * u + b * v)
    d, e, f = d * u, e * v, f + 0.5 * (d * u + e * v)
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


def draw_light(size: tuple[int, int], seed: Any) -> tuple[Any, Any]:
    """The random numbers of one word for `relight`: drawn a word at a time, so that no split of a batch changes them.

    Args:
        size: (height, width).
        seed: int32 (2,).

    Returns:
        uniform numbers float32 (11,) and normal ones (*size, 1).
    """
    tf = require("tensorflow", "Training", "train")
    return tf.random.stateless_uniform((11,), seed), tf.random.stateless_normal((*size, 1), seed + 1)


def relight(images: Any, strength: Any, uniform: Any, noise: Any) -> Any:
    """Random polarity, gamma, contrast, brightness, blur, low resolution and noise for a batch.

    Args:
        images: float32 (batch, height, width, 1) in [-1, 1].
        strength: float32 (batch,), 0 (unchanged to 1e-4) to 1.
        uniform: float32 (batch, 11), see `draw_light`.
        noise: float32, shape of the images.

    Returns:
        float32, same shape, in [-1, 1].
    """
    tf = require("tensorflow", "Training", "train")
    height, width = images.shape[1], images.shape[2]
    uniform = tf.transpose(uniform)[:, :, None, None, None]
    strength = tf.reshape(strength, (-1, 1, 1, 1))

    def chance(i: int, probability: float) -> Any:
        return tf.cast(uniform[i] < probability * strength, tf.float32)

    x = (images + 1.0) * 0.5
    x += chance(0, 0.2) * (1.0 - 2.0 * x)
    gamma = tf.exp((uniform[1] * 2.0 - 1.0) * 0.5 * strength)
    x = tf.pow(tf.maximum(x, 1e-4), gamma)
    mean = tf.reduce_mean(x, axis=(1, 2), keepdims=True)
    contrast = tf.exp((uniform[2] * 1.2 - 0.9) * strength)
    x = mean + (x - mean) * contrast + (uniform[3] - 0.5) * 0.4 * strength

    binomial = tf.constant([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
    across, down = tf.reshape(binomial, (1, 5, 1, 1)), tf.reshape(binomial, (5, 1, 1, 1))

    def blurred(x: Any, kernel: Any, i: int) -> Any:
        padded = tf.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="SYMMETRIC")
        padded = padded[:, :, 2:-2] if kernel.shape[0] == 5 else padded[:, 2:-2]
        share = chance(i, 0.3) * uniform[i + 1]
        return x + share * (tf.nn.conv2d(padded, kernel, 1, "VALID") - x)

    x = blurred(blurred(x, across, 4), down, 6)
    coarse = tf.image.resize(tf.image.resize(x, (height * 3 // 8, width * 3 // 8)), (height, width))
    x += chance(8, 0.15) * (coarse - x)
    x += noise * chance(9, 0.4) * uniform[10] * 0.1
    return tf.clip_by_value(x * 2.0 - 1.0, -1.0, 1.0)
