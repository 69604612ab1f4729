"""Even ground around a word, which is cut off before the word is read."""

from __future__ import annotations

import functools

import numpy as np

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
from spin_tf.contract.pixels import Box, Pixels, crop, take

_NONE = np.zeros(1, bool)


def cut_ground(image: Pixels) -> Pixels:
    """The part of a picture within its even ground, or the picture where there is not much of that."""
    box = ground_box(image)
    return image if box is None else crop(image, box)


def ground_box(image: Pixels) -> Box | None:
    """Where something stands in a picture, with a margin; None where that is not much smaller than the picture.

    From each side, the lines are cut whose every pixel is near the middle colour of the outermost one.
    """
    height, width = image.shape[:2]
    if min(height, width) < GROUND_MIN_SIDE:
        return None
    num_rows, num_columns = min(height, GROUND_ROWS), min(width, GROUND_COLUMNS)
    if isinstance(image, np.ndarray) and (num_rows, num_columns) == (height, width):
        sample = image
    else:
        sample = take(image, np.arange(num_rows) * height // num_rows, np.arange(num_columns) * width // num_columns)
    planes = np.moveaxis(sample.reshape(num_rows, num_columns, -1), 2, 0).astype(np.int16, order="C")
    cuts = []
    for axis, outermost in ((0, 0), (0, -1), (1, 0), (1, -1)):
        even = _even_lines(planes, axis, outermost)
        if even.all():
            return None
        cuts.append(int(np.argmin(even)))
    above, below, before, behind = cuts
    top, bottom = above * height // num_rows, height - below * height // num_rows
    left, right = before * width // num_columns, width - behind * width // num_columns
    if bottom <= top or right <= left:
        return None
    margin = min((bottom - top) // MARGIN_DIVISOR, right - left)
    box = Box(max(0, top - margin), min(height, bottom + margin), max(0, left - margin), min(width, right + margin))
    narrower = CUT_WIDTH[1] * (box.right - box.left) < CUT_WIDTH[0] * width
    lower = CUT_HEIGHT[1] * (box.bottom - box.top) < CUT_HEIGHT[0] * height
    return box if narrower or lower else None


def _even_lines(planes: np.ndarray, axis: int, outermost: int) -> np.ndarray:
    """Which lines are ground by the outermost one, bool (lines,), that one first.

    Args:
        planes: int16 (channels, rows, columns).
        axis: 0: lines are rows; 1: columns.
        outermost: 0 or -1.
    """
    line = planes.take(outermost, axis + 1)
    # Most photographs end here: no middle is near enough to both ends.
    if (line.max(axis=1) - line.min(axis=1)).max() > 2 * GROUND_MAX_DEVIATION:
        return _NONE
    middle = np.sort(line, axis=1)[:, line.shape[1] // 2, None]
    if np.abs(line - middle).max() > GROUND_MAX_DEVIATION:
        return _NONE
    deviations = functools.reduce(np.maximum, np.abs(planes - middle[..., None])).max(axis=1 - axis)
    allowed = min(max(int(deviations.max()) // GROUND_DIVISOR, GROUND_MIN_DEVIATION), GROUND_MAX_DEVIATION)
    even: np.ndarray = deviations <= allowed
    return even if outermost == 0 else even[::-1]
