"""Displays in the crops of benchmarks/kinds.py: digits of seven segments, letters of 5 x 7 dots. They need no font."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.kinds_drawing import Colour, colours, cut_loosely, of_grey, paint, shrunk

# Top, upper right, lower right, bottom, lower left, upper left, middle.
_SEGMENTS = "0 abcdef 1 bc 2 abged 3 abgcd 4 fgbc 5 afgcd 6 afgedc 7 abc 8 abcdefg 9 abcdfg - g"
# Columns from the left, the lowest bit on top.
_DOTS = """
0 3E5149453E 1 00427F4000 2 4261514946 3 2141454B31 4 1814127F10 5 2745454539 6 3C4A494930 7 0171090503 8 3649494936
9 064949291E A 7E1111117E B 7F49494936 C 3E41414122 D 7F4141221C E 7F49494941 F 7F09090901 G 3E4149497A H 7F0808087F
I 00417F4100 J 2040413F01 K 7F08142241 L 7F40404040 M 7F020C027F N 7F0408107F O 3E4141413E P 7F09090906 Q 3E4151215E
R 7F09192946 S 4649494931 T 01017F0101 U 3F4040403F V 1F2040201F W 3F4038403F X 6314081463 Y 0708700807 Z 6151494543
: 0036360000 - 0808080808 . 0060600000
"""


def _pairs(text: str) -> dict[str, str]:
    parts = text.split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


_LIT = _pairs(_SEGMENTS)
_COLUMNS = {character: bytes.fromhex(columns) for character, columns in _pairs(_DOTS).items()}


def _of_a_display(rng: random.Random) -> tuple[Colour, Colour]:
    """Red, amber, green, blue or white on black, or black on the grey green of a liquid crystal."""
    if rng.random() < 0.35:
        return of_grey(0.25, 0.3, rng.uniform(10, 50)), of_grey(0.22, 0.25, rng.uniform(140, 190))
    hue, saturation = rng.choice([(0.0, 1.0), (0.1, 1.0), (0.36, 1.0), (0.55, 0.8), (0.0, 0.0)])
    return of_grey(hue, saturation, rng.uniform(110, 190)), of_grey(hue, saturation, rng.uniform(4, 25))


def _segment(name: str, width: float, thick: float) -> list[tuple[float, float]]:
    """The corners of one segment of a digit 2 high."""
    x, y, is_level = {
        "a": (0.0, 0.0, True),
        "b": (width, 0.0, False),
        "c": (width, 1.0, False),
        "d": (0.0, 2.0, True),
        "e": (0.0, 1.0, False),
        "f": (0.0, 0.0, False),
        "g": (0.0, 1.0, True),
    }[name]
    half, gap, end = thick / 2, 0.05, width if is_level else 1.0
    along = [(gap, 0.0), (gap + half, -half), (end - gap - half, -half), (end - gap, 0.0)]
    along += [(end - gap - half, half), (gap + half, half)]
    return [(x + a, y + b) if is_level else (x - b, y + a) for a, b in along]


def seven_segments(rng: random.Random, font: str, text: str) -> Image.Image:
    scale, width, thick, slant = 60, rng.uniform(0.85, 1.05), rng.uniform(0.18, 0.28), rng.choice([0.0, 0.08, 0.15])
    lit = Image.new("L", (round(scale * (len(text) + 1) * (width + 0.7)), round(scale * 2.6)))
    faint = lit.copy()
    pens = ImageDraw.Draw(lit), ImageDraw.Draw(faint)
    pen_x = 0.5

    def placed(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(scale * (pen_x + x + slant * (2 - y)), scale * (y + 0.25)) for x, y in corners]

    for character in text:
        if character in ".:":
            size = thick / 2
            for y in (2.0,) if character == "." else (0.6, 1.4):
                pens[0].polygon(placed([(-size, y - size), (size, y - size), (size, y + size), (-size, y + size)]), 255)
            pen_x += 0.4
            continue
        for name in "abcdefg":
            pens[name not in _LIT[character]].polygon(placed(_segment(name, width, thick)), 255)
        # The dot stands close to the digit before it.
        pen_x += width + 0.4
    ink, ground = _of_a_display(rng)
    both = np.stack([np.asarray(lit), np.asarray(faint)], -1).max(-1)
    box = Image.fromarray(both).getbbox()
    lit, faint = lit.crop(box), faint.crop(box)
    margins = rng.random()
    lit, faint = (cut_loosely(random.Random(margins), mask) for mask in (lit, faint))
    unlit = np.asarray(faint, np.float32)[..., None] / 255 * rng.choice([0.0, 0.0, rng.uniform(0.04, 0.1)])
    behind = np.asarray(ground, np.float32) * (1 - unlit) + np.asarray(ink, np.float32) * unlit
    return shrunk(rng, paint(lit, ink, behind))


def dot_matrix(rng: random.Random, font: str, text: str) -> Image.Image:
    pitch, size = 12, rng.uniform(0.6, 0.95)
    columns = [bits for character in text for bits in (*_COLUMNS[character], 0)][:-1]
    mask = Image.new("L", (pitch * len(columns), pitch * 7))
    pen, is_round, rim = ImageDraw.Draw(mask), rng.random() < 0.7, pitch * (1 - size) / 2
    for x, bits in enumerate(columns):
        for y in range(7):
            if bits >> y & 1:
                box = (pitch * x + rim, pitch * y + rim, pitch * (x + 1) - rim, pitch * (y + 1) - rim)
                (pen.ellipse if is_round else pen.rectangle)(box, 255)
    ink, ground = _of_a_display(rng) if rng.random() < 0.7 else colours(rng, is_dark=False)
    return shrunk(rng, paint(cut_loosely(rng, mask), ink, ground))
