"""Photographs that lie on a side or upside down: a few of their words, read in four directions, tell."""

from __future__ import annotations

import numpy as np

from spin_tf.data.quadrilaterals import heights, widths
from spin_tf.recognizer import Recognizer, Word

# How many words are tried, from which mean confidence on nothing else is, and below which they tell nothing.
_TRIED, _SURE, _UNSURE = 8, 0.6, 0.3
# Another direction counts where the sum of its confidences is this many times that of the picture as it is.
_TIMES = 1.6
_QUARTERS = (1, 2, 3)


def trial_words(quadrilaterals: np.ndarray) -> list[int]:
    """The words to try: the largest of those that are clearly longer than high, or higher than long."""
    if not len(quadrilaterals):
        return []
    high, wide = heights(quadrilaterals), widths(quadrilaterals)
    longer = np.maximum(high, wide) / np.maximum(np.minimum(high, wide), 1e-6)
    order = np.lexsort((-high * wide, longer < 1.5))
    return order[:_TRIED].tolist()


def _sum(words: list[Word]) -> float:
    # One letter alone can be read in any direction; and what the recognizer turned speaks for another one.
    return sum(word.confidence for word in words if len(word.text) > 1 and not word.turned)


def direction(recognizer: Recognizer, crops: list[np.ndarray], words: list[Word]) -> int | None:
    """By how many quarters counter-clockwise a picture has to be turned for reading.

    Args:
        recognizer: reads the words.
        crops: the words to try, as the picture shows them.
        words: how they were read so.

    Returns:
        0 to 3; None where they make little sense in any direction.
    """
    as_it_is = _sum(words)
    if not crops or as_it_is >= _SURE * len(crops):
        return 0
    sums = {0: as_it_is}
    for quarters in _QUARTERS:
        sums[quarters] = _sum(recognizer.read([np.ascontiguousarray(np.rot90(crop, quarters)) for crop in crops]))
    best = max(sums, key=lambda quarters: sums[quarters])
    if sums[best] > max(_TIMES * as_it_is, 0.5):
        return best
    return 0 if as_it_is >= _UNSURE * len(crops) else None


def turned_back(quadrilaterals: np.ndarray, quarters: int, height: int, width: int) -> np.ndarray:
    """Places in a picture that was turned, as places in the picture before.

    Args:
        quadrilaterals: float (n, 4, 2) in `np.rot90(picture, quarters)`.
        quarters: 0 to 3.
        height: of the picture before it was turned.
        width: the same.
    """
    x, y = quadrilaterals[..., 0], quadrilaterals[..., 1]
    if quarters == 1:
        x, y = width - y, x
    elif quarters == 2:
        x, y = width - x, height - y
    elif quarters == 3:
        x, y = y, height - x
    return np.stack([x, y], axis=-1)
