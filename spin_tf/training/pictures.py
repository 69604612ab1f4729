"""Pictures for TensorBoard: what the rectification does, and where the decoder looks."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from spin_tf.charset import Tokenizer
from spin_tf.explanation.pictures import draw_control_points, enlarge

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
        points = rectified["control_points"][i] if "control_points" in rectified else np.zeros((0, 2))
        after = rectified["image"][i]
        result["rectification"].append(draw_rectification(image, after, points))
        text = tokenizer.decode(read["probabilities"][i].argmax(axis=-1))
        result["attention"].append(draw_attention(after, read["attention"][i], text))
    return result


def draw_rectification(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop, with control points (F, 2) in [-1, 1] as dots, above the rectified one."""
    top, bottom = draw_control_points(before, points), enlarge(after)
    canvas = Image.new("RGB", (top.width, top.height + bottom.height + 2 * _GAP), top.getpixel((0, 0)))
    canvas.paste(top, (0, 0))
    canvas.paste(bottom, ((top.width - bottom.width) // 2, top.height))
    return np.asarray(canvas)


def draw_attention(image: np.ndarray, attention: np.ndarray, text: str, rows: int = 26) -> np.ndarray:
    """Attention (steps, time) of each character that was read, as a row of light beside the character."""
    crop = enlarge(image)
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
