"""Bent, stretched and turned text in the crops of benchmarks/kinds.py."""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image

from benchmarks.kinds_drawing import CAPITALS, cut_loosely, finished, plain, text_mask, tight


def _remapped(mask: Image.Image, x: np.ndarray, y: np.ndarray) -> Image.Image:
    """The mask's pixel nearest to each place (x, y), nothing outside."""
    source = np.asarray(mask)
    columns, rows = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (columns >= 0) & (columns < mask.width) & (rows >= 0) & (rows < mask.height)
    values = source[np.clip(rows, 0, mask.height - 1), np.clip(columns, 0, mask.width - 1)]
    return tight(Image.fromarray(np.where(inside, values, 0).astype(np.uint8)))


def tilted(rng: random.Random, font: str, text: str) -> Image.Image:
    degrees = rng.choice([-1, 1]) * rng.uniform(8, 12)
    mask = text_mask(font, text).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return finished(rng, cut_loosely(rng, tight(mask)))


def curved(rng: random.Random, font: str, text: str) -> Image.Image:
    """On an arc of 35 to 70 degrees, open to either side."""
    mask = text_mask(font, text)
    is_valley = rng.random() < 0.5
    if is_valley:
        mask = mask.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    angle = math.radians(rng.uniform(35, 70))
    radius = mask.width / angle
    half = round((radius + mask.height) * math.sin(angle / 2)) + 2
    height = round(radius + mask.height - radius * math.cos(angle / 2)) + 2
    y, x = np.mgrid[0:height, -half:half]
    down = radius + mask.height - y
    bent = _remapped(mask, (np.arctan2(x, down) / angle + 0.5) * mask.width, radius + mask.height - np.hypot(x, down))
    bent = bent.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if is_valley else bent
    return finished(rng, cut_loosely(rng, bent))


def in_perspective(rng: random.Random, font: str, text: str) -> Image.Image:
    """Seen from a side: the far end is 50 to 70 % as high as the near one, and the middle of it higher or lower."""
    # The near end may be on the right: the same view of the mirrored word, mirrored.
    is_mirrored = rng.random() < 0.5
    mask = _mirrored(text_mask(font, text), is_mirrored)
    width, height = mask.size
    far, shift = rng.uniform(0.5, 0.7), rng.uniform(-0.3, 0.3)
    end = round(width * rng.uniform(0.7, 0.85))
    top = height * ((1 - far) / 2 + shift)
    corners = [(0, 0), (end, top), (end, top + far * height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, float), np.array(values, float))
    y, x = np.mgrid[round(min(0, top)) : round(max(height, top + far * height)) + 1, 0 : end + 1]
    depth = g * x + h * y + 1
    seen = _remapped(mask, (a * x + b * y + c) / depth, (d * x + e * y + f) / depth)
    return finished(rng, cut_loosely(rng, _mirrored(seen, is_mirrored)))


def _mirrored(mask: Image.Image, is_mirrored: bool) -> Image.Image:
    return mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if is_mirrored else mask


def _of_width(rng: random.Random, font: str, text: str, low: float, high: float) -> Image.Image:
    mask = text_mask(font, text)
    width = round(CAPITALS * len(text) * rng.uniform(low, high))
    return finished(rng, cut_loosely(rng, mask.resize((width, mask.height), Image.Resampling.BICUBIC)))


def condensed(rng: random.Random, font: str, text: str) -> Image.Image:
    """A character is 0.3 to 0.4 capitals' heights wide on average; 0.6 to 0.8 is usual."""
    return _of_width(rng, font, text, 0.3, 0.4)


def expanded(rng: random.Random, font: str, text: str) -> Image.Image:
    """1.3 to 1.8 capitals' heights a character."""
    return _of_width(rng, font, text, 1.3, 1.8)


def turned(rng: random.Random, font: str, text: str) -> Image.Image:
    """By a quarter, to either side."""
    return plain(rng, font, text).transpose(rng.choice([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270]))


def upside_down(rng: random.Random, font: str, text: str) -> Image.Image:
    return plain(rng, font, text).transpose(Image.Transpose.ROTATE_180)


def stacked(rng: random.Random, font: str, text: str) -> Image.Image:
    """Upright letters below each other."""
    letters = [text_mask(font, letter) for letter in text]
    gap = round(CAPITALS * rng.uniform(0.15, 0.3))
    column = Image.new("L", (max(one.width for one in letters), sum(one.height + gap for one in letters) - gap))
    y = 0
    for letter in letters:
        column.paste(letter, ((column.width - letter.width) // 2, y))
        y += letter.height + gap
    return finished(rng, cut_loosely(rng, column))
