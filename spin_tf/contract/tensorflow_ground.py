"""Even ground around a word, inside a TensorFlow graph: the twin of `spin_tf.contract.ground`, without branches."""

from __future__ import annotations

import numpy as np

from spin_tf._types import Tensor
from spin_tf.contract.constants import (
    CUT_HEIGHT,
    CUT_WIDTH,
    GROUND_COLUMNS,
    GROUND_DIVISOR,
    GROUND_MAX_DEVIATION,
    GROUND_MIN_DEVIATION,
    GROUND_MIN_SIDE,
    GROUND_ROWS,
    MARGIN_DIVISOR,
)
from spin_tf.contract.tensorflow_pixels import opaque, planes_of, tf


def border_lines(pixels: Tensor, ground: Tensor = None) -> tuple[Tensor, Tensor]:
    """The outermost lines, as the ground is looked for in them: uint8 (2, columns, 1 or 3) and (rows, 2, 1 or 3).

    Of any picture as many pixels: those of a small one several times.
    """
    size = tf.shape(pixels, tf.int64)
    rows, columns = (np.arange(n) * size[axis] // n for axis, n in enumerate((GROUND_ROWS, GROUND_COLUMNS)))
    across = tf.gather(tf.gather(pixels, rows[:: GROUND_ROWS - 1]), columns, axis=1)
    down = tf.gather(tf.gather(pixels, columns[:: GROUND_COLUMNS - 1], axis=1), rows)
    return opaque(across, ground), opaque(down, ground)


def may_be_ground(across: Tensor, down: Tensor) -> Tensor:
    """Whether a side is of one colour, or nearly so: bool (n,), of the `border_lines` of n pictures."""
    spans = [
        tf.cast(tf.reduce_max(lines, axis), tf.int32) - tf.cast(tf.reduce_min(lines, axis), tf.int32)
        for lines, axis in ((across, 2), (down, 1))
    ]
    # No middle is near enough to both ends of a larger one: most photographs end here.
    return tf.reduce_min(tf.reduce_max(tf.concat(spans, axis=1), axis=2), axis=1) <= 2 * GROUND_MAX_DEVIATION


def ground_box(pixels: Tensor, ground: Tensor = None) -> Tensor:
    """What is left once even ground is cut off: top, bottom, left, right, int32 (4,); the twin of `ground_box`."""
    # Indices may grow beyond 32 bits on the way.
    size = tf.shape(pixels, tf.int64)[:2]
    counts = tf.minimum(size, (GROUND_ROWS, GROUND_COLUMNS))
    rows, columns = (tf.range(counts[axis]) * size[axis] // counts[axis] for axis in (0, 1))
    sample = planes_of(opaque(tf.gather(tf.gather(pixels, rows), columns, axis=1), ground))
    even = [_even_lines(sample, axis) for axis in (0, 1)]
    # How many of them from the outermost one on, of both sides: (2, 2).
    cut = tf.stack([tf.reduce_sum(tf.math.cumprod(lines, axis=1), axis=1) for lines in even])
    is_even = tf.reduce_any(cut == counts[:, None])
    low = cut[:, 0] * size // counts
    high = size - cut[:, 1] * size // counts
    extent = high - low
    margin = tf.minimum(extent[0] // MARGIN_DIVISOR, extent[1])
    low, high = tf.maximum(low - margin, 0), tf.minimum(high + margin, size)
    share = np.array([CUT_HEIGHT, CUT_WIDTH])
    is_smaller = tf.reduce_any(share[:, 1] * (high - low) < share[:, 0] * size)
    is_smaller &= ~is_even & tf.reduce_all(extent > 0) & (tf.reduce_min(size) >= GROUND_MIN_SIDE)
    box = tf.where(is_smaller, tf.stack([low, high], axis=1), tf.stack([tf.zeros_like(size), size], axis=1))
    return tf.cast(tf.reshape(box, (4,)), tf.int32)


def _even_lines(sample: Tensor, axis: int) -> Tensor:
    """Which lines are ground by the outermost one of each side, int64 (2, lines), that one first.

    Args:
        sample: float32 (channels, rows, columns).
        axis: 0: lines are rows; 1: columns.
    """
    outermost = tf.gather(sample, [0, tf.shape(sample)[axis + 1] - 1], axis=axis + 1)
    # (2 sides, channels, pixels)
    outermost = tf.transpose(outermost, (1, 0, 2) if axis == 0 else (2, 0, 1))
    length = tf.shape(outermost)[2]
    middle = tf.math.top_k(outermost, length - length // 2).values[..., -1:]
    # Which pixel of a line deviates most needs only its extremes: (channels, lines).
    highest, lowest = tf.reduce_max(sample, axis=2 - axis), tf.reduce_min(sample, axis=2 - axis)
    deviations = tf.reduce_max(tf.maximum(highest - middle, middle - lowest), axis=1)
    allowed = tf.floor(tf.reduce_max(deviations, axis=1) / GROUND_DIVISOR)
    allowed = tf.clip_by_value(allowed, GROUND_MIN_DEVIATION, GROUND_MAX_DEVIATION)
    even = deviations <= allowed[:, None]
    from_outside = tf.stack([even[0], tf.reverse(even[1], [0])])
    nearest = tf.stack([deviations[0, 0], deviations[1, -1]])
    return tf.cast(from_outside & (nearest <= GROUND_MAX_DEVIATION)[:, None], tf.int64)
