"""Views of two sizes to a model, which takes those of one size at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

_Answer = TypeVar("_Answer")


def read_by_size(
    views: Sequence[np.ndarray], read: Callable[[np.ndarray, list[int]], Iterable[_Answer]]
) -> list[_Answer]:
    """Calls a function once for each size that there is.

    Args:
        views: float32 (height, width, 1) of one or several sizes.
        read: of a stack (n, height, width, 1), and of the places of its views, to n answers.

    Returns:
        an answer for each view, in their order.
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for place, view in enumerate(views):
        places.setdefault(view.shape, []).append(place)
    answers: dict[int, _Answer] = {}
    for members in places.values():
        answers.update(zip(members, read(np.stack([views[place] for place in members]), members), strict=True))
    return [answers[place] for place in range(len(views))]
