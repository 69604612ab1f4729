"""What lies behind words: photographs, and noise in tables made once, for cutting a piece costs less than drawing."""

from __future__ import annotations

import functools
import os
import pathlib
from collections.abc import Iterable
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from spin_tf.data.formats import is_image_name
from spin_tf.data.images import open_header, read_image_file

_ROWS, _COLUMNS = 256, 512


@functools.cache
def noise_table(grain: float) -> np.ndarray:
    """Noise of mean 0 and deviation 1, float32 (256, 512); `grain` is how many pixels it is blurred, 0 is white."""
    white = np.random.default_rng(20).standard_normal((_ROWS, _COLUMNS), dtype=np.float32)
    if not grain:
        return white
    image = Image.fromarray(np.clip(white * 36 + 128, 0, 255).astype(np.uint8))
    smooth = np.asarray(image.filter(ImageFilter.GaussianBlur(grain)), np.float32)
    if grain > 3:
        # Eight bits are too few for what is left after a wide blur: blur a coarse table and stretch it.
        coarse = Image.fromarray(noise_table(1.0)).resize(
            (round(_COLUMNS / grain), round(_ROWS / grain)), Image.Resampling.BOX
        )
        smooth = np.asarray(coarse.resize((_COLUMNS, _ROWS), Image.Resampling.BICUBIC), np.float32)
    smooth = smooth - smooth.mean()
    return np.ascontiguousarray(smooth / smooth.std())


def noise(rng: Random, shape: tuple[int, int], grain: float = 0.0) -> np.ndarray:
    """A piece of noise, float32 `shape` (at most 256 x 512), a view that must not be written to."""
    source = noise_table(grain)
    top = int(rng.random() * (_ROWS - shape[0] + 1))
    left = int(rng.random() * (_COLUMNS - shape[1] + 1))
    return source[top : top + shape[0], left : left + shape[1]]


class Photographs:
    """Photographs to put behind words, as grey arrays, read on first use.

    Args:
        paths: image files; unreadable ones are passed over when they come up. None or empty: there are no photographs,
            and textures of noise stand in for them.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]] | None) -> None:
        self.paths = [os.fspath(p) for p in paths or ()]
        self._loaded: dict[int, np.ndarray | None] = {}

    def cut(self, rng: Random, shape: tuple[int, int]) -> np.ndarray | None:
        """A piece of a photograph at a random scale, float32 `shape`, mean 0; None where there is none."""
        index, u, x, y = int(rng.random() * len(self.paths)), rng.random(), rng.random(), rng.random()
        if not self.paths:
            return None
        if index not in self._loaded:
            self._loaded[index] = _read_grey(self.paths[index])
        photograph = self._loaded[index]
        if photograph is None:
            return None
        rows, columns = photograph.shape
        scale = 0.5 + 1.0 * u
        height, width = min(round(shape[0] * scale), rows), min(round(shape[1] * scale), columns)
        top, left = int(y * (rows - height + 1)), int(x * (columns - width + 1))
        piece = Image.fromarray(photograph[top : top + height, left : left + width])
        result = np.asarray(piece.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)
        return result - result.mean()


def _read_grey(path: str) -> np.ndarray | None:
    try:
        with open_header(read_image_file(path)) as image:
            image.draft("L", (320, 320))
            grey = image.convert("L")
            grey.thumbnail((320, 320))
            return np.asarray(grey)
    except MemoryError:
        raise
    # Pillow's decoders raise nearly anything on broken files.
    except Exception:
        return None


def find_photographs(folder: str | os.PathLike[str]) -> list[str]:
    """Paths of the pictures below a folder, sorted.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"No such folder of backgrounds. Received: backgrounds={os.fspath(folder)!r}")
    return sorted(str(p) for p in pathlib.Path(folder).rglob("*") if is_image_name(p.name))
