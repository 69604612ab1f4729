"""Ink on a background: outline, shadow, glow, embossing, fills, what lies behind, and the greys of both."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from spin_tf.synthesis.probabilities import Streams
from spin_tf.synthesis.textures import Photographs, noise


def ramp(shape: tuple[int, int], rng: Random) -> np.ndarray:
    """A linear gradient in a random direction from -0.5 to 0.5, float32 `shape`."""
    angle = 2 * math.pi * rng.random()
    x = np.linspace(-0.5, 0.5, shape[1], dtype=np.float32) * np.float32(math.cos(angle))
    y = np.linspace(-0.5, 0.5, shape[0], dtype=np.float32) * np.float32(math.sin(angle))
    return x[None, :] + y[:, None]


def shifted(mask: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """`mask` moved by whole pixels; what comes in from outside is 0."""
    rows, columns = mask.shape
    if abs(dx) >= columns or abs(dy) >= rows:
        return np.zeros_like(mask)
    result = np.zeros_like(mask)
    result[max(dy, 0) : rows + min(dy, 0), max(dx, 0) : columns + min(dx, 0)] = mask[
        max(-dy, 0) : rows + min(-dy, 0), max(-dx, 0) : columns + min(-dx, 0)
    ]
    return result


def _blurred(mask: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(mask).filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def paint(mask: np.ndarray, photographs: Photographs, streams: Streams) -> np.ndarray:
    """Paints the ink onto a background.

    Args:
        mask: uint8 (height, width), 255 where there is ink.
        photographs: what may lie behind.
        streams: random numbers of the word.

    Returns:
        float32 (height, width), about 0..255, not clipped.
    """
    r = streams.active("dot_matrix")
    if r is not None:
        mask = _dots(mask, r)
    shape = mask.shape
    ground, ink = choose_greys(streams)
    contrast = ink - ground
    strength = abs(contrast)
    alpha = mask.astype(np.float32) / 255
    picture = background(shape, ground, strength, photographs, streams)
    fill: np.ndarray | float = ink
    r = streams.active("gradient_fill")
    if r is not None:
        fill = fill + ramp(shape, r) * (0.7 * strength * r.random())
    r = streams.active("two_tone")
    if r is not None:
        # One part of the word in another grey; now and then the ground changes with it, as on two-coloured signs.
        split = int(shape[1] * (0.2 + 0.6 * r.random()))
        fill = np.full(shape, fill, np.float32) if isinstance(fill, float) else fill
        if r.random() < 0.3:
            fill[:, split:] = ground
            picture[:, split:] += contrast
        else:
            fill[:, split:] -= contrast * 0.6 * r.random()
    r = streams.active("textured_fill")
    if r is not None:
        fill = fill + noise(r, shape, (0.7, 2.0, 6.0)[int(r.random() * 3)]) * (0.16 * strength * r.random())

    r = streams.active("glow")
    if r is not None:
        halo = _blurred(mask, 2 + 4 * r.random()) * (0.9 * r.random())
        grey = ink if r.random() < 0.5 else ground - contrast * 0.5
        picture += (grey - picture) * halo
    r = streams.active("shadow")
    if r is not None:
        _shadow(picture, mask, ground, contrast, r)
    r = streams.active("outline")
    if r is not None:
        reach = 1 + int(r.random() * 2.5)
        wide = np.clip(_blurred(mask, 0.7 * reach + 0.4) * (3.5 - 0.4 * reach), 0, 1)
        if r.random() < 0.3:
            # Letters drawn by their outline alone.
            fill = fill + (ground - ink) * (0.6 + 0.4 * r.random())
            picture += (ink - picture) * wide
        else:
            grey = ground - contrast * r.random() if r.random() < 0.6 else 255.0 * r.random()
            picture += (grey - picture) * wide
    r = streams.active("emboss")
    if r is not None:
        dx, dy = (1, 1) if r.random() < 0.5 else (-1, 1)
        light = shifted(mask, dx, dy).astype(np.float32) - shifted(mask, -dx, -dy)
        relief = light * ((0.3 + 0.5 * r.random()) * strength / 255 * (1 if r.random() < 0.7 else -1))
        if r.random() < 0.4:
            # Relief in the colour of its ground: only light and shade show the letters.
            alpha = alpha * 0.25
            relief *= 1.5
        picture += relief * 0.7
        fill = fill + relief
    picture += (fill - picture) * alpha
    return picture


def _dots(mask: np.ndarray, r: Random) -> np.ndarray:
    """The mask as lamps in a grid show it."""
    pitch = 3 + int(r.random() * 2)
    rows, columns = -(-mask.shape[0] // pitch), -(-mask.shape[1] // pitch)
    lamps = np.asarray(Image.fromarray(mask).resize((columns, rows), Image.Resampling.BOX), np.float32)
    lamps = np.clip(lamps * 2.2 - 90, 0, 255).astype(np.uint8)
    grid = lamps.repeat(pitch, 0).repeat(pitch, 1)[: mask.shape[0], : mask.shape[1]]
    gap = np.uint8(255 * 0.6 * r.random())
    grid[::pitch] = np.minimum(grid[::pitch], gap)
    grid[:, ::pitch] = np.minimum(grid[:, ::pitch], gap)
    return grid


def choose_greys(streams: Streams) -> tuple[float, float]:
    """Greys of background and ink, 0..255, far enough apart to be read."""
    r = streams.always("greys")
    contrast = min(max(math.exp(r.gauss(5.1, 0.35) if streams.clean else r.gauss(4.75, 0.5)), 50), 238)
    low = streams.active("low_contrast")
    if low is not None:
        contrast = 30 + 42 * low.random()
    middle = min(max(r.gauss(118, 42), contrast / 2 + 14), 254 - contrast / 2)
    if r.random() < (0.4 if streams.clean else 0.15) and contrast > 90:
        # White as white can be, on paper, screens and lit signs.
        middle = 252 - contrast / 2
    dark, light = middle - contrast / 2, middle + contrast / 2
    return (light, dark) if streams.active("dark_text") else (dark, light)


def background(
    shape: tuple[int, int],
    ground: float,
    strength: float,
    photographs: Photographs,
    streams: Streams,
) -> np.ndarray:
    """What lies behind the ink: `ground` with textures that are weak against `strength`, the ink's contrast."""
    picture = np.full(shape, ground, np.float32)
    r = streams.active("gradient")
    if r is not None:
        picture += ramp(shape, r) * (0.8 * strength * r.random())
    r = streams.active("noise_texture")
    if r is not None:
        grain = (0.7, 1.5, 3.0, 8.0)[int(r.random() * 4)]
        picture += noise(r, shape, grain) * (strength * 0.09 * r.random())
    r = streams.active("photograph")
    if r is not None:
        piece = photographs.cut(r, shape)
        if piece is None:
            piece = noise(r, shape, 8.0) + noise(r, shape, 2.0)
        deviation = float(piece.std())
        if deviation > 1e-3:
            picture += piece * (strength * (0.04 + 0.3 * r.random() ** 1.5) / max(deviation, 6.0))
    r = streams.active("board")
    if r is not None:
        _board(picture, strength, r)
    return picture


def _board(picture: np.ndarray, strength: float, r: Random) -> None:
    # The edge of the sign: beyond a slightly slanted line everything has another grey.
    rows, columns = picture.shape
    grey = (r.random() - 0.5) * 2.4 * strength
    slant = (r.random() - 0.5) * 0.3
    if r.random() < 0.7:
        depth = rows * (0.02 + 0.12 * r.random())
        edge = depth + slant * depth * np.linspace(-1, 1, columns, dtype=np.float32)
        y = np.arange(rows, dtype=np.float32)[:, None]
        inside = np.clip(edge[None, :] - y, 0, 1)
        picture += grey * (inside if r.random() < 0.5 else inside[::-1])
    else:
        depth = columns * (0.01 + 0.05 * r.random())
        edge = depth + slant * depth * np.linspace(-1, 1, rows, dtype=np.float32)
        x = np.arange(columns, dtype=np.float32)[None, :]
        inside = np.clip(edge[:, None] - x, 0, 1)
        picture += grey * (inside if r.random() < 0.5 else inside[:, ::-1])


def _shadow(picture: np.ndarray, mask: np.ndarray, ground: float, contrast: float, r: Random) -> None:
    dx = (1 + int(r.random() * 3)) * (1 if r.random() < 0.6 else -1)
    dy = 1 + int(r.random() * 3) if r.random() < 0.8 else -1
    grey = ground - contrast * (0.3 + 0.7 * r.random()) if r.random() < 0.75 else ground + contrast * 0.5 * r.random()
    if r.random() < 0.4:
        # A solid block behind the letters, as of letters cut from a board.
        shade = mask.copy()
        for step in range(1, max(abs(dx), abs(dy)) + 1):
            reach = max(abs(dx), abs(dy))
            np.maximum(shade, shifted(mask, round(dx * step / reach), round(dy * step / reach)), out=shade)
        picture += (grey - picture) * (shade.astype(np.float32) / 255)
    else:
        picture += (grey - picture) * (
            _blurred(shifted(mask, dx, dy), 0.3 + 1.5 * r.random()) * (0.4 + 0.6 * r.random())
        )
