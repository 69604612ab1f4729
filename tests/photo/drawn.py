"""A drawn photograph, maps of text, and what Python finds and reads: for tests that compare other programs with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf.data.conversion.cropping import crop
from spin_tf.photo.litert_detector import LiteRTDetector
from spin_tf.photo.text_map import find_quadrilaterals
from spin_tf.recognizer import Recognizer

ONNX = "Multilingual_PP-OCRv3_det.onnx"
MIN_CONFIDENCE, MARGIN = 0.4, 0.1
# Letters of the drawn photograph are as thick in these as the stand-in wants them.
SIZES = {"landscape": (448, 672), "portrait": (672, 448)}
INK, PAPER = (40, 30, 60), (228, 226, 214)
# Words of the drawn photograph by lines, their left ends and tops, and a tilted one below.
LINES = [[("Monday", 60, 60), ("Bakery", 420, 66)], [("Street", 70, 210), ("Garden", 360, 205), ("House", 660, 210)]]
TILTED = ("Harbour", 300, 380, 14)


def drawn_photograph() -> Image.Image:
    """A picture of the size of a photograph with six words on it."""
    font = ImageFont.load_default(64)
    picture = Image.new("RGB", (960, 640), PAPER)
    for line in LINES:
        for text, left, top in line:
            ImageDraw.Draw(picture).text((left, top), text, fill=INK, font=font, stroke_width=2)
    text, left, top, degrees = TILTED
    label = Image.new("RGB", (int(font.getlength(text)) + 60, 110), PAPER)
    ImageDraw.Draw(label).text((30, 15), text, fill=INK, font=font, stroke_width=2)
    picture.paste(label.rotate(degrees, expand=True, fillcolor=PAPER), (left, top))
    return picture


def maps() -> list[dict[str, Any]]:
    """Maps with regions of all shapes, and their rectangles."""
    rng = np.random.default_rng(5)
    result = []
    for height, width in ((40, 70), (33, 128), (96, 64)):
        coarse = rng.random((height // 4 + 1, width // 5 + 1)).repeat(4, axis=0).repeat(5, axis=1)[:height, :width]
        noise = rng.uniform(0.4, 1, (height, width))
        rows, columns = np.mgrid[:height, :width]
        leaning = np.abs(rows - 0.3 * columns - 4) < 3.2
        probabilities = np.where((coarse > 0.72) | leaning, noise, 0.1 * noise).astype(np.float32)
        corners, scores = find_quadrilaterals(probabilities)
        result.append(
            {
                "height": height,
                "width": width,
                "values": probabilities.ravel().tolist(),
                "places": [[c.ravel().tolist(), s] for c, s in zip(corners, scores.tolist(), strict=True)],
            }
        )
    return result


def widen(corners: np.ndarray) -> np.ndarray:
    """As `spin_tf.photo` widens a rectangle before it is cut out."""
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    lengths = np.linalg.norm(across), np.linalg.norm(down)
    reach = MARGIN * min(lengths)
    across, down = across * reach / lengths[0], down * reach / lengths[1]
    return corners + np.array([-across - down, across - down, across + down, down - across])


def read(pixels: np.ndarray, detector: LiteRTDetector, recognizer: Recognizer) -> dict[str, Any]:
    """The places on a picture, and the words there that are read with some confidence."""
    corners, scores = detector(pixels)
    words = [recognizer.read(crop(pixels, tuple(widen(one).ravel().tolist()))) for one in corners.astype(np.float64)]
    return {
        "places": [[c.ravel().tolist(), s] for c, s in zip(corners, scores.tolist(), strict=True)],
        "words": [[w.text, w.confidence] for w in words if w.text and w.confidence >= MIN_CONFIDENCE],
    }
