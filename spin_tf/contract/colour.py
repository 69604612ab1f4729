"""Colours along an axis in place of grey, for ink that differs from its ground in colour only."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from spin_tf.contract.constants import COLOUR_DIRECTIONS, COLOUR_MIN_VARIANCE, COLOUR_RATIO, COLOUR_UNIT


class ColourAxis(NamedTuple):
    """An axis through the colours of a view.

    Args:
        direction: weights of red, green and blue.
        lowest: the sum of the weighted colours that becomes 0.
        span: what it takes from there to 255, at least 1.
    """

    direction: tuple[int, int, int]
    lowest: int
    span: int

    def values(self, pixels: np.ndarray) -> np.ndarray:
        """Whole numbers 0..255, int64 (...), of a uint8 array (..., 3)."""
        places = pixels @ np.asarray(self.direction) - self.lowest
        return np.clip((places * 510 + self.span) // (2 * self.span), 0, 255)


def colour_axis(pixels: np.ndarray, grey: np.ndarray) -> ColourAxis | None:
    """The axis along which the colours spread, where their grey values hardly do; None where grey does.

    Args:
        pixels: uint8 (..., 3).
        grey: `weighted_grey` of them.
    """
    # All sums are of whole numbers below 2 ** 53, which float64 adds exactly and fast.
    colours = pixels.reshape(-1, 3).astype(np.float64)
    shades = grey.ravel().astype(np.float64)
    number = len(colours)

    def spread(squares: Any, first: Any, second: Any) -> int:
        return number * int(squares) - int(first) * int(second)

    sums = np.ones(number) @ colours
    least = max(
        COLOUR_RATIO * spread(shades @ shades, shades.sum(), shades.sum()), COLOUR_MIN_VARIANCE * number * number
    )
    # No axis has more than all three channels together: most pictures end here.
    if spread(colours.ravel() @ colours.ravel(), 0, 0) - sum(int(one) ** 2 for one in sums) < least:
        return None
    products = colours.T @ colours
    spreads = [[spread(products[i, j], sums[i], sums[j]) for j in range(3)] for i in range(3)]

    def along(direction: tuple[int, int, int]) -> int:
        total = sum(a * b * spreads[i][j] for i, a in enumerate(direction) for j, b in enumerate(direction))
        return total * (COLOUR_UNIT // sum(a * a for a in direction))

    best = max(COLOUR_DIRECTIONS, key=along)
    if along(best) < COLOUR_UNIT * least:
        return None
    places = pixels @ np.asarray(best)
    lowest = int(places.min())
    return ColourAxis(best, lowest, int(places.max()) - lowest)
