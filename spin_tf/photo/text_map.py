"""From the map of a text detector to the rectangles of its words: the last step of differentiable binarization.

All of it is numpy over all regions at once, and whole numbers wherever something is decided: the page and the C++
reader, which do the same in loops, come to the same rectangles to the last bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# What RapidOCR takes, but the widening: 1.5, as Paddle has it, fits single words better than RapidOCR's 1.6.
THRESHOLD, BOX_THRESHOLD, UNCLIP, MIN_SIDE = 0.3, 0.5, 1.5, 3.0


class _Points(NamedTuple):
    """Points of all regions, those of a region beside each other and by row."""

    region: np.ndarray
    x: np.ndarray
    y: np.ndarray


class _Rectangles(NamedTuple):
    """The smallest rectangle of each region, in whole numbers: what lies within has low_u <= x dx + y dy <= high_u and
    low_v <= y dx - x dy <= high_v. (dx, dy) is the side that leads from left to right."""

    dx: np.ndarray
    dy: np.ndarray
    low_u: np.ndarray
    high_u: np.ndarray
    low_v: np.ndarray
    high_v: np.ndarray

    def kept(self, which: np.ndarray) -> _Rectangles:
        return _Rectangles(*(field[which] for field in self))


def find_quadrilaterals(
    probabilities: np.ndarray,
    threshold: float = THRESHOLD,
    box_threshold: float = BOX_THRESHOLD,
    unclip: float = UNCLIP,
    min_side: float = MIN_SIDE,
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the rectangles of the words in a map.

    As PaddleOCR and RapidOCR do it: the pixels above a threshold, widened by one to the right and down; their regions
    (pixels that touch at a corner belong together); the smallest rectangle around the centres of the pixels of each;
    its mean probability; and the rectangle widened by what the detector's training took off. Holes of
    regions, which they take for regions too, are left out.

    Args:
        probabilities: float32 (height, width), how likely each pixel lies in the middle of a word.
        threshold: above it, a pixel belongs to a word.
        box_threshold: rectangles whose mean probability is lower are left out.
        unclip: each side moves outwards by this times area / circumference.
        min_side: rectangles with a shorter side before widening, or one shorter by two pixels than this after it, are
            left out.

    Returns:
        quadrilaterals float64 (n, 4, 2), x and y of each corner clockwise from the top left, in pixels of the map with
        (0, 0) at the outer corner of the first pixel, parts of them outside of the map where they were widened; and
        scores float64 (n,). From the top of the map down by where the regions begin.

    Raises:
        ValueError: the map is no float32 array of two axes.
    """
    if probabilities.ndim != 2 or probabilities.dtype != np.float32:
        raise ValueError(
            f"A map is a float32 array (height, width). Received: shape={probabilities.shape}, "
            f"dtype={probabilities.dtype}"
        )
    rectangles = _smallest_rectangles(*_outlines(_widened(probabilities > threshold)))
    width, height = _sides(rectangles)
    rectangles = rectangles.kept(np.minimum(width, height) >= min_side)
    scores = _scores(probabilities, rectangles)
    rectangles, scores = rectangles.kept(scores >= box_threshold), scores[scores >= box_threshold]
    width, height = _sides(rectangles)
    # Nothing has a side of nothing any more, unless a caller allows it.
    margin = unclip * width * height / np.maximum(2 * (width + height), 1e-9)
    wide_enough = np.minimum(width, height) + 2 * margin >= min_side + 2
    return _corners(rectangles.kept(wide_enough), margin[wide_enough]), scores[wide_enough]


def _widened(mask: np.ndarray) -> np.ndarray:
    result = mask.copy()
    result[:, 1:] |= mask[:, :-1]
    result[1:] |= result[:-1].copy()
    return result


def _outlines(mask: np.ndarray) -> tuple[_Points, _Points]:
    """The first pixels of the rows of each region, and the last ones: those of them that are corners of its hull."""
    height, width = mask.shape
    bounded = np.zeros((height, width + 2), bool)
    bounded[:, 1:-1] = mask
    changes = np.flatnonzero(bounded.ravel()[1:] != bounded.ravel()[:-1])
    # Of the runs of pixels in all rows: row * (width + 2) + column of the first and the last pixel.
    first, last = changes[::2], changes[1::2] - 1
    region = _regions(first, last, width + 2)
    order = np.argsort(region, kind="stable")
    region, row = region[order], first[order] // (width + 2)
    left, right = first[order] % (width + 2), last[order] % (width + 2)
    # Runs of a region in a row lie side by side: of the first the left end, of the last the right one.
    new = np.ones(len(order), bool)
    new[1:] = (region[1:] != region[:-1]) | (row[1:] != row[:-1])
    begins = np.flatnonzero(new)
    ends = np.append(begins[1:], len(order))[: len(begins)] - 1
    return (
        _convex(_Points(region[begins], left[begins], row[begins]), 1),
        _convex(_Points(region[begins], right[ends], row[begins]), -1),
    )


def _regions(first: np.ndarray, last: np.ndarray, stride: int) -> np.ndarray:
    """The region of each run, as the number of its first run."""
    # The runs of the next row that a run touches, at a corner at least: those from `low` on and before `high`.
    low = np.searchsorted(last, first + stride - 1, "left")
    high = np.searchsorted(first, last + stride + 1, "right")
    count = high - low
    above = np.repeat(np.arange(len(first)), count)
    below = np.arange(len(above)) + np.repeat(low - (np.cumsum(count) - count), count)
    root = np.arange(len(first))
    while True:
        one, other = root[above], root[below]
        differ = one != other
        if not differ.any():
            return root
        one, other = one[differ], other[differ]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(root, root[root]):
            root = root[root]


def _convex(points: _Points, side: int) -> _Points:
    """Leaves out the points of left (side 1) or right (-1) ends that dents or straight parts of the outline have.

    What lies in a dent between its neighbours cannot be a corner of the hull, whether these are corners or not: so all
    such points go at once, until there is none.
    """
    while True:
        region, x, y = points
        dent = np.zeros(len(region), bool)
        middle = (region[2:] == region[1:-1]) & (region[1:-1] == region[:-2])
        cross = (x[1:-1] - x[:-2]) * (y[2:] - y[:-2]) - (x[2:] - x[:-2]) * (y[1:-1] - y[:-2])
        dent[1:-1] = middle & (side * cross >= 0)
        if not dent.any():
            return points
        points = _Points(region[~dent], x[~dent], y[~dent])


def _smallest_rectangles(*chains: _Points) -> _Rectangles:
    """The rectangle of the smallest area around each region; one of its sides lies along a side of the hull."""
    regions = np.unique(chains[0].region)
    # Tried in this order, and the first of equal ones taken: upright, the left sides downwards, the right ones.
    upright = _Points(regions, np.ones_like(regions), np.zeros_like(regions))
    owner, dx, dy = _joined(upright, *map(_steps, chains))
    dx, dy = _rightwards(dx, dy)
    region, x, y = _joined(*chains)
    begin, end = np.searchsorted(region, owner, "left"), np.searchsorted(region, owner, "right")
    # Every direction with every point of its region.
    count = end - begin
    first = np.cumsum(count) - count
    point = np.arange(count.sum()) + np.repeat(begin - first, count)
    across, down = np.repeat(dx, count), np.repeat(dy, count)
    bounds = [
        extreme.reduceat(projected, first) if len(first) else np.zeros(0, np.int64)
        for projected in (x[point] * across + y[point] * down, y[point] * across - x[point] * down)
        for extreme in (np.minimum, np.maximum)
    ]
    low_u, high_u, low_v, high_v = bounds
    area = (high_u - low_u) * (high_v - low_v) / (dx * dx + dy * dy)
    # By region, then by area; a stable sort keeps the order of equal ones.
    order = np.lexsort((area, owner))
    best = order[np.searchsorted(owner, regions, "left")]
    return _Rectangles(*(field[best] for field in (dx, dy, low_u, high_u, low_v, high_v)))


def _steps(chain: _Points) -> _Points:
    """From each point to the next one of its region."""
    same = chain.region[1:] == chain.region[:-1]
    return _Points(chain.region[1:][same], np.diff(chain.x)[same], np.diff(chain.y)[same])


def _joined(*several: _Points) -> _Points:
    """All of them, by region, and in the order given within one."""
    region, x, y = (np.concatenate(parts) for parts in zip(*several, strict=True))
    order = np.argsort(region, kind="stable")
    return _Points(region[order], x[order], y[order])


def _rightwards(dx: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns directions by quarters until they point right, by less than 45 degrees upwards and at most 45 downwards."""
    for _ in range(3):
        wrong = ~((dx > 0) & (-dx < dy) & (dy <= dx))
        dx, dy = np.where(wrong, -dy, dx), np.where(wrong, dx, dy)
    return dx, dy


def _sides(rectangles: _Rectangles) -> tuple[np.ndarray, np.ndarray]:
    """Width and height of rectangles in pixels."""
    length = np.sqrt(rectangles.dx**2 + rectangles.dy**2)
    return (rectangles.high_u - rectangles.low_u) / length, (rectangles.high_v - rectangles.low_v) / length


def _corners(rectangles: _Rectangles, margin: np.ndarray) -> np.ndarray:
    dx, dy, low_u, high_u, low_v, high_v = (field.astype(np.float64) for field in rectangles)
    square = dx * dx + dy * dy
    wider = margin * np.sqrt(square)
    low_u, high_u, low_v, high_v = low_u - wider, high_u + wider, low_v - wider, high_v + wider
    corners = [
        ((u * dx - v * dy) / square + 0.5, (u * dy + v * dx) / square + 0.5)
        for u, v in ((low_u, low_v), (high_u, low_v), (high_u, high_v), (low_u, high_v))
    ]
    return np.moveaxis(np.array(corners), -1, 0).reshape(-1, 4, 2)


def _scores(probabilities: np.ndarray, rectangles: _Rectangles) -> np.ndarray:
    """The mean probability of the pixels whose centres lie in each rectangle."""
    height, width = probabilities.shape
    dx, dy, low_u, high_u, low_v, high_v = rectangles
    square = dx * dx + dy * dy
    # The highest and the lowest corner, and the rows between them.
    top = np.minimum(low_u * dy, high_u * dy) + low_v * dx
    bottom = np.maximum(low_u * dy, high_u * dy) + high_v * dx
    top, bottom = np.maximum(-(-top // square), 0), np.minimum(bottom // square, height - 1)
    count = np.maximum(bottom - top + 1, 0)
    owner = np.repeat(np.arange(len(dx)), count)
    row = np.arange(len(owner)) + np.repeat(top - (np.cumsum(count) - count), count)
    dx, dy, low_u, high_u, low_v, high_v = (field[owner] for field in rectangles)
    left, right = -((row * dy - low_u) // dx), (high_u - row * dy) // dx
    slope = np.abs(dy)
    tilted = slope > 0
    # Of the sides above and below: which of them bounds a row on the left depends on where the rectangle leans.
    near = np.where(dy > 0, row * dx - high_v, low_v - row * dx)
    far = np.where(dy > 0, row * dx - low_v, high_v - row * dx)
    left = np.where(tilted, np.maximum(left, -(-near // np.maximum(slope, 1))), left)
    right = np.where(tilted, np.minimum(right, far // np.maximum(slope, 1)), right)
    left, right = np.maximum(left, 0), np.minimum(right, width - 1)
    length = np.maximum(right - left + 1, 0)
    pixel = np.arange(length.sum()) + np.repeat(row * width + left - (np.cumsum(length) - length), length)
    values = probabilities.ravel()[pixel].astype(np.float64)
    total = np.bincount(np.repeat(owner, length), values, len(rectangles.dx))
    number = np.bincount(np.repeat(owner, length), minlength=len(rectangles.dx))
    return total / np.maximum(number, 1)
