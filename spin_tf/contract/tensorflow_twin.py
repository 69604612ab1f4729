"""The contract inside a TensorFlow graph: the same numbers as `spin_tf.contract.preprocessing`.

What looks at one picture (`taps_of`, and `spin_tf.contract.tensorflow_ground`) has no branches: the executor of
`spin_tf.export.encoded_images` knows none. The rest is for many views at a time. Pixels are uint8 (height, width,
channels): 1 for grey, 3, or 4 with transparency that is laid over `ground` where it is looked at.
"""

from __future__ import annotations

import math

import numpy as np

from spin_tf._types import Tensor
from spin_tf.contract.constants import (
    COLOUR_DIRECTIONS,
    COLOUR_MIN_VARIANCE,
    COLOUR_RATIO,
    COLOUR_UNIT,
    WIDE_ASPECT,
)
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.tensorflow_ground import ground_box
from spin_tf.contract.tensorflow_pixels import decode_tensor, grey_of, opaque, planes_of, scaled, tf


def prepare_tensor(image: Tensor, preprocessing: Preprocessing) -> tuple[Tensor, Tensor]:
    """What `prepare` makes of a picture, inside a graph.

    Args:
        image: string scalar with an encoded image (see `decode_tensor`), or uint8 tensor (height, width),
            (height, width, 1) or (height, width, 3); the rank must be static.
        preprocessing: of the model.

    Returns:
        float32 (height, width, 1) in [-1, 1], to 1e-5, of static shape where there is one size; bool scalar, whether it
        is of the wide one.

    Raises:
        ValueError: for any other tensor.
    """
    image = tf.convert_to_tensor(image)
    if image.dtype == tf.string:
        image = decode_tensor(image)
    rank = image.shape.rank
    if image.dtype != tf.uint8 or rank not in (2, 3) or (rank == 3 and image.shape[2] not in (1, 3)):
        raise ValueError(
            "Images are uint8 tensors (height, width), (height, width, 1) or (height, width, 3). "
            f"Received: shape={image.shape}, dtype={image.dtype}"
        )
    pixels = image[..., None] if rank == 2 else image
    (size, wide_size, number), is_wide = preprocessing, tf.constant(False)
    if number < 2:
        view = view_of(pixels, whole(pixels), size, coloured=False)
        return tf.ensure_shape(scaled(view), (*size, 1)), is_wide
    box = ground_box(pixels)
    if wide_size is None:
        return tf.ensure_shape(scaled(view_of(pixels, box, size)), (*size, 1)), is_wide
    is_wide = is_wide_box(box)
    return scaled(view_of(pixels, box, tf.where(is_wide, wide_size, size))), is_wide


def whole(pixels: Tensor) -> Tensor:
    """The box of all pixels: int32 (4,), see `ground_box`."""
    shape = tf.shape(pixels)
    return tf.stack([0, shape[0], 0, shape[1]])


def is_wide_box(box: Tensor) -> Tensor:
    """Whether what is left is wide: bool (...) of boxes (..., 4)."""
    return box[..., 3] - box[..., 2] > WIDE_ASPECT * (box[..., 1] - box[..., 0])


def view_of(pixels: Tensor, box: Tensor, size: Tensor, degrees: int = 0, coloured: bool = True) -> Tensor:
    """One view: see `taps_of` and `views_of_taps`.

    Returns:
        float32 (height, width, 1), 0..255.
    """
    taps = taps_of(pixels, box, size, degrees)
    return views_of_taps(taps[None], extent_of(box, degrees)[None], coloured)[0]


def extent_of(boxes: Tensor, degrees: int = 0) -> Tensor:
    """Rows and columns of turned parts of pictures, int32 (..., 2), of boxes (..., 4)."""
    extents = boxes[..., 1::2] - boxes[..., ::2]
    return extents[..., ::-1] if degrees in (90, -90) else extents


def taps_of(pixels: Tensor, box: Tensor, size: Tensor, degrees: int = 0, ground: Tensor = None) -> Tensor:
    """The pixels of a part of a picture, turned, that interpolation looks at.

    Args:
        pixels: the whole picture.
        box: the part, int32 (4,).
        size: (height, width) of the view.
        degrees: by which it is turned counter-clockwise: 0, 90, -90 or 180.
        ground: what transparency lies over.

    Returns:
        uint8 (2 * height, 2 * width, 1 or 3), the upper ones before the lower and the left ones before the right.
    """
    extent = extent_of(box, degrees)
    rows, columns = _taps(extent[0], size[0]), _taps(extent[1], size[1])
    if degrees in (90, 180):
        rows = extent[0] - 1 - rows
    if degrees in (-90, 180):
        columns = extent[1] - 1 - columns
    sideways = degrees in (90, -90)
    if sideways:
        rows, columns = columns, rows
    rows, columns = rows + box[0], columns + box[2]
    taps = tf.gather(tf.gather(pixels, rows), columns, axis=1)
    return opaque(tf.transpose(taps, (1, 0, 2)) if sideways else taps, ground)


def views_of_taps(taps: Tensor, extents: Tensor, coloured: bool = True) -> Tensor:
    """Interpolates many views.

    Args:
        taps: uint8 (n, 2 * height, 2 * width, 1 or 3), each as `taps_of` gives it.
        extents: int32 (n, 2), rows and columns of the parts of pictures that they are of.
        coloured: whether the axis of the colours may be read in place of grey.

    Returns:
        float32 (n, height, width, 1), 0..255.
    """
    shape = [side or tf.shape(taps)[axis] for axis, side in enumerate(taps.shape[:3])]
    row_weights, column_weights = (_centres(extents[:, axis, None], shape[axis + 1] // 2)[1] for axis in (0, 1))
    left, right = tf.split(values_of(taps, coloured), 2, axis=2)
    lines = left + (right - left) * column_weights[:, None]
    upper, lower = tf.split(lines, 2, axis=1)
    return (upper + (lower - upper) * row_weights[..., None])[..., None]


def _centres(size: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Where the pixels of a resized axis lie in the source, and the weights of the upper ones of their neighbours."""
    if isinstance(target, int):
        half = np.arange(0.5, target, dtype=np.float32)
    else:
        half = tf.range(tf.cast(target, tf.float32)) + 0.5
    # In float64: a graph may multiply by the reciprocal. Rounded to float32, the quotient is numpy's all the same.
    scale = tf.cast(tf.cast(size, tf.float64) / tf.cast(target, tf.float64), tf.float32)
    centres = half * scale - 0.5
    return centres, centres - tf.floor(centres)


def _taps(size: Tensor, target: Tensor) -> Tensor:
    """The source indices along one axis, lower neighbours before the upper ones."""
    centres, _ = _centres(size, target)
    taps = tf.cast(tf.concat([tf.floor(centres), tf.math.ceil(centres)], axis=0), tf.int32)
    return tf.clip_by_value(taps, 0, size - 1)


def values_of(pixels: Tensor, coloured: bool = True) -> Tensor:
    """Whole numbers 0..255 that stand for pixels: float32 (n, height, width), of uint8 (n, height, width, 1 or 3).

    Args:
        pixels: the taps of views, or pictures that are to be augmented.
        coloured: whether there may be an axis of the colours, of each picture its own.
    """
    planes = planes_of(pixels)
    if planes.shape[0] == 1:
        return planes[0]
    grey = grey_of(planes)
    if not coloured:
        return grey
    number = tf.size(grey[0], tf.int64)
    numbers = tf.concat([planes, grey[None]], axis=0)
    sums, squares = _totals(numbers), _totals(numbers * numbers)
    spreads = number * squares - sums * sums
    least = tf.maximum(COLOUR_RATIO * spreads[3], COLOUR_MIN_VARIANCE * number * number)
    # No axis has more than all three channels together: most pictures end here.
    members = tf.where(tf.reduce_sum(spreads[:3], axis=0) >= least)

    def along() -> Tensor:
        some, beside = (tf.gather(values, members[:, 0], axis=axis) for values, axis in ((planes, 1), (grey, 0)))
        sums_of, least_of = tf.gather(sums[:3], members[:, 0], axis=1), tf.gather(least, members[:, 0])
        return tf.tensor_scatter_nd_update(grey, members, _along_axis(some, beside, sums_of, least_of))

    return tf.cond(tf.size(members) > 0, along, lambda: grey)


def _totals(values: Tensor) -> Tensor:
    """Sums, int64 (4, n), of float32 (4, n, height, width), whole numbers from 0 to 255 squared."""
    height, width = values.shape[2:]
    part = math.gcd((height or 1) * (width or 1), 256)
    if part < 8:
        values = tf.cast(values, tf.float64)
    else:
        # In parts of at most 256: sums of those are below 2 ** 24, which float32 holds exactly.
        values = tf.reshape(values, (4, -1, height * width // part, part))
    return tf.reduce_sum(tf.cast(tf.reduce_sum(values, axis=3), tf.int64), axis=2)


def _along_axis(planes: Tensor, grey: Tensor, sums: Tensor, least: Tensor) -> Tensor:
    """Values along the axis with the largest variance, or grey where that is less than the least one.

    Args:
        planes: float32 (3, n, height, width).
        grey: float32 (n, height, width).
        sums: int64 (3, n), of the planes.
        least: int64 (n,).
    """
    # Whole numbers below 2 ** 53, which float64 adds exactly in any order.
    flat = tf.transpose(tf.reshape(tf.cast(planes, tf.float64), (3, tf.shape(grey)[0], -1)), (1, 0, 2))
    products = tf.cast(tf.matmul(flat, flat, transpose_b=True), tf.int64)
    sums = tf.transpose(sums)
    spreads = tf.size(grey[0], tf.int64) * products - sums[:, :, None] * sums[:, None]
    directions = np.array(COLOUR_DIRECTIONS, np.int64)
    units = COLOUR_UNIT // np.square(directions).sum(axis=1)
    # (n, axes)
    along = tf.reduce_sum(spreads[:, None] * directions[:, :, None] * directions[:, None], axis=(2, 3)) * units
    best = tf.argmax(along, axis=1)
    weights = tf.transpose(tf.gather(directions.astype(np.float32), best))[..., None, None]
    places = tf.reduce_sum(planes * weights, axis=0)
    lowest = tf.reduce_min(places, axis=(1, 2), keepdims=True)
    span = tf.maximum(tf.reduce_max(places, axis=(1, 2), keepdims=True) - lowest, 1.0)
    # Quotients are whole, or more than float32 rounds below the next whole number.
    values = tf.floor(((places - lowest) * 510.0 + span) / (2.0 * span))
    is_read = tf.reduce_max(along, axis=1) >= COLOUR_UNIT * least
    return tf.where(is_read[:, None, None], values, grey)
