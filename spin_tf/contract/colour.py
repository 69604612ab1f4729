"""Colours along an axis in place of grey, for ink that differs from its ground in colour only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spin_tf.contract.constants import COLOUR_DIRECTIONS, COLOUR_MIN_VARIANCE, COLOUR_RATIO, COLOUR_UNIT

# 256 squares of 255 are less than 2 ** 24.
_LONGEST = 256


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


def colour_axis(planes: np.ndarray, grey: np.ndarray) -> ColourAxis | None:
    """The axis along which the colours spread, where their grey values hardly do; None where grey does.

    Args:
        planes: float32 (3, ...), `colour_planes` of a view.
        grey: float32 (...), `weighted_grey` of them.
    """
    # In parts so short that float32 holds their sums, whole numbers below 2 ** 24, exactly: copies in float64 would
    # take longer than all else. Not by BLAS: its threads wait long for each other where the cores are busy.
    number = grey.size
    length = next(k for k in range(_LONGEST, 0, -1) if number % k == 0)
    colours, shades = planes.reshape(3, -1, length), grey.reshape(-1, length)

    def total(*factors: np.ndarray) -> int:
        return int(np.einsum("rk,rk->r" if len(factors) > 1 else "rk->r", *factors).sum(dtype=np.float64))

    sums = [total(one) for one in colours]

    def spread(i: int, j: int) -> int:
        return number * total(colours[i], colours[j]) - sums[i] * sums[j]

    own = [spread(i, i) for i in range(3)]
    variance = number * total(shades, shades) - total(shades) ** 2
    least = max(COLOUR_RATIO * variance, COLOUR_MIN_VARIANCE * number * number)
    # No axis has more than all three channels together: most pictures end here.
    if sum(own) < least:
        return None
    spreads = [[own[i] if i == j else spread(i, j) for j in range(3)] for i in range(3)]

    def along(direction: tuple[int, int, int]) -> int:
        value = sum(a * b * spreads[i][j] for i, a in enumerate(direction) for j, b in enumerate(direction))
        return value * (COLOUR_UNIT // sum(a * a for a in direction))

    best = max(COLOUR_DIRECTIONS, key=along)
    if along(best) < COLOUR_UNIT * least:
        return None
    places = best[0] * planes[0] + best[1] * planes[1] + best[2] * planes[2]
    lowest = int(places.min())
    return ColourAxis(best, lowest, int(places.max()) - lowest)
