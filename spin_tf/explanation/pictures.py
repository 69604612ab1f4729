"""Drawing what a model does to a crop, for TensorBoard and for the page of `bin/recognize.py --explain`."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

SCALE = 3
UPPER, LOWER = (235, 70, 60), (60, 150, 245)
_MARGIN = 24
_GROUND = (90, 90, 90)
_LIGHT, _DARK = np.array([255.0, 196.0, 60.0]), 0.35


def to_picture(pixels: np.ndarray) -> Image.Image:
    """Grey values (height, width) or (height, width, 1) in [-1, 1], clipped, as a picture of the same size."""
    flat = pixels.reshape(pixels.shape[:2])
    return Image.fromarray(((np.clip(flat, -1, 1) + 1) * 127.5).astype(np.uint8))


def enlarge(pixels: np.ndarray) -> Image.Image:
    """The same as `to_picture`, `SCALE` times as large and RGB."""
    picture = to_picture(pixels)
    return picture.resize((picture.width * SCALE, picture.height * SCALE)).convert("RGB")


def draw_control_points(pixels: np.ndarray, points: np.ndarray) -> Image.Image:
    """An enlarged crop in a margin, for points may lie beyond it, and on it the control points of its spline.

    Args:
        pixels: (height, width) or (height, width, 1) in [-1, 1].
        points: (F, 2), (x, y) in units where [-1, 1] spans the crop; the first half becomes the upper edge of the
            rectified image, drawn red, the second half the lower one, blue. May be empty.
    """
    crop = enlarge(pixels)
    canvas = Image.new("RGB", (crop.width + 2 * _MARGIN, crop.height + 2 * _MARGIN), _GROUND)
    canvas.paste(crop, (_MARGIN, _MARGIN))
    pen = ImageDraw.Draw(canvas)
    places = [(_MARGIN + (x + 1) / 2 * crop.width, _MARGIN + (y + 1) / 2 * crop.height) for x, y in points.tolist()]
    half = len(places) // 2
    for edge, colour in ((places[:half], UPPER), (places[half:], LOWER)):
        if len(edge) > 1:
            pen.line(edge, fill=colour)
        for across, down in edge:
            pen.ellipse((across - 3, down - 3, across + 3, down + 3), fill=colour)
    return canvas


def draw_light(pixels: np.ndarray, light: np.ndarray) -> Image.Image:
    """A darkened crop, lit where `light` (height, width), 0 and above, is largest."""
    share = light / max(float(light.max()), 1e-6)
    grey = (np.clip(pixels.reshape(pixels.shape[:2]), -1, 1)[..., None] + 1) * 127.5
    glow = 0.35 * share[..., None]
    lit = grey * (_DARK + (1 - _DARK) * share[..., None])
    return Image.fromarray(np.clip(lit * (1 - glow) + _LIGHT * glow, 0, 255).astype(np.uint8))


def draw_place(pixels: np.ndarray, x: float) -> Image.Image:
    """An enlarged crop with a line at `x`, 0 (left edge) to 1 (right edge)."""
    crop = enlarge(pixels)
    across = min(max(x, 0.0), 1.0) * (crop.width - 1)
    ImageDraw.Draw(crop).line((across, 0, across, crop.height), fill=UPPER, width=3)
    return crop
