"""Ink that differs from its ground in colour alone: the same grey, another hue."""

from __future__ import annotations

import io
import math
from random import Random

import numpy as np
from PIL import Image

# From luminance and two colour differences to red, green and blue, as JPEG has them.
_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


def pair(rng: Random) -> tuple[np.ndarray, np.ndarray]:
    """Two colours of one brightness and hues far apart, float32 (3,) each, 0..255."""
    angle = 2 * math.pi * rng.random()
    other = angle + math.pi * (0.7 + 0.6 * rng.random())
    wanted = 70 + 110 * rng.random()

    def reach(hue: float) -> float:
        """How far from grey the hue goes at this brightness."""
        colour = _TO_RGB @ np.array([0, math.cos(hue), math.sin(hue)], np.float32)
        room = np.where(colour > 0, 255 - wanted, wanted) / np.maximum(np.abs(colour), 1e-6)
        return float(room.min())

    share = 0.6 + 0.4 * rng.random()
    first, second = (
        _TO_RGB @ np.array([wanted, share * reach(h) * math.cos(h), share * reach(h) * math.sin(h)], np.float32)
        for h in (angle, other)
    )
    return first, second


def of_one_brightness(image: np.ndarray, rng: Random) -> np.ndarray:
    """The picture in two colours of one brightness.

    Args:
        image: uint8 (height, width); its darkest and lightest twentieth become the two colours.
        rng: picks them.

    Returns:
        uint8 (height, width, 3), through JPEG two times of three, which blurs colours more than brightness.
    """
    low, high = (float(v) for v in np.percentile(image, (5, 95)))
    share = np.clip((image.astype(np.float32) - low) / max(high - low, 1.0), -0.1, 1.1)[..., None]
    first, second = pair(rng)
    picture = np.clip(first + (second - first) * share, 0, 255).astype(np.uint8)
    u, quality = rng.random(), 75 + int(20 * rng.random())
    if u < 1 / 3:
        return picture
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=0 if u < 2 / 3 else 2)
    return np.asarray(Image.open(buffer))
