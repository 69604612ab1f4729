"""The contract inside a TensorFlow graph: the same numbers as `spin_tf.contract.preprocessing`, without branches.

The executor of `spin_tf.export.encoded_images` knows none. Pixels are uint8 (height, width, channels): 1 for grey, 3,
or 4 with transparency that is laid over `ground` where it is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spin_tf.contract.constants import (
    COLOUR_DIRECTIONS,
    COLOUR_MIN_VARIANCE,
    COLOUR_RATIO,
    COLOUR_UNIT,
    CUT_HEIGHT,
    CUT_WIDTH,
    GROUND_COLUMNS,
    GROUND_DIVISOR,
    GROUND_MAX_DEVIATION,
    GROUND_MIN_DEVIATION,
    GROUND_MIN_SIDE,
    GROUND_ROWS,
    MARGIN_DIVISOR,
    WIDE_ASPECT,
)
from spin_tf.contract.preprocessing import Size
from spin_tf.contract.tensorflow_pixels import decode_tensor, grey_of, opaque, scaled, tf


def prepare_tensor(image: Any, size: Size, wide_size: Size | None = None) -> tuple[Any, Any]:
    """What `prepare` makes of a picture under preprocessing 2, inside a graph.

    Args:
        image: see `preprocess_tensor`.
        size: (height, width) of the model's input.
        wide_size: that of wide pictures; None where the model has one size.

    Returns:
        float32 (height, width, 1) in [-1, 1], of static shape where there is one size; bool scalar, whether it is the
        wide one.

    Raises:
        ValueError: see `preprocess_tensor`.
    """
    pixels = _checked(image)
    box = ground_box(pixels)
    is_wide = tf.constant(False) if wide_size is None else is_wide_box(box)
    target = size if wide_size is None else tf.where(is_wide, wide_size, size)
    view = scaled(view_of(pixels, box, target))
    height = None if wide_size is not None and wide_size[0] != size[0] else size[0]
    return tf.ensure_shape(view, (height, size[1] if wide_size is None else None, 1)), is_wide


def preprocess_tensor(image: Any, size: Size = (32, 100)) -> Any:
    """What `preprocess` makes of a picture, inside a graph: preprocessing 1.

    Args:
        image: string scalar with an encoded image (see `decode_tensor`), or uint8 tensor (height, width),
            (height, width, 1) or (height, width, 3); the rank must be static.
        size: height and width of the result.

    Returns:
        float32 tensor (size[0], size[1], 1) in [-1, 1], to 1e-5.

    Raises:
        ValueError: for any other tensor.
    """
    pixels = _checked(image)
    return tf.ensure_shape(scaled(view_of(pixels, whole(pixels), size, coloured=False)), (*size, 1))


def _checked(image: Any) -> Any:
    image = tf.convert_to_tensor(image)
    if image.dtype == tf.string:
        image = decode_tensor(image)
    rank = image.shape.rank
    if image.dtype != tf.uint8 or rank not in (2, 3) or (rank == 3 and image.shape[2] not in (1, 3)):
        raise ValueError(
            "Images are uint8 tensors (height, width), (height, width, 1) or (height, width, 3). "
            f"Received: shape={image.shape}, dtype={image.dtype}"
        )
    return image[..., None] if rank == 2 else image


def whole(pixels: Any) -> Any:
    """The box of all pixels: int32 (4,), see `ground_box`."""
    shape = tf.shape(pixels)
    return tf.stack([0, shape[0], 0, shape[1]])


def is_wide_box(box: Any) -> Any:
    """Whether what is left is wide."""
    return box[3] - box[2] > WIDE_ASPECT * (box[1] - box[0])


def ground_box(pixels: Any, ground: Any = None) -> Any:
    """What is left once even ground is cut off: top, bottom, left, right, int32 (4,); the twin of `ground_box`."""
    all_of_it = whole(pixels)
    # Indices may grow beyond 32 bits on the way.
    size = tf.cast(tf.stack([all_of_it[1], all_of_it[3]]), tf.int64)
    counts = tf.minimum(size, (GROUND_ROWS, GROUND_COLUMNS))
    rows, columns = (tf.range(counts[axis]) * size[axis] // counts[axis] for axis in (0, 1))
    # One plane a channel.
    sample = tf.transpose(opaque(tf.gather(tf.gather(pixels, rows), columns, axis=1), ground), (2, 0, 1))
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
    counts_for_something = is_smaller & ~is_even & tf.reduce_all(extent > 0) & (tf.reduce_min(size) >= GROUND_MIN_SIDE)
    box = tf.cast(tf.reshape(tf.stack([low, high], axis=1), (4,)), tf.int32)
    return tf.where(counts_for_something, box, all_of_it)


def _even_lines(sample: Any, axis: int) -> Any:
    """Which lines are ground by the outermost one of each side, int64 (2, lines), that one first.

    Args:
        sample: float32 (channels, rows, columns).
        axis: 0: lines are rows; 1: columns.
    """
    outermost = tf.gather(sample, [0, tf.shape(sample)[axis + 1] - 1], axis=axis + 1)
    # (channels, 2 sides, pixels)
    outermost = outermost if axis == 0 else tf.transpose(outermost, (0, 2, 1))
    length = tf.shape(outermost)[2]
    middle = tf.math.top_k(outermost, length - length // 2).values[..., -1]
    nearest = tf.reduce_max(tf.abs(outermost - middle[..., None]), axis=(0, 2))
    deviations = tf.reduce_max(tf.abs(sample[:, None] - middle[..., None, None]), axis=(0, 3 - axis))
    allowed = tf.floor(tf.reduce_max(deviations, axis=1) / GROUND_DIVISOR)
    allowed = tf.clip_by_value(allowed, GROUND_MIN_DEVIATION, GROUND_MAX_DEVIATION)
    even = (deviations <= allowed[:, None]) & (nearest <= GROUND_MAX_DEVIATION)[:, None]
    return tf.cast(tf.stack([even[0], tf.reverse(even[1], [0])]), tf.int64)


def view_of(pixels: Any, box: Any, size: Any, degrees: int = 0, ground: Any = None, coloured: bool = True) -> Any:
    """A part of a picture, turned and resized: only the pixels that count are touched.

    Args:
        pixels: the whole picture.
        box: the part, int32 (4,).
        size: (height, width) of the view.
        degrees: by which it is turned counter-clockwise: 0, 90, -90 or 180.
        ground: what transparency lies over.
        coloured: whether the axis of the colours may be read in place of grey.

    Returns:
        float32 (height, width, 1), 0..255.
    """
    top, bottom, left, right = tf.unstack(box)
    sideways = degrees in (90, -90)
    rows, columns = right - left if sideways else bottom - top, bottom - top if sideways else right - left
    (row_taps, row_weights), (column_taps, column_weights) = _taps(rows, size[0]), _taps(columns, size[1])
    if degrees in (90, 180):
        row_taps = rows - 1 - row_taps
    if degrees in (-90, 180):
        column_taps = columns - 1 - column_taps
    if sideways:
        taps = tf.gather(tf.gather(pixels, top + column_taps), left + row_taps, axis=1)
        taps = tf.transpose(taps, (1, 0, 2))
    else:
        taps = tf.gather(tf.gather(pixels, top + row_taps), left + column_taps, axis=1)
    values = values_of(opaque(taps, ground), coloured)
    left_taps, right_taps = tf.split(values, 2, axis=1)
    lines = left_taps + (right_taps - left_taps) * column_weights[:, None]
    upper, lower = tf.split(lines, 2, axis=0)
    return upper + (lower - upper) * row_weights[:, None, None]


def _taps(size: Any, target: Any) -> tuple[Any, Any]:
    """The source indices (lower ones, then upper ones) and the weights of the upper ones along one axis."""
    scale = tf.cast(size, tf.float32) / tf.cast(target, tf.float32)
    centres = (tf.range(tf.cast(target, tf.float32)) + 0.5) * scale - 0.5
    floor = tf.floor(centres)
    taps = tf.cast(tf.concat([floor, tf.math.ceil(centres)], axis=0), tf.int32)
    return tf.clip_by_value(taps, 0, size - 1), centres - floor


def values_of(colours: Any, coloured: bool) -> Any:
    """What is interpolated: whole numbers 0..255, float32 (height, width, 1), of float32 colours or grey values."""
    if colours.shape[2] == 1:
        return colours
    grey = grey_of(colours)
    if not coloured:
        return grey
    # Whole numbers below 2 ** 53, which float64 adds exactly in any order.
    flat = tf.cast(tf.reshape(tf.concat([colours, grey], axis=2), (-1, 4)), tf.float64)
    products, sums = tf.matmul(flat, flat, transpose_a=True), tf.reduce_sum(flat, axis=0)
    number = tf.cast(tf.shape(flat)[0], tf.float64)
    spreads = number * products - sums[:, None] * sums
    directions = np.array(COLOUR_DIRECTIONS, np.float64)
    units = COLOUR_UNIT // np.square(directions).sum(axis=1)
    along = tf.reduce_sum(tf.matmul(directions, spreads[:3, :3]) * directions, axis=1) * units
    best = tf.argmax(along)
    least = COLOUR_UNIT * tf.maximum(COLOUR_RATIO * spreads[3, 3], COLOUR_MIN_VARIANCE * number * number)
    places = tf.reduce_sum(colours * tf.gather(directions.astype(np.float32), best), axis=2, keepdims=True)
    lowest = tf.reduce_min(places)
    span = tf.maximum(tf.reduce_max(places) - lowest, 1.0)
    # In float32 the quotient might round up to the next whole number.
    values = tf.cast((places - lowest) * 510.0 + span, tf.int32) // tf.cast(2.0 * span, tf.int32)
    return tf.where(tf.gather(along, best) >= least, tf.cast(values, tf.float32), grey)
