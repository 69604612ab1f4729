"""Words cut out of a photograph, straightened by perspective."""

from __future__ import annotations

import numpy as np

from spin_tf.data.conversion.cropping import straighten

# Models read crops of 32 x 100 or so; what is larger than this is thinned out first.
_MAX_SIDE = 512


def cut_out(picture: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Cuts a quadrilateral out of a picture.

    Args:
        picture: uint8 array (height, width) or (height, width, 3).
        corners: (4, 2), clockwise from the upper left of the text; what lies outside the picture repeats its border.

    Returns:
        uint8 array of the same rank, as large as the longer sides of the quadrilateral but not more than 512 pixels or
        so; None where there is nothing to cut: no area, or all of it outside.
    """
    height, width = picture.shape[:2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    if high[0] <= 0 or high[1] <= 0 or low[0] >= width or low[1] >= height:
        return None
    step = max(int(max(high - low) // _MAX_SIDE), 1)
    points = [((float(x) + 0.5) / step - 0.5, (float(y) + 0.5) / step - 0.5) for x, y in corners]
    try:
        return straighten(picture[step // 2 :: step, step // 2 :: step] if step > 1 else picture, points)
    except np.linalg.LinAlgError:
        return None
