"""A model takes images of one size at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

_Answer = TypeVar("_Answer")


def same_size(images: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups images by their shape.

    Yields:
        the places of the images of a group, int64 (n,), and the images, (n, *shape); the narrowest first.
    """
    shapes = [image.shape for image in images]
    for shape in sorted(set(shapes)):
        places = np.flatnonzero([other == shape for other in shapes])
        yield places, np.stack([images[int(place)] for place in places])


def read_by_size(
    images: Sequence[np.ndarray], read: Callable[[np.ndarray, list[int]], Iterable[_Answer]]
) -> list[_Answer]:
    """Calls a function once for each size that there is.

    Args:
        images: float32 (height, width, 1) of any sizes.
        read: of images of one size (n, height, width, 1) and their places, to n answers.

    Returns:
        an answer for each image, in their order.
    """
    answers: dict[int, _Answer] = {}
    for places, group in same_size(images):
        answers.update(zip(places.tolist(), read(group, places.tolist()), strict=True))
    return [answers[place] for place in range(len(images))]
