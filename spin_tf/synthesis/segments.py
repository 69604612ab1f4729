"""The face of seven-segment displays: digits of clocks, scales, meters and pumps, drawn as polygons."""

from __future__ import annotations

import functools
import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from spin_tf.synthesis.fonts import CAP_HEIGHT, Glyph, GlyphFont

# Segments of each digit, clockwise from the top one (a to f), then the middle one (g).
_SEGMENTS = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgecd",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "-": "g",
    "A": "abcefg",
    "C": "afed",
    "E": "afged",
    "F": "afge",
    "H": "fegbc",
    "L": "fed",
    "P": "abfge",
    "U": "fedcb",
}
_POINTS = ".:°'"
_SCALE = 4


def can_draw(text: str) -> bool:
    """Whether such a display shows `text`: digits for the most part, with points, and few letters."""
    return any(c.isdigit() for c in text) and all(c in _SEGMENTS or c in _POINTS for c in text)


def font(rng: Random) -> SegmentFont:
    """One of the faces: thin to thick segments, upright to slanted, apart or touching, the rest dark or dimly lit."""
    return _face(*(int(rng.random() * n) for n in (4, 3, 2, 3, 3)))


@functools.cache
def _face(thickness: int, slant: int, apart: int, width: int, unlit: int) -> SegmentFont:
    return SegmentFont(
        (0.08, 0.11, 0.14, 0.17)[thickness],
        (0.0, 0.08, 0.16)[slant],
        (0.005, 0.02)[apart],
        (0.5, 0.57, 0.66)[width],
        (0.0, 0.0, 0.14)[unlit],
    )


class SegmentFont(GlyphFont):
    """A display's digits as a font; measures are shares of the height of a digit.

    Args:
        thickness: of a segment.
        slant: to the right, for each unit of height.
        gap: between segments.
        width: of a digit.
        unlit: how bright the segments are that a digit does not use, 0..1.
    """

    def __init__(self, thickness: float, slant: float, gap: float, width: float, unlit: float) -> None:
        super().__init__(None, "".join(_SEGMENTS) + _POINTS)
        self._measures = thickness, slant, gap, width
        self._unlit = round(255 * unlit)

    def _draw(self) -> dict[str, Glyph]:
        return {c: self._glyph(c) for c in self.characters}

    def _glyph(self, character: str) -> Glyph:
        thickness, slant, _, width = self._measures
        height = CAP_HEIGHT * _SCALE
        shift = slant * height
        reach = math.ceil(width * height + shift) + 2
        image = Image.new("L", (reach, height), 0)
        draw = ImageDraw.Draw(image)
        if self._unlit and character in _SEGMENTS:
            for polygon in self._polygons("8"):
                draw.polygon([(x * height + (1 - y) * shift, y * height) for x, y in polygon], self._unlit)
        for polygon in self._polygons(character):
            draw.polygon([(x * height + (1 - y) * shift, y * height) for x, y in polygon], 255)
        mask = np.asarray(image.resize((max(reach // _SCALE, 1), CAP_HEIGHT), Image.Resampling.BOX))
        rows, columns = np.flatnonzero(mask.max(1)), np.flatnonzero(mask.max(0))
        mask = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        # A one stands at the right of its place, as the display leaves it.
        own = width * CAP_HEIGHT if character in _SEGMENTS else mask.shape[1]
        return Glyph(mask, int(columns[0]), int(rows[0]) - CAP_HEIGHT, own + (0.1 + thickness / 2) * CAP_HEIGHT)

    def _polygons(self, character: str) -> list[list[tuple[float, float]]]:
        t, _, gap, w = self._measures
        h = t / 2

        def level(y: float) -> list[tuple[float, float]]:
            left, right = h + gap, w - h - gap
            return [(left, y), (left + h, y - h), (right - h, y - h), (right, y), (right - h, y + h), (left + h, y + h)]

        def upright(x: float, top: float, bottom: float) -> list[tuple[float, float]]:
            a, b = top + gap, bottom - gap
            return [(x, a), (x + h, a + h), (x + h, b - h), (x, b), (x - h, b - h), (x - h, a + h)]

        whole = {
            "a": level(h),
            "g": level(0.5),
            "d": level(1 - h),
            "f": upright(h, h, 0.5),
            "b": upright(w - h, h, 0.5),
            "e": upright(h, 0.5, 1 - h),
            "c": upright(w - h, 0.5, 1 - h),
        }
        if character in _SEGMENTS:
            return [whole[name] for name in _SEGMENTS[character]]

        def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
            return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]

        if character == ".":
            return [square(0, 1 - t, t)]
        if character == ":":
            return [square(0, 0.3 - h, t), square(0, 0.7 - h, t)]
        if character == "'":
            return [[(0, 0), (t * 0.8, 0), (t * 0.6, 0.25), (t * 0.2, 0.25)]]
        side = min(0.3, w)
        ring = side * 0.3
        return [
            square(0, 0, side)[:2] + [(side, ring), (0, ring)],
            [(0, side - ring), (side, side - ring), (side, side), (0, side)],
            [(0, 0), (ring, 0), (ring, side), (0, side)],
            [(side - ring, 0), (side, 0), (side, side), (side - ring, side)],
        ]
