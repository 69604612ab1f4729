"""Turned crops: what a model is to read of them, and which reading counts."""

from __future__ import annotations

import numpy as np

from spin_tf.contract.constants import TALL, TURNS
from spin_tf.contract.pixels import Pixels, check_pixels, rot90
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.views import views
from spin_tf.contract.word import Word

# What `turn` may be.
TURN = ("tall", "none", "auto")


def check_turn(turn: str) -> str:
    """Refuses what `turn` may not be.

    Raises:
        ValueError: it is none of `TURN`.
    """
    if turn not in TURN:
        raise ValueError(f"turn is tall, none or auto. Received: turn={turn!r}")
    return turn


def is_tall(height: int, width: int) -> bool:
    """Whether a crop may hold a word that runs up or down.

    Of 134 such training words of ICDAR 2015, IIIT5K and Street View Text, 28 were read right as they are, 71 with the
    surest of three readings; of the 255 that are higher than wide but less so, 194 and 194.
    """
    return TALL[1] * height >= TALL[0] * width


def turned_views(
    image: Pixels, preprocessing: Preprocessing, turn: str = "tall", num_views: int = 1
) -> dict[int, list[np.ndarray]]:
    """What the model is to read of one image, preprocessed: by the degrees that it is turned, its views.

    Args:
        image: uint8 array or `Picture`, see `prepare`.
        preprocessing: of the model.
        turn: `"none"`; `"tall"`: a tall one by a quarter either way, too; `"auto"`: by 180 degrees besides.
        num_views: of each turn, see `views`.

    Raises:
        ValueError: an array of another type or shape.
    """
    check_pixels(image)
    image = preprocessing.cut(image)
    tall = turn != "none" and is_tall(*image.shape[:2])
    read = {0: True, 90: tall, -90: tall, 180: turn == "auto"}
    return {degrees: views(rot90(image, degrees // 90), preprocessing, num_views) for degrees in TURNS if read[degrees]}


def surest(words: list[Word]) -> Word:
    """The crop as it is, or a reading of the turned one that is surer; one letter alone does not run anywhere."""
    return max((word for word in words if not word.turned or len(word.text) > 1), key=lambda word: word.confidence)
