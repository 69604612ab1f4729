"""Quadrilaterals and polygons: areas, overlaps, smallest rectangles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

_Points = Sequence[Sequence[float]] | np.ndarray
_Pair = tuple[float, float]


def signed_area(points: _Points) -> float:
    """The area of a simple polygon; above 0 where it runs clockwise as it is looked at (y downwards)."""
    total = 0.0
    x0, y0 = points[-1]
    for x1, y1 in points:
        total += x0 * y1 - x1 * y0
        x0, y0 = x1, y1
    return float(total) / 2


def area(points: _Points) -> float:
    """The area of a simple polygon."""
    return abs(signed_area(points))


def _clip(points: list[_Pair], convex: Sequence[_Pair]) -> list[_Pair]:
    """Sutherland-Hodgman: the part of a convex polygon inside another one, both clockwise."""
    ax, ay = convex[-1]
    for bx, by in convex:
        if not points:
            return points
        dx, dy = bx - ax, by - ay
        sides = [dx * (y - ay) - dy * (x - ax) for x, y in points]
        kept: list[_Pair] = []
        (x0, y0), side0 = points[-1], sides[-1]
        for (x1, y1), side1 in zip(points, sides, strict=True):
            if (side0 >= 0) != (side1 >= 0):
                share = side0 / (side0 - side1)
                kept.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
            if side1 >= 0:
                kept.append((x1, y1))
            x0, y0, side0 = x1, y1, side1
        points, (ax, ay) = kept, (bx, by)
    return points


def _triangles(points: list[_Pair]) -> list[tuple[float, list[_Pair]]]:
    """A polygon as a sum of triangles, all clockwise, each with the sign that it counts with."""
    fan = []
    for second, third in itertools.pairwise(points[1:]):
        triangle = [points[0], second, third]
        signed = signed_area(triangle)
        if signed:
            fan.append((math.copysign(1.0, signed), triangle if signed > 0 else triangle[::-1]))
    return fan


def intersection(a: _Points, b: _Points) -> float:
    """The area that two simple polygons, convex or not, have in common.

    Exact: every polygon is a sum of triangles with signs, and of two triangles it is known.
    """
    first = [(float(x), float(y)) for x, y in a]
    second = [(float(x), float(y)) for x, y in b]
    for axis in (0, 1):
        if max(p[axis] for p in first) <= min(p[axis] for p in second):
            return 0.0
        if max(p[axis] for p in second) <= min(p[axis] for p in first):
            return 0.0
    total = 0.0
    other = _triangles(second)
    for sign_a, triangle_a in _triangles(first):
        for sign_b, triangle_b in other:
            common = _clip(triangle_a, triangle_b)
            if len(common) > 2:
                total += sign_a * sign_b * signed_area(common)
    return abs(total)


def heights(quadrilaterals: np.ndarray) -> np.ndarray:
    """The mean of the two sides of each of (n, 4, 2), from the upper to the lower edge."""
    return (
        np.linalg.norm(quadrilaterals[:, 3] - quadrilaterals[:, 0], axis=-1)
        + np.linalg.norm(quadrilaterals[:, 2] - quadrilaterals[:, 1], axis=-1)
    ) / 2


def widths(quadrilaterals: np.ndarray) -> np.ndarray:
    """The mean of the upper and the lower edge of each of (n, 4, 2)."""
    return (
        np.linalg.norm(quadrilaterals[:, 1] - quadrilaterals[:, 0], axis=-1)
        + np.linalg.norm(quadrilaterals[:, 2] - quadrilaterals[:, 3], axis=-1)
    ) / 2


def widen(quadrilaterals: np.ndarray, margin: float) -> np.ndarray:
    """Moves every edge of (n, 4, 2) outwards by a share of the shorter of width and height."""
    reach = margin * np.minimum(heights(quadrilaterals), widths(quadrilaterals))[:, None]
    # Each side about its own length: the corners move along the edges that meet there.
    result = quadrilaterals.astype(np.float64)
    for i, j in ((0, 1), (3, 2), (0, 3), (1, 2)):
        edge = quadrilaterals[:, j] - quadrilaterals[:, i]
        step = reach * edge / np.maximum(np.linalg.norm(edge, axis=-1, keepdims=True), 1e-6)
        result[:, i] -= step
        result[:, j] += step
    return result.astype(np.float32)


def _hull(points: np.ndarray) -> np.ndarray:
    """The convex hull of (n, 2), by Andrew's monotone chain."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered)

    def chain(rest: list[_Pair]) -> list[_Pair]:
        kept: list[_Pair] = []
        for x, y in rest:
            while len(kept) > 1 and (kept[-1][0] - kept[-2][0]) * (y - kept[-2][1]) <= (kept[-1][1] - kept[-2][1]) * (
                x - kept[-2][0]
            ):
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def smallest_rectangle(points: _Points) -> np.ndarray:
    """The rectangle of the smallest area around points, float32 (4, 2), as `upright` orders it."""
    hull = _hull(np.asarray(points, np.float64))
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.linalg.norm(edges, axis=-1)
    best, smallest = None, math.inf
    for dx, dy in edges[lengths > 0] / lengths[lengths > 0][:, None] if len(hull) > 1 else [(1.0, 0.0)]:
        axes = np.array([[dx, dy], [-dy, dx]])
        along = hull @ axes.T
        low, high = along.min(axis=0), along.max(axis=0)
        size = float(np.prod(high - low))
        if size < smallest:
            corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
            best, smallest = corners @ axes, size
    return upright(best if best is not None else np.repeat(hull[:1], 4, axis=0))


def upright(corners: np.ndarray) -> np.ndarray:
    """Four corners of a rectangle clockwise from the one that is the upper left as it is looked at, float32 (4, 2)."""
    if signed_area(corners) < 0:
        corners = corners[::-1]
    # The edge that runs to the right most of all is the upper one.
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.maximum(np.linalg.norm(edges, axis=-1), 1e-9)
    return np.roll(corners, -int(np.argmax(np.round(edges[:, 0] / lengths, 6))), axis=0).astype(np.float32)
