"""Pictures for TensorBoard: what the rectification does, and where the decoder looks."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from spin_tf.charset import Tokenizer
from spin_tf.explanation.pictures import draw_control_points, enlarge

_GAP = 6
# Pixels of a row of attention, and of its character beside it.
_ROW, _LABEL = 12, 24


def draw(model: Any, images: np.ndarray, tokenizer: Tokenizer) -> dict[str, list[np.ndarray]]:
    """Draws some words.

    Args:
        model: a `SPINRecognizer`.
        images: (n, height, width, 1) in [-1, 1].
        tokenizer: of the model.

    Returns:
        uint8 RGB pictures of one size by name: "rectification" (the crop with its control points above what the
        backbone gets) and "attention" (below the rectified crop a row for each step, that of the word's end included).
    """
    if not len(images):
        return {}
    rectified = {key: np.asarray(value) for key, value in model.rectify(images).items()}
    read = {key: np.asarray(value) for key, value in model.read(images).items()}
    labels = [_labels(probabilities.argmax(axis=-1), tokenizer) for probabilities in read["probabilities"]]
    # TensorBoard shows pictures of one size.
    rows = max(map(len, labels))
    result: dict[str, list[np.ndarray]] = {"rectification": [], "attention": []}
    for i, image in enumerate(images):
        points = rectified["control_points"][i] if "control_points" in rectified else np.zeros((0, 2))
        after = rectified["image"][i]
        result["rectification"].append(draw_rectification(image, after, points))
        result["attention"].append(draw_attention(after, read["attention"][i], labels[i], rows))
    return result


def draw_rectification(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop, with control points (F, 2) in [-1, 1] as dots, above the rectified one."""
    top, bottom = draw_control_points(before, points), enlarge(after)
    canvas = Image.new("RGB", (top.width, top.height + bottom.height + 2 * _GAP), top.getpixel((0, 0)))
    canvas.paste(top, (0, 0))
    canvas.paste(bottom, ((top.width - bottom.width) // 2, top.height))
    return np.asarray(canvas)


def _labels(tokens: np.ndarray, tokenizer: Tokenizer) -> list[str]:
    """Of each step up to the end of the word what was chosen there: a character, "end", or "-" for padding.

    A model that has not learnt to read writes no character: its steps are shown all the same.
    """
    ends = np.flatnonzero(tokens == tokenizer.END_ID)
    steps = tokens[: int(ends[0]) + 1] if len(ends) else tokens
    names = {tokenizer.END_ID: "end"}
    return [names.get(int(token)) or tokenizer.decode([token]) or "-" for token in steps]


def draw_attention(image: np.ndarray, attention: np.ndarray, labels: list[str], rows: int) -> np.ndarray:
    """The crop, and below it attention (steps, time) as a row of light for each of the labels; room for `rows`."""
    crop = enlarge(image)
    canvas = Image.new("RGB", (_LABEL + crop.width, crop.height + _GAP + rows * _ROW), (40, 40, 40))
    canvas.paste(crop, (_LABEL, 0))
    pen = ImageDraw.Draw(canvas)
    for i, label in enumerate(labels):
        row = attention[i] / max(float(attention[i].max()), 1e-6)
        light = Image.fromarray((row * 255).astype(np.uint8)[None]).resize((crop.width, _ROW - 1))
        canvas.paste(light, (_LABEL, crop.height + _GAP + i * _ROW))
        pen.text((3, crop.height + _GAP + i * _ROW), label if label.isascii() else "?", fill=(255, 255, 255))
    return np.asarray(canvas)
