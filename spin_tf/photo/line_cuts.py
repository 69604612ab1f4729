"""Cutting a line into words where its gaps are widest: for detectors that outline lines."""

from __future__ import annotations

import itertools

import numpy as np

from spin_tf.data.conversion.cropping import cut_out
from spin_tf.data.quadrilaterals import heights, widen, widths

# A gap parts words where it is this share of the line's height and this many times the line's usual gap.
_MIN_GAP, _TIMES_USUAL = 0.2, 2.5
# A column holds ink where its contrast is this share of the line's. Around tight outlines there must be some ground.
_INK, _GROUND = 0.3, 0.15


def _gaps(strip: np.ndarray) -> list[tuple[int, int]]:
    """The runs of columns without ink inside a grey strip (height, width): first column and the one after the last."""
    lower, upper = np.percentile(strip, (3, 97), axis=0)
    contrast = upper - lower
    strongest = np.percentile(contrast, 90)
    ink = contrast > _INK * strongest
    edges = np.flatnonzero(np.diff(ink.astype(np.int8)))
    gaps = []
    for start, end in itertools.pairwise(edges):
        if ink[start] and not ink[start + 1]:
            gaps.append((int(start) + 1, int(end) + 1))
    return gaps


def cut_at_gaps(picture: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Cuts a quadrilateral into those of its words.

    Args:
        picture: uint8 array (height, width, 3).
        line: float32 (4, 2), clockwise from the upper left of the text.

    Returns:
        float32 (n, 4, 2), from left to right; the line itself where it holds no wide gap.
    """
    whole = line[None].astype(np.float32)
    height, width = float(heights(whole)[0]), float(widths(whole)[0])
    if width < 2 * height or height < 4:
        return whole
    strip = cut_out(picture, widen(whole, _GROUND)[0])
    if strip is None:
        return whole
    grey = strip.astype(np.float32).mean(axis=-1)
    margin = _GROUND * min(height, width)
    gaps = _gaps(grey)
    if not gaps:
        return whole
    lengths = np.array([end - start for start, end in gaps])
    wide = (lengths >= _MIN_GAP * grey.shape[0]) & (lengths >= _TIMES_USUAL * np.median(lengths))
    # Where every gap is wide, the usual one is that between words.
    if len(gaps) <= 2:
        wide = lengths >= 2 * _MIN_GAP * grey.shape[0]
    cuts = [gap for gap, is_wide in zip(gaps, wide, strict=True) if is_wide]
    # As shares of the line, with one more column either side, for the edges of letters are faint.
    column = (width + 2 * margin) / grey.shape[1]
    starts = [0.0, *(((end - 1) * column - margin) / width for _, end in cuts)]
    ends = [*(((start + 1) * column - margin) / width for start, _ in cuts), 1.0]
    pieces = []
    for first, last in zip(starts, ends, strict=True):
        top = [line[0] + share * (line[1] - line[0]) for share in (first, last)]
        bottom = [line[3] + share * (line[2] - line[3]) for share in (first, last)]
        pieces.append(np.stack([top[0], top[1], bottom[1], bottom[0]]))
    return np.stack(pieces).astype(np.float32)
