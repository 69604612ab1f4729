"""Words cut out of larger pictures: upright boxes, and quadrilaterals straightened by perspective."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from spin_tf.data.conversion.entry import EntryError
from spin_tf.data.quadrilaterals import area, intersection

# A word of which more than a quarter lies outside the picture does not show its label any more.
MIN_VISIBLE = 0.75
_MAX_SIDE = 8192
# Models read crops of 32 x 100 or so; words of photographs that are larger than this are thinned out first.
_MAX_WORD_SIDE = 512


def _corners(box: tuple[float, ...]) -> list[tuple[float, float]]:
    if len(box) == 4:
        left, top, right, bottom = box
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    return [(box[i], box[i + 1]) for i in range(0, 8, 2)]


def visible_share(box: tuple[float, ...], width: int, height: int) -> float:
    """Returns which share of the area of a box (4 or 8 numbers) lies inside a picture; 0 for one without area."""
    points = _corners(box)
    size = area(points)
    if not math.isfinite(size) or size <= 0:
        return 0.0
    return intersection(points, _corners((0, 0, width, height))) / size


def _perspective(target: list[tuple[float, float]], source: list[tuple[float, float]]) -> list[float]:
    """The 8 coefficients with which Pillow looks up the source of each target point."""
    rows, values = [], []
    for (u, v), (x, y) in zip(target, source, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        values += [x, y]
    return np.linalg.solve(np.array(rows), np.array(values)).tolist()


def crop(image: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    """Cuts a word out of a picture.

    Args:
        image: uint8 array (height, width) or (height, width, 3).
        box: left, top, right, bottom (cut to whole pixels, outwards); or four corners clockwise from the upper left
            of the text: the result is as wide and as high as the longer of its opposite sides, bicubic; what lies
            outside the picture repeats its border.

    Returns:
        uint8 array of the same rank.

    Raises:
        EntryError: when less than `MIN_VISIBLE` of the box lies inside the picture, or it has no area.
    """
    height, width = image.shape[:2]
    share = visible_share(box, width, height)
    if share < MIN_VISIBLE:
        raise EntryError(
            f"{share:.0%} of the box lies inside the picture of {width} x {height}. Received: box={box}",
            "box_outside_image",
        )
    if len(box) == 4:
        left, top = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
        return image[top : min(math.ceil(box[3]), height), left : min(math.ceil(box[2]), width)]
    corners = _corners(box)
    if max(_straight_size(corners)) > _MAX_SIDE:
        raise EntryError(f"The box is larger than {_MAX_SIDE} pixels. Received: box={box}", "box_outside_image")
    try:
        return straighten(image, corners)
    except np.linalg.LinAlgError as error:
        raise EntryError(f"The corners span no area. Received: box={box}", "box_outside_image") from error


def _straight_size(corners: list[tuple[float, float]]) -> tuple[int, int]:
    sides = [math.dist(corners[i], corners[(i + 1) % 4]) for i in range(4)]
    return max(round(max(sides[0], sides[2])), 1), max(round(max(sides[1], sides[3])), 1)


def straighten(image: np.ndarray, corners: list[tuple[float, float]]) -> np.ndarray:
    """Looks at a quadrilateral from the front: as wide and as high as the longer of its opposite sides, bicubic.

    Args:
        image: uint8 array (height, width) or (height, width, 3); outside, its border is repeated.
        corners: four (x, y), clockwise from the upper left of the text.

    Returns:
        uint8 array of the same rank.

    Raises:
        numpy.linalg.LinAlgError: the corners span no area.
    """
    height, width = image.shape[:2]
    size = _straight_size(corners)
    # Only the surroundings of the word, with two pixels for the bicubic kernel, and the border repeated around them.
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    columns = np.clip(np.arange(math.floor(min(xs)) - 2, math.ceil(max(xs)) + 3), 0, width - 1)
    rows = np.clip(np.arange(math.floor(min(ys)) - 2, math.ceil(max(ys)) + 3), 0, height - 1)
    around = image.take(rows, axis=0).take(columns, axis=1)
    shifted = [(x - math.floor(min(xs)) + 2, y - math.floor(min(ys)) + 2) for x, y in corners]
    target = [(0.0, 0.0), (float(size[0]), 0.0), (float(size[0]), float(size[1])), (0.0, float(size[1]))]
    coefficients = _perspective(target, shifted)
    straight = Image.fromarray(around).transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
    )
    return np.asarray(straight)


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
    step = max(int(max(high - low) // _MAX_WORD_SIDE), 1)
    points = [((float(x) + 0.5) / step - 0.5, (float(y) + 0.5) / step - 0.5) for x, y in corners]
    try:
        return straighten(picture[step // 2 :: step, step // 2 :: step] if step > 1 else picture, points)
    except np.linalg.LinAlgError:
        return None


def encode_crop(image: np.ndarray, source_format: str) -> tuple[bytes, str]:
    """Encodes a cut-out word: PNG from lossless pictures, JPEG of quality 95 without chroma subsampling from JPEG."""
    stream = io.BytesIO()
    if source_format in ("jpeg", "mpo"):
        Image.fromarray(image).save(stream, "JPEG", quality=95, subsampling=0)
        return stream.getvalue(), "jpeg"
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue(), "png"
