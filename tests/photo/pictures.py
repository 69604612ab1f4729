"""Photographs that are drawn, with the places of their words, and detectors that need no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Placed = tuple[str, int, int, int]


def draw_signs(
    words: Sequence[Placed], size: tuple[int, int] = (900, 600), ground: tuple[int, int, int] = (60, 90, 120)
) -> tuple[Image.Image, np.ndarray]:
    """A photograph of words on light plates.

    Args:
        words: text, left and top of the letters, height of the font.
        size: width and height.
        ground: colour around the plates.

    Returns:
        the picture, and the quadrilaterals of the words, float32 (n, 4, 2).
    """
    picture = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(picture)
    places = []
    for text, left, top, height in words:
        font = ImageFont.load_default(height)
        box = pen.textbbox((left, top), text, font=font)
        around = height // 4
        pen.rectangle((box[0] - around, box[1] - around, box[2] + around, box[3] + around), fill=(240, 238, 230))
        pen.text((left, top), text, fill=(20, 20, 30), font=font)
        places.append([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])])
    return picture, np.array(places, np.float32).reshape(-1, 4, 2)


class PlateDetector:
    """Finds the light plates of `draw_signs` in any picture, however it is shrunk, cut or turned."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.shapes.append(picture.shape)
        light = picture.min(axis=-1) > 200
        found = []
        seen = np.zeros_like(light)
        for row, column in np.argwhere(light).tolist():
            if seen[row, column]:
                continue
            # A plate is a rectangle: follow its upper and its left edge, over the ink of letters.
            right = column
            while right + 1 < light.shape[1] and light[row, right + 1]:
                right += 1
            bottom = row
            while bottom + 1 < light.shape[0] and light[bottom + 1, column]:
                bottom += 1
            seen[row : bottom + 1, column : right + 1] = True
            if min(bottom - row, right - column) >= 6:
                found.append([(column, row), (right + 1, row), (right + 1, bottom + 1), (column, bottom + 1)])
        return np.array(found, np.float32).reshape(-1, 4, 2), np.full(len(found), 0.9, np.float32)
