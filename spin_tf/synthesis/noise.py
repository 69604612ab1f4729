"""Tables of noise, made once from a fixed seed: cutting a piece out of a table costs less than drawing new numbers."""

from __future__ import annotations

import functools
from random import Random

import numpy as np
from PIL import Image, ImageFilter

_ROWS, _COLUMNS = 256, 512


@functools.cache
def table(grain: float) -> np.ndarray:
    """Noise of mean 0 and deviation 1, float32 (256, 512); `grain` is how many pixels it is blurred, 0 is white."""
    white = np.random.default_rng(20).standard_normal((_ROWS, _COLUMNS), dtype=np.float32)
    if not grain:
        return white
    image = Image.fromarray(np.clip(white * 36 + 128, 0, 255).astype(np.uint8))
    smooth = np.asarray(image.filter(ImageFilter.GaussianBlur(grain)), np.float32)
    if grain > 3:
        # Eight bits are too few for what is left after a wide blur: blur a coarse table and stretch it.
        coarse = Image.fromarray(table(1.0)).resize(
            (round(_COLUMNS / grain), round(_ROWS / grain)), Image.Resampling.BOX
        )
        smooth = np.asarray(coarse.resize((_COLUMNS, _ROWS), Image.Resampling.BICUBIC), np.float32)
    smooth = smooth - smooth.mean()
    return np.ascontiguousarray(smooth / smooth.std())


def cut(rng: Random, shape: tuple[int, int], grain: float = 0.0) -> np.ndarray:
    """A piece of noise, float32 `shape` (at most 256 x 512), a view that must not be written to."""
    source = table(grain)
    top = int(rng.random() * (_ROWS - shape[0] + 1))
    left = int(rng.random() * (_COLUMNS - shape[1] + 1))
    return source[top : top + shape[0], left : left + shape[1]]
