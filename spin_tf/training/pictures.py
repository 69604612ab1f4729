"""Pictures for TensorBoard: what the rectification does, and where the decoder looks."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from spin_tf.charset import Tokenizer

_SCALE = 3
_GAP = 6


def draw(model: Any, images: np.ndarray, tokenizer: Tokenizer) -> dict[str, list[np.ndarray]]:
    """Draws some words.

    Args:
        model: a `SPINRecognizer`.
        images: (n, height, width, 1) in [-1, 1].
        tokenizer: of the model.

    Returns:
        uint8 RGB pictures of one size by name: "rectification" (the crop with its control points above what the
        backbone gets) and "attention" (a row for each character that was read, over the rectified crop).
    """
    if not len(images):
        return {}
    rectified = {key: np.asarray(value) for key, value in model.rectify(images).items()}
    read = {key: np.asarray(value) for key, value in model.read(images).items()}
    result: dict[str, list[np.ndarray]] = {"rectification": [], "attention": []}
    for i, image in enumerate(images):
        points = rectified["control_points"][i] if "control_points" in rectified else None
        after = rectified["image"][i]
        result["rectification"].append(draw_rectification(image, after, points))
        text = tokenizer.decode(read["probabilities"][i].argmax(axis=-1))
        result["attention"].append(draw_attention(after, read["attention"][i], text))
    return result


def draw_rectification(before: np.ndarray, after: np.ndarray, points: np.ndarray | None) -> np.ndarray:
    """The crop, with control points (F, 2) in [-1, 1] as dots, above the rectified one."""
    top, bottom = _enlarge(before), _enlarge(after)
    # Points may lie beyond the crop.
    canvas = Image.new("RGB", (top.width + 8 * _GAP, top.height + bottom.height + 5 * _GAP), (90, 90, 90))
    left, upper = 4 * _GAP, 2 * _GAP
    canvas.paste(top, (left, upper))
    canvas.paste(bottom, (left, upper + top.height + 2 * _GAP))
    pen = ImageDraw.Draw(canvas)
    if points is None:
        points = np.zeros((0, 2))
    for i, (x, y) in enumerate(points):
        across, down = left + (x + 1) / 2 * top.width, upper + (y + 1) / 2 * top.height
        colour = (255, 60, 60) if i < len(points) // 2 else (60, 160, 255)
        pen.ellipse((across - 2, down - 2, across + 2, down + 2), fill=colour)
    return np.asarray(canvas)


def draw_attention(image: np.ndarray, attention: np.ndarray, text: str, rows: int = 26) -> np.ndarray:
    """Attention (steps, time) of each character that was read, as a row of light beside the character."""
    crop = _enlarge(image)
    height = 12
    canvas = Image.new("RGB", (crop.width + 16, crop.height + _GAP + rows * height), (40, 40, 40))
    canvas.paste(crop, (16, 0))
    pen = ImageDraw.Draw(canvas)
    for i, character in enumerate(text[:rows]):
        row = attention[i] / max(float(attention[i].max()), 1e-6)
        light = Image.fromarray((row * 255).astype(np.uint8)[None]).resize((crop.width, height - 1))
        canvas.paste(light, (16, crop.height + _GAP + i * height))
        pen.text((3, crop.height + _GAP + i * height), character if character.isascii() else "?", fill=(255, 255, 255))
    return np.asarray(canvas)


def _enlarge(image: np.ndarray) -> Image.Image:
    pixels = ((np.clip(image[..., 0], -1, 1) + 1) * 127.5).astype(np.uint8)
    large = Image.fromarray(pixels).resize((pixels.shape[1] * _SCALE, pixels.shape[0] * _SCALE))
    return large.convert("RGB")
