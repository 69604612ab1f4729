"""Tall crops: what a model is to read of them, and which reading counts."""

from __future__ import annotations

import numpy as np

from spin_tf.data.picture import Picture
from spin_tf.reading.views import views
from spin_tf.reading.word import Word

# From this height by width on, a crop may hold a word that runs up or down. Of 134 such training words of ICDAR 2015,
# IIIT5K and Street View Text, 28 were read right as they are, 71 with the surest of three readings; of the 255 that are
# tall but less so, 194 and 194.
TALL = 1.5


def turned_views(
    image: np.ndarray | Picture, image_size: tuple[int, int], turn_tall: bool, num_views: int = 1
) -> dict[int, list[np.ndarray]]:
    """What the model is to read of one image, preprocessed: by the degrees that it is turned, its views."""
    turns = {0: 0, 90: 1, -90: -1} if turn_tall and image.shape[0] >= TALL * image.shape[1] else {0: 0}
    return {degrees: views(_rot90(image, quarters), image_size, num_views) for degrees, quarters in turns.items()}


def _rot90(image: np.ndarray | Picture, quarters: int) -> np.ndarray | Picture:
    return image.rot90(quarters) if isinstance(image, Picture) else np.rot90(image, quarters)


def surest(words: list[Word]) -> Word:
    """The crop as it is, or a reading of the turned one that is surer; one letter alone does not run anywhere."""
    return max((word for word in words if not word.turned or len(word.text) > 1), key=lambda word: word.confidence)
