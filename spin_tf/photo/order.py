"""Words into lines, lines into the order in which they are read."""

from __future__ import annotations

import numpy as np

from spin_tf.data.quadrilaterals import heights

# In heights of the smaller word: how wide a blank may be, how far words may overlap, and how far a word may be shifted
# against the line. A wider gap is that between columns.
_MAX_BLANK, _MAX_OVERLAP, _MAX_SHIFT = 1.6, 0.6, 0.45
# Words of one line are of about one height and direction.
_MAX_RATIO, _MIN_COSINE = 1.9, 0.85


def lines_of(quadrilaterals: np.ndarray) -> list[list[int]]:
    """Chains words to lines, which may be tilted or bent, and sorts the lines.

    Args:
        quadrilaterals: float (n, 4, 2), each clockwise from the upper left of the word as it is read.

    Returns:
        The numbers of the words of each line, both in reading order. Columns stay apart.
    """
    if not len(quadrilaterals):
        return []
    chains = _chains(np.asarray(quadrilaterals, np.float64))
    return [chains[i] for i in _reading_order([quadrilaterals[chain] for chain in chains])]


def _chains(corners: np.ndarray) -> list[list[int]]:
    left = (corners[:, 0] + corners[:, 3]) / 2
    right = (corners[:, 1] + corners[:, 2]) / 2
    high = np.maximum(heights(corners), 1e-6)
    along = right - left
    along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-6)
    # From the end of each word (rows) to the beginning of each other one (columns), in the mean direction of both.
    gap = left[None] - right[:, None]
    mean = along[:, None] + along[None]
    mean /= np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-6)
    lower = np.minimum(high[:, None], high[None])
    forward = (gap * mean).sum(axis=-1) / lower
    shift = np.abs(gap[..., 0] * mean[..., 1] - gap[..., 1] * mean[..., 0]) / lower
    possible = (
        (forward < _MAX_BLANK)
        & (forward > -_MAX_OVERLAP)
        & (shift < _MAX_SHIFT)
        & (np.maximum(high[:, None], high[None]) < _MAX_RATIO * lower)
        & ((along[:, None] * along[None]).sum(axis=-1) > _MIN_COSINE)
    )
    np.fill_diagonal(possible, False)
    cost = np.abs(forward) + 2 * shift
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    pairs = np.argwhere(possible)
    for one, two in pairs[np.argsort(cost[possible], kind="stable")].tolist():
        if one in after or two in before or _end_of(two, after) == one:
            continue
        after[one], before[two] = two, one
    chains = []
    for start in range(len(corners)):
        if start not in before:
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append(chain)
    return chains


def _end_of(word: int, after: dict[int, int]) -> int:
    while word in after:
        word = after[word]
    return word


def _reading_order(lines: list[np.ndarray]) -> list[int]:
    """Sorts lines after Breuel: above comes before below where they share columns, a column before the next one.

    Reference: Breuel, "High performance document layout analysis", 2003.
    """
    lows = np.array([line.reshape(-1, 2).min(axis=0) for line in lines])
    highs = np.array([line.reshape(-1, 2).max(axis=0) for line in lines])
    middles = (lows + highs) / 2
    # Lines that share a few pixels of their columns are beside each other.
    slack = 0.1 * (highs - lows)
    share_columns = (lows[:, None, 0] + slack[:, None, 0] < highs[None, :, 0] - slack[None, :, 0]) & (
        lows[None, :, 0] + slack[None, :, 0] < highs[:, None, 0] - slack[:, None, 0]
    )
    above = share_columns & (middles[:, None, 1] < middles[None, :, 1])
    left_of = ~share_columns & (middles[:, None, 0] < middles[None, :, 0])
    for one, two in np.argwhere(left_of).tolist():
        # What spans both columns between them parts what is above it from what is below.
        top, bottom = sorted((middles[one, 1], middles[two, 1]))
        spans = share_columns[one] & share_columns[two] & (middles[:, 1] > top) & (middles[:, 1] < bottom)
        if spans.any():
            left_of[one, two] = False
            if middles[one, 1] < middles[two, 1]:
                above[one, two] = True
            else:
                above[two, one] = True
    first = above | left_of
    np.fill_diagonal(first, False)
    order: list[int] = []
    rest = set(range(len(lines)))
    while rest:
        members = sorted(rest, key=lambda i: (middles[i, 1], middles[i, 0]))
        # A circle, which bent lines can form, is opened at its highest line.
        free = [i for i in members if not any(first[j, i] for j in members)]
        chosen = free[0] if free else members[0]
        order.append(chosen)
        rest.remove(chosen)
    return order
