"""Boxes and words drawn on the photograph that they were found in."""

from __future__ import annotations

import functools
import os
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf._files import check_output_folder, write_atomically
from spin_tf.data.quadrilaterals import heights
from spin_tf.photo.words import Photo
from spin_tf.reading.inputs import ImageLike, load_image

_OUTLINE = (30, 140, 60)
_LABEL, _INK = (30, 140, 60), (255, 255, 255)
# Larger pictures than a screen shows are drawn smaller, for the words would be too small to be read.
_MAX_SIDE = 2400
_MIN_SIZE, _MAX_SIZE = 11, 40


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def annotate(image: ImageLike, photo: Photo) -> Image.Image:
    """Draws the words of a photograph on it: an outline, and the word above.

    Args:
        image: the photograph, as `PhotoReader.read` takes it.
        photo: what was read.

    Returns:
        an RGB picture, at most 2,400 pixels wide and high.
    """
    picture = Image.fromarray(_flat(load_image(image))).convert("RGB")
    scale = min(1.0, _MAX_SIDE / max(picture.size))
    if scale < 1:
        picture = picture.resize((max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)))
    pen = ImageDraw.Draw(picture, "RGBA")
    high = heights(np.array([word.polygon for word in photo]).reshape(-1, 4, 2)) * scale
    for word, height in zip(photo, high, strict=True):
        points = [(x * scale, y * scale) for x, y in word.polygon]
        pen.line([*points, points[0]], fill=_OUTLINE, width=2)
        font = _font(int(np.clip(height * 0.6, _MIN_SIZE, _MAX_SIZE)))
        left, top = min(x for x, _ in points), min(y for _, y in points)
        box = pen.textbbox((0, 0), word.text, font=font)
        wide, tall = box[2] - box[0] + 6, box[3] - box[1] + 4
        # Above the word, below where there is no room, and never out of the picture.
        left = min(max(left, 0), max(picture.width - wide, 0))
        top = top - tall if top >= tall else min(max(y for _, y in points), picture.height - tall)
        pen.rectangle((left, top, left + wide, top + tall), fill=(*_LABEL, 215))
        pen.text((left + 3 - box[0], top + 2 - box[1]), word.text, fill=_INK, font=font)
    return picture


def _flat(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


class Annotations:
    """Pictures with their words drawn on them, each under a name of its own.

    Args:
        folder: made if need be.

    Raises:
        OSError: nothing can be written there.
    """

    def __init__(self, folder: str) -> None:
        check_output_folder(folder)
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, path: str, image: ImageLike, photo: Photo) -> None:
        """Draws the words of the photograph `image`, which was named as `path`."""
        stem = name = pathlib.Path(path).stem
        number = 2
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}", number + 1
        self._taken.add(name.lower())
        picture = annotate(image, photo)
        target = os.path.join(self._folder, f"{name}.jpg")
        write_atomically(target, lambda temporary: picture.save(temporary, "JPEG", quality=92))
