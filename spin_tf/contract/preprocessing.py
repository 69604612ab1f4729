"""From a decoded picture to the input of a model.

Even ground is cut off (`spin_tf.contract.ground`); the picture, turned or not, is resized to one of two sizes by its
aspect: bilinear with half-pixel centres and without antialiasing, of grey values by OpenCV's formula rounded to uint8,
or of values along an axis of the colours (`spin_tf.contract.colour`), then (v - 127.5) / 127.5. Only the pixels that
the interpolation looks at are touched, so the time hardly depends on the size of the picture.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from spin_tf._types import JsonObject
from spin_tf.contract.colour import ColourAxis, colour_axis
from spin_tf.contract.constants import FIRST_PREPROCESSING, PREPROCESSING, WIDE_ASPECT
from spin_tf.contract.ground import cut_ground
from spin_tf.contract.pixels import Pixels, check_pixels, colour_planes, take, weighted_grey

Size = tuple[int, int]
# The paper's, and what holds where nobody says otherwise.
IMAGE_SIZE: Size = (32, 100)
_Answer = TypeVar("_Answer")
# Pictures of no more are made as a whole: several looks at them cost more than all of their pixels.
_FEW_PIXELS = 1 << 18


class Preprocessing(NamedTuple):
    """How the pictures of a model are preprocessed.

    Args:
        image_size: (height, width) of the model's input.
        wide_image_size: that of views wider than `WIDE_ASPECT` times their height; None where the model has one size.
        number: 1 knows neither the cut nor the axis of colours nor `wide_image_size`, 2 all of them.
    """

    image_size: Size
    wide_image_size: Size | None = None
    number: int = PREPROCESSING

    @classmethod
    def of(cls, metadata: JsonObject) -> Preprocessing:
        """What the metadata of a model say, which `parse_metadata` has checked."""
        height, width = metadata["image_size"]
        wide = metadata.get("wide_image_size")
        number = metadata.get("preprocessing", FIRST_PREPROCESSING)
        return cls((height, width), None if wide is None else (wide[0], wide[1]), number)

    def cut(self, image: Pixels) -> Pixels:
        """The picture without its even ground, its pixels made where they are few: what is looked at next."""
        if not isinstance(image, np.ndarray) and image.shape[0] * image.shape[1] <= _FEW_PIXELS:
            image = image.to_array()
        return cut_ground(image) if self.number >= 2 else image

    def size(self, image: Pixels) -> Size:
        """(height, width) that a view, cut and turned, is resized to."""
        height, width = image.shape[:2]
        if self.number >= 2 and self.wide_image_size is not None and width > WIDE_ASPECT * height:
            return self.wide_image_size
        return self.image_size

    def values(self, image: Pixels) -> tuple[np.ndarray, ColourAxis | None]:
        """The whole numbers 0..255 of a view, cut and turned, that are interpolated, (2 * height, 2 * width) of its
        `size`, and the axis along which its colours are read; None for grey."""
        size = self.size(image)
        taps = take(image, _taps(image.shape[0], size[0])[0], _taps(image.shape[1], size[1])[0])
        return values_of(taps, coloured=self.number >= 2)

    def view(self, image: Pixels) -> np.ndarray:
        """A view, cut and turned, as the model's input: float32 (height, width, 1) of its `size`, in [-1, 1]."""
        values, _ = self.values(image)
        height, width = values.shape[0] // 2, values.shape[1] // 2
        values = values.astype(np.float32, copy=False)
        left, right = values[:, :width], values[:, width:]
        lines = left + (right - left) * _taps(image.shape[1], width)[1]
        top, bottom = lines[:height], lines[height:]
        return normalized(top + (bottom - top) * _taps(image.shape[0], height)[1][:, None])


def prepare(image: Pixels, preprocessing: Preprocessing) -> np.ndarray:
    """The upright view of a picture as the input of a model.

    Args:
        image: uint8 array (height, width), (height, width, 1) or (height, width, 3) in the order red, green, blue, or a
            `Picture`.
        preprocessing: of the model.

    Returns:
        float32 array (height, width, 1) in [-1, 1], of the model's `image_size` or `wide_image_size`.

    Raises:
        ValueError: for any other array.
    """
    check_pixels(image)
    return preprocessing.view(preprocessing.cut(image))


def values_of(pixels: np.ndarray, coloured: bool = True) -> tuple[np.ndarray, ColourAxis | None]:
    """The whole numbers 0..255, (height, width), that stand for `Pixels` in an array, and the axis along which their
    colours are read; None for grey.

    Args:
        pixels: the taps of a view, or a picture that is to be augmented.
        coloured: whether there may be an axis.
    """
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return pixels.reshape(pixels.shape[:2]), None
    planes = colour_planes(pixels)
    grey = weighted_grey(planes)
    axis = colour_axis(planes, grey) if coloured else None
    return grey if axis is None else axis.values(pixels), axis


def preprocess(image: Pixels, size: Size = IMAGE_SIZE) -> np.ndarray:
    """What preprocessing 1 makes of a picture: the whole of it, grey, at one size; see `prepare`."""
    return prepare(image, Preprocessing(size, number=FIRST_PREPROCESSING))


def normalized(values: np.ndarray) -> np.ndarray:
    """float32 (height, width) in 0..255 as (height, width, 1) in [-1, 1]."""
    return ((values - np.float32(127.5)) / np.float32(127.5))[..., None]


@functools.lru_cache(maxsize=4096)
def _taps(size: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """The source indices (lower ones, then upper ones) and the weights of the upper ones along one axis."""
    scale = np.float32(size) / np.float32(target)
    centres = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    floor = np.floor(centres)
    # Beyond 2 ** 24 pixels float32 rounds past the edge.
    taps = np.concatenate([floor, np.ceil(centres)]).clip(0, size - 1).astype(np.intp)
    return np.minimum(taps, size - 1), centres - floor


def axis_weights(size: int, target: int) -> np.ndarray:
    """How one axis is resized, as a matrix float32 (target, size)."""
    taps, upper_weights = _taps(size, target)
    matrix = np.zeros((target, size), np.float32)
    rows = np.arange(target)
    np.add.at(matrix, (rows, taps[:target]), 1 - upper_weights)
    np.add.at(matrix, (rows, taps[target:]), upper_weights)
    return matrix


def same_size(images: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups images by their shape: a model takes images of one size at a time.

    Yields:
        the places of the images of a group, int64 (n,), and the images, (n, *shape); the narrowest first.
    """
    shapes = [image.shape for image in images]
    for shape in sorted(set(shapes)):
        places = np.flatnonzero([other == shape for other in shapes])
        yield places, np.stack([images[int(place)] for place in places])


def read_by_size(
    images: Sequence[np.ndarray], read: Callable[[np.ndarray, list[int]], Iterable[_Answer]]
) -> list[_Answer]:
    """Calls a function once for each size that there is.

    Args:
        images: float32 (height, width, 1) of any sizes.
        read: of images of one size (n, height, width, 1) and their places, to n answers.

    Returns:
        an answer for each image, in their order.
    """
    answers: dict[int, _Answer] = {}
    for places, group in same_size(images):
        answers.update(zip(places.tolist(), read(group, places.tolist()), strict=True))
    return [answers[place] for place in range(len(images))]
