#!/usr/bin/env python3
"""Draws photographs of seven-segment displays and their readings: a stand-in for crops of one's own.

    docs/tutorial/draw_displays.py FOLDER [COUNT] [SEED]

FOLDER gets 000.jpg, 001.jpg, ... and labels.txt, a line `file<TAB>reading` each.
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# The lit segments of each figure: a the top, then clockwise to f, g the middle.
SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc",
    "5": "afgcd", "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip
WIDTH, HEIGHT, STROKE, GAP = 60, 110, 13, 26
# Colours of (panel, unlit, lit): red and green LEDs, a grey LCD, a blue one.
PANELS = [
    ((22, 8, 8), (48, 14, 14), (255, 60, 40)),
    ((6, 20, 10), (16, 44, 24), (90, 255, 120)),
    ((168, 178, 160), (158, 168, 150), (30, 34, 30)),
    ((30, 60, 150), (38, 70, 162), (225, 235, 255)),
]


def segment(name: str, x: float) -> list[tuple[float, float]]:
    """The six corners of a segment of the figure whose left edge is at `x`: a bar with pointed ends."""
    half = STROKE / 2
    lies = name in "agd"
    column = {"e": 0.0, "f": 0.0, "b": 1.0, "c": 1.0}.get(name, 0.5)
    row = {"a": 0.0, "b": 0.25, "f": 0.25, "g": 0.5, "c": 0.75, "e": 0.75, "d": 1.0}[name]
    center_x, center_y = x + half + column * (WIDTH - STROKE), half + row * (HEIGHT - STROKE)
    reach = (WIDTH - STROKE if lies else (HEIGHT - STROKE) / 2) / 2 - 2
    inner = reach - half
    bar = [(-reach, 0.0), (-inner, -half), (inner, -half), (reach, 0.0), (inner, half), (-inner, half)]
    return [(center_x + u, center_y + v) if lies else (center_x + v, center_y + u) for u, v in bar]


def draw_display(reading: str, rng: np.random.Generator) -> Image.Image:
    """A photograph of a display that shows `reading`, of digits and at most one point."""
    panel, unlit, lit = PANELS[rng.integers(len(PANELS))]
    digits = reading.replace(".", "")
    margin = rng.integers(14, 40)
    size = (len(digits) * (WIDTH + GAP) - GAP + 2 * margin + 30, HEIGHT + 2 * margin)
    face = Image.new("RGB", size, panel)
    pen = ImageDraw.Draw(face)
    slant = rng.uniform(0.0, 0.15)
    show_unlit = rng.random() < 0.6
    for i, digit in enumerate(digits):
        for name in "abcdefg":
            is_lit = name in SEGMENTS[digit]
            if is_lit or show_unlit:
                corners = [
                    (margin + 15 + px - slant * (py - HEIGHT / 2), margin + py)
                    for px, py in segment(name, i * (WIDTH + GAP))
                ]
                pen.polygon(corners, fill=lit if is_lit else unlit)
    if "." in reading:
        x = margin + 15 + reading.index(".") * (WIDTH + GAP) - GAP / 2 - slant * HEIGHT / 2
        y = margin + HEIGHT - 7
        pen.ellipse((x - 8, y - 8, x + 8, y + 8), fill=lit)
    return photograph(face, rng)


def photograph(face: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A display seen by a hand-held camera: turned, small, blurred, unevenly lit, with noise."""
    turned = face.rotate(rng.uniform(-5, 5), Image.Resampling.BICUBIC, expand=True, fillcolor=face.getpixel((0, 0)))
    scale = rng.uniform(24, 60) / turned.height
    small = turned.resize((max(round(turned.width * scale), 8), round(turned.height * scale)), Image.Resampling.LANCZOS)
    pixels = np.asarray(small.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.6))), "float32")
    light = 1 + rng.uniform(-0.3, 0.3) * np.linspace(-1, 1, pixels.shape[1])[None, :, None]
    pixels = pixels * light * rng.uniform(0.6, 1.1) + rng.uniform(0, 50)
    noisy = pixels + rng.normal(0, rng.uniform(2, 10), pixels.shape)
    return Image.fromarray(noisy.clip(0, 255).astype("uint8"))


def make_reading(rng: np.random.Generator) -> str:
    """Three to six digits, usually with a point."""
    digits = "".join(rng.choice(list("0123456789"), rng.integers(3, 7)))
    if rng.random() < 0.7:
        place = int(rng.integers(1, len(digits)))
        return f"{digits[:place]}.{digits[place:]}"
    return digits


def main(folder: str, count: str = "200", seed: str = "0") -> None:
    rng = np.random.default_rng(int(seed))
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    lines = []
    for i in range(int(count)):
        reading = make_reading(rng)
        name = f"{i:03d}.jpg"
        draw_display(reading, rng).save(target / name, quality=int(rng.integers(60, 95)))
        lines.append(f"{name}\t{reading}\n")
    (target / "labels.txt").write_text("".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
