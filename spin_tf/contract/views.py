"""Other views of one crop, which a model reads beside the crop as it is, and one word of their readings: `effort`.

Of each number of views this is the combination that read most of 2,202 training words of ICDAR 2015, IIIT5K and Street
View Text right, taking the best view next, out of twelve: framed wider or narrower, turned by 3 or 5 degrees, inverted,
smoothed (`benchmarks/decoding.py --choose_views`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from spin_tf.contract.colour import ColourAxis
from spin_tf.contract.pixels import Pixels, to_grey
from spin_tf.contract.preprocessing import Preprocessing, Size, normalized
from spin_tf.contract.word import Word

# Margin (of height, of width) and degrees of each view after the crop as it is; an effort of n takes the first n - 1.
_VIEWS = (
    ((0.06, 0.06), -3.0),
    ((0.0, 0.0), 5.0),
    ((0.12, 0.0), 0.0),
    ((0.0, 0.0), -5.0),
    ((0.06, 0.06), 3.0),
)


def views(image: Pixels, preprocessing: Preprocessing, num_views: int) -> list[np.ndarray]:
    """A picture, cut and turned, as it is, and as many other views as are asked for: the model's inputs."""
    plain = preprocessing.view(image)
    if num_views == 1:
        return [plain]
    pixels = image if isinstance(image, np.ndarray) else image.to_array()
    size, (_, axis) = preprocessing.size(image), preprocessing.values(image)
    return [plain, *(warped(pixels, size, margin, degrees, axis) for margin, degrees in _VIEWS[: num_views - 1])]


def warped(
    image: np.ndarray,
    size: Size,
    margin: tuple[float, float] = (0.0, 0.0),
    degrees: float = 0.0,
    axis: ColourAxis | None = None,
) -> np.ndarray:
    """Preprocesses a crop with a wider or narrower frame, turned about its middle; outside repeats the border.

    As elsewhere, only the pixels that bilinear interpolation looks at are touched.

    Args:
        image: uint8 array (height, width), (height, width, 1) or (height, width, 3).
        size: height and width of the result.
        margin: what the frame gains on each side, as shares of height and width; negative cuts off.
        degrees: by which the content turns counter-clockwise, in pixels of the crop.
        axis: of the colours of the plain view; None is grey.

    Returns:
        float32 array (size[0], size[1], 1) in [-1, 1].
    """
    height, width = image.shape[:2]
    y = ((np.arange(size[0]) + 0.5) / size[0] - 0.5)[:, None] * height * (1 + 2 * margin[0])
    x = ((np.arange(size[1]) + 0.5) / size[1] - 0.5)[None] * width * (1 + 2 * margin[1])
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across = np.clip(cosine * x - sine * y + (width - 1) / 2, 0, width - 1)
    down = np.clip(sine * x + cosine * y + (height - 1) / 2, 0, height - 1)
    left, top = across.astype(np.intp), down.astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    pixels = image[np.stack([top, top, bottom, bottom]), np.stack([left, right, left, right])]
    taps = to_grey(pixels.reshape(-1, 1, *image.shape[2:])) if axis is None else axis.values(pixels).astype(np.float32)
    upper_left, upper_right, lower_left, lower_right = taps.reshape(4, *size)
    share = (across - left).astype(np.float32)
    upper = upper_left + (upper_right - upper_left) * share
    lower = lower_left + (lower_right - lower_left) * share
    return normalized(upper + (lower - upper) * (down - top).astype(np.float32))


def vote(views: Sequence[Sequence[Word]], n_best: int = 1, min_probability: float = 0.0) -> Word:
    """Adds what the views give to each text and divides by their number: the probability in the mean over the views.

    Args:
        views: of each view its readings, the most probable first; may be empty. The crop as it is comes first.
        n_best: the answer, and `n_best` - 1 alternatives.
        min_probability: of the answer.

    Returns:
        the most probable reading, with the characters of the first view that has it; an empty text with a reason where
        there is none.
    """
    first: dict[str, Word] = {}
    sums: dict[str, float] = {}
    for readings in views:
        for word in readings:
            first.setdefault(word.text, word)
            sums[word.text] = sums.get(word.text, 0.0) + word.confidence
    ranked = sorted(
        (dataclasses.replace(word, confidence=sums[text] / len(views)) for text, word in first.items()),
        key=lambda word: -word.confidence,
    )
    ranked = [word for word in ranked[:n_best] if word.confidence >= min_probability]
    if not ranked:
        return Word(
            "", 0.0, (), reason=f"no word: no reading that is allowed reaches a confidence of {min_probability:g}"
        )
    return dataclasses.replace(ranked[0], alternatives=tuple(ranked[1:]))
