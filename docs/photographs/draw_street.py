#!/usr/bin/env python3
"""Draws a photograph of a street that never was, with the places of its words: docs/photographs/draw_street.py OUTPUT.

Writes OUTPUT (a .jpg) and, beside it, OUTPUT's name with .jsonl: labels as bin/evaluate_photos.py reads them.
"""

from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (1280, 800)
# Text, height of the font, colour of the sign and of the letters, and where the corners of the sign are seen.
SIGNS = [
    ("BAKERY", 90, (122, 40, 34), (246, 226, 190), [(92, 120), (560, 168), (560, 292), (92, 262)]),
    ("fresh bread", 52, (238, 232, 214), (60, 44, 36), [(120, 330), (430, 340), (430, 414), (120, 412)]),
    ("COFFEE", 64, (26, 62, 54), (240, 240, 230), [(720, 250), (1000, 214), (1000, 306), (720, 330)]),
    ("TEA", 64, (26, 62, 54), (240, 240, 230), [(1012, 212), (1160, 192), (1160, 290), (1012, 304)]),
    ("OPEN 24", 44, (250, 204, 60), (30, 30, 34), [(790, 420), (960, 414), (960, 484), (790, 488)]),
    ("Market Street", 46, (28, 66, 130), (245, 245, 248), [(820, 56), (1180, 40), (1180, 112), (820, 124)]),
]


def sign(text: str, height: int, ground: tuple[int, ...], ink: tuple[int, ...]) -> tuple[Image.Image, list[tuple]]:
    """A sign from the front, and the boxes of its words."""
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(text)
    margin = height // 3
    image = Image.new("RGB", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin), ground)
    pen = ImageDraw.Draw(image)
    pen.rectangle((3, 3, image.width - 4, image.height - 4), outline=tuple(min(c + 40, 255) for c in ground), width=3)
    pen.text((margin - left, margin - top), text, fill=ink, font=font)
    boxes = []
    for word in text.split():
        start = font.getlength(text[: text.index(word)]) + margin - left
        box = font.getbbox(word)
        boxes.append((start + box[0], margin - top + box[1], start + box[2], margin - top + box[3]))
    return image, boxes


def perspective(source: list[tuple[float, float]], target: list[tuple[float, float]]) -> np.ndarray:
    """The 3 x 3 matrix that takes four points to four others."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), np.array(target).ravel()), 1).reshape(3, 3)


def wall(random: np.random.Generator) -> Image.Image:
    """Bricks in evening light, a pavement, two windows."""
    picture = Image.new("RGB", SIZE, (118, 92, 80))
    pen = ImageDraw.Draw(picture)
    for row, top in enumerate(range(0, 660, 22)):
        for left in range(-30 * (row % 2), SIZE[0], 60):
            shade = int(random.integers(-14, 14))
            pen.rectangle((left + 1, top + 1, left + 57, top + 19), fill=(150 + shade, 104 + shade, 86 + shade))
    pen.rectangle((0, 660, *SIZE), fill=(96, 98, 102))
    for left in (90, 700):
        pen.rectangle((left, 310, left + 480, 600), fill=(34, 40, 48))
        for part in range(4):
            pen.rectangle((left + 12 + 118 * part, 322, left + 116 + 118 * part, 588), fill=(66, 82, 96))
    return picture


def draw(seed: int = 3) -> tuple[Image.Image, list[dict]]:
    """The photograph and its labels."""
    random = np.random.default_rng(seed)
    picture = wall(random)
    words = []
    for text, height, ground, ink, corners in SIGNS:
        image, boxes = sign(text, height, ground, ink)
        edges = [(0, 0), (image.width, 0), (image.width, image.height), (0, image.height)]
        there = perspective(edges, corners)
        back = np.linalg.inv(there)
        coefficients = (back / back[2, 2]).ravel()[:8].tolist()
        seen = image.transform(SIZE, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)
        mask = Image.new("L", image.size, 255).transform(SIZE, Image.Transform.PERSPECTIVE, coefficients)
        shadow = Image.new("RGB", SIZE, (30, 26, 24))
        picture.paste(shadow, (8, 10), mask.filter(ImageFilter.GaussianBlur(6)).point(lambda value: value // 2))
        picture.paste(seen, mask=mask)
        for word, (left, top, right, bottom) in zip(text.split(), boxes, strict=True):
            points = np.array([(left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)]) @ there.T
            words.append({"text": word, "polygon": np.round(points[:, :2] / points[:, 2:], 1).tolist()})
    light = np.linspace(1.08, 0.74, SIZE[1])[:, None, None] * np.linspace(0.9, 1.06, SIZE[0])[None, :, None]
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.8))) * light + random.normal(0, 4, (*SIZE[::-1], 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), words


def main(output: str) -> None:
    picture, words = draw()
    path = pathlib.Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=88)
    path.with_suffix(".jsonl").write_text(json.dumps({"image": path.name, "words": words}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
