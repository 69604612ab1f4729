"""Large photographs: looked at as a whole and in tiles, what both find made one."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from spin_tf.data.quadrilaterals import area, heights, intersection, smallest_rectangle
from spin_tf.photo.detector import Detector, find_words

# What a detector gets of a picture that is looked at once; of a larger one it gets the whole and tiles, each shrunk.
# A detector takes some 200 MB for a million pixels; up to 1600 x 1064 a single look read more than tiles did.
MAX_PIXELS = 1_750_000
_WHOLE_PIXELS, _TILE_PIXELS = 720_000, 560_000
# Tiles of this side at least, so many along the longer side at most, and by how much of their side they overlap.
_TILE, _MAX_TILES, _OVERLAP = 1230, 5, 0.15
# Letters of fewer pixels than this, as the detector got them, are better seen in a tile.
_LOW = 16
# Two quadrilaterals that share so much of the smaller one are the same word.
_SAME = 0.5
_STRIP_PIXELS = 1 << 22


class Look(NamedTuple):
    """A part of a picture, and to how many pixels at most it is shrunk."""

    left: int
    top: int
    right: int
    bottom: int
    max_pixels: int


def _parts(length: int, side: int) -> list[tuple[int, int]]:
    """Spans of one axis, all of one length of at most `side`, which overlap by at least a share of it."""
    if length <= side:
        return [(0, length)]
    overlap = round(_OVERLAP * side)
    count = math.ceil((length - overlap) / (side - overlap))
    size = math.ceil((length + (count - 1) * overlap) / count)
    starts = [round(i * (length - size) / (count - 1)) for i in range(count)]
    return [(start, start + size) for start in starts]


def looks(height: int, width: int, tile: int | None = None) -> list[Look]:
    """How a picture is looked at.

    Args:
        height: of the picture.
        width: the same.
        tile: side of a tile in pixels; 0 looks at the whole only; None takes tiles of 1,230 pixels and up, five along
            the longer side at most, for pictures of more than `MAX_PIXELS`.
    """
    side = tile
    if side is None:
        side = max(_TILE, math.ceil(max(height, width) / _MAX_TILES)) if height * width > MAX_PIXELS else 0
    rows, columns = (_parts(length, side) if side else [(0, length)] for length in (height, width))
    if len(rows) * len(columns) == 1:
        return [Look(0, 0, width, height, MAX_PIXELS)]
    tiles = [Look(left, top, right, bottom, _TILE_PIXELS) for top, bottom in rows for left, right in columns]
    return [Look(0, 0, width, height, _WHOLE_PIXELS), *tiles]


def shrink(picture: np.ndarray, max_pixels: int) -> np.ndarray:
    """A picture of at most so many pixels, RGB; each is the mean of those that it stands for.

    Beside the result, no copy of more than four million pixels is held.

    Args:
        picture: uint8 array (height, width) or (height, width, 3).
        max_pixels: of the result.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, math.sqrt(max_pixels / (height * width)))
    rows, columns = max(round(height * scale), 1), max(round(width * scale), 1)
    # A line of pixels cannot become less high.
    columns = min(columns, max(max_pixels // rows, 1))
    size = columns, min(rows, max(max_pixels // columns, 1))
    factors = max(width // size[0], 1), max(height // size[1], 1)
    if max(factors) > 1:
        lines = max(_STRIP_PIXELS // width // factors[1], 1) * factors[1]
        strips = [
            np.asarray(Image.fromarray(picture[top : top + lines]).reduce(factors)) for top in range(0, height, lines)
        ]
        picture = np.concatenate(strips)
    if picture.shape[1::-1] != size:
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=-1)


class _Found(NamedTuple):
    corners: np.ndarray
    score: float
    rank: int


def find(detector: Detector, picture: np.ndarray, tile: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Finds the words of a picture of any size.

    Args:
        detector: see `Detector`.
        picture: uint8 array (height, width) or (height, width, 3).
        tile: see `looks`.

    Returns:
        quadrilaterals float32 (n, 4, 2) in pixels of the picture, and scores float32 (n,).

    Raises:
        ValueError: the detector is damaged, or answers something else.
    """
    height, width = picture.shape[:2]
    found: list[_Found] = []
    cut: list[_Found] = []
    parts = looks(height, width, tile)

    for look in parts:
        part = picture[look.top : look.bottom, look.left : look.right]
        seen = shrink(part, look.max_pixels)
        quadrilaterals, scores = find_words(detector, seen)
        scale = np.array([part.shape[1] / seen.shape[1], part.shape[0] / seen.shape[0]], np.float32)
        low = heights(quadrilaterals) < _LOW
        corners = quadrilaterals * scale + np.array([look.left, look.top], np.float32)
        if len(parts) == 1:
            return corners, scores
        at_seam = _at_seam(corners, look, height, width, 4 * float(scale.max()))
        for one, score, is_low, is_cut in zip(corners, scores, low, at_seam, strict=True):
            # A word as a whole, then small words of tiles, then what the whole shows of them, then pieces.
            rank = 3 if is_cut else 1 if look is not parts[0] else 2 if is_low else 0
            (cut if is_cut else found).append(_Found(one, float(score), rank))
    kept = without_doubles([*found, *joined(cut)])
    if not kept:
        return np.zeros((0, 4, 2), np.float32), np.zeros(0, np.float32)
    return np.stack([one.corners for one in kept]), np.array([one.score for one in kept], np.float32)


def _at_seam(corners: np.ndarray, look: Look, height: int, width: int, reach: float) -> np.ndarray:
    """Which quadrilaterals touch an edge of a tile that is none of the picture."""
    x, y = corners[..., 0], corners[..., 1]
    touched = np.zeros(len(corners), bool)
    if look.left > 0:
        touched |= (x <= look.left + reach).any(axis=1)
    if look.right < width:
        touched |= (x >= look.right - reach).any(axis=1)
    if look.top > 0:
        touched |= (y <= look.top + reach).any(axis=1)
    if look.bottom < height:
        touched |= (y >= look.bottom - reach).any(axis=1)
    return touched


def joined(pieces: list[_Found]) -> list[_Found]:
    """Pieces of words that were cut at a seam, those of the same word made one."""
    pieces = list(pieces)
    start = 0
    while start < len(pieces):
        for other in range(start + 1, len(pieces)):
            if _is_continued(pieces[start].corners, pieces[other].corners):
                one, two = pieces[start], pieces.pop(other)
                corners = smallest_rectangle(np.concatenate([one.corners, two.corners]))
                pieces[start] = _Found(corners, max(one.score, two.score), one.rank)
                break
        else:
            start += 1
    return pieces


def _is_continued(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two pieces overlap, are about as high, and the rectangle around both holds little else."""
    low, high = sorted(float(heights(piece[None])[0]) for piece in (one, two))
    common = intersection(one, two)
    if low < 0.6 * high or common <= 0.05 * min(area(one), area(two)):
        return False
    return area(smallest_rectangle(np.concatenate([one, two]))) < 1.3 * (area(one) + area(two) - common)


def without_doubles(found: list[_Found]) -> list[_Found]:
    """Of words that were found more than once, the one of the lowest rank, and the largest of these."""
    ordered = sorted(found, key=lambda one: (one.rank, -area(one.corners)))
    if not ordered:
        return []
    lows = np.array([one.corners.min(axis=0) for one in ordered])
    highs = np.array([one.corners.max(axis=0) for one in ordered])
    areas = [area(one.corners) for one in ordered]
    kept: list[int] = []
    for i, one in enumerate(ordered):
        near = np.array(kept, int)
        near = near[((lows[near] < highs[i]) & (highs[near] > lows[i])).all(axis=1)]
        if all(intersection(one.corners, ordered[j].corners) < _SAME * min(areas[i], areas[j]) for j in near):
            kept.append(i)
    return [ordered[i] for i in kept]
