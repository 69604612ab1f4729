"""Pixels of 8 bits: what holds them, their grey values, and what transparency lies over."""

from __future__ import annotations

from typing import NamedTuple, Protocol, Self

import numpy as np

from spin_tf.contract.constants import GREY_SHIFT, GREY_WEIGHTS, LIGHT_INK, VISIBLE_ALPHA


class Box(NamedTuple):
    """A part of a picture: rows from `top` to before `bottom`, columns from `left` to before `right`."""

    top: int
    bottom: int
    left: int
    right: int


class PictureLike(Protocol):
    """A picture whose pixels are made where someone looks at them: `spin_tf.data.picture.Picture`."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def take(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray: ...

    def rot90(self, quarters: int) -> Self: ...

    def crop(self, box: Box) -> Self: ...

    def to_array(self) -> np.ndarray: ...


# uint8 (height, width), (height, width, 1) or (height, width, 3) in the order red, green, blue.
Pixels = np.ndarray | PictureLike


def check_pixels(image: Pixels) -> None:
    """Refuses arrays that are no `Pixels`.

    Raises:
        ValueError: another type or shape.
    """
    if isinstance(image, np.ndarray):
        shape = image.shape
        if image.dtype != np.uint8 or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))) or 0 in shape:
            raise ValueError(
                f"Images are uint8 arrays (height, width), (height, width, 1) or (height, width, 3). "
                f"Received: shape={shape}, dtype={image.dtype}"
            )


def take(image: Pixels, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The pixels at these rows and columns: uint8 (rows, columns[, channels])."""
    if isinstance(image, np.ndarray):
        return image.take(rows, axis=0).take(columns, axis=1)
    return image.take(rows, columns)


def crop(image: Pixels, box: Box) -> Pixels:
    """A part of a picture; no pixel is touched."""
    if isinstance(image, np.ndarray):
        return image[box.top : box.bottom, box.left : box.right]
    return image.crop(box)


def rot90(image: Pixels, quarters: int) -> Pixels:
    """A picture turned by quarters counter-clockwise; no pixel is touched."""
    return np.rot90(image, quarters) if isinstance(image, np.ndarray) else image.rot90(quarters)


def colour_planes(image: np.ndarray) -> np.ndarray:
    """The channels of a uint8 array (..., 3) one after another: float32 (3, ...)."""
    return np.moveaxis(image, -1, 0).astype(np.float32, order="C")


def weighted_grey(planes: np.ndarray) -> np.ndarray:
    """Grey values by OpenCV's formula, whole numbers, of `colour_planes`: float32 (...)."""
    # All sums are whole numbers below 2 ** 24, which float32 holds.
    red, green, blue = (plane * np.float32(weight) for plane, weight in zip(planes, GREY_WEIGHTS, strict=True))
    return np.floor((red + green + blue + np.float32(1 << (GREY_SHIFT - 1))) * np.float32(2.0**-GREY_SHIFT))


def to_grey(image: np.ndarray) -> np.ndarray:
    """Grey values 0..255, float32 (height, width, 1), of `Pixels` in an array.

    Raises:
        ValueError: for any other array.
    """
    check_pixels(image)
    if image.ndim == 3 and image.shape[2] == 3:
        image = weighted_grey(colour_planes(image))
    return image.reshape(*image.shape[:2], 1).astype(np.float32, copy=False)


def over(rgba: np.ndarray, ground: int) -> np.ndarray:
    """uint8 (height, width, 4) laid over a ground of 0 or 255: uint8 (height, width, 3), rounded."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    # No product or sum leaves 16 bits, and (x + 1 + (x >> 8)) >> 8 is x // 255 for all of them.
    mixed = rgba[..., :3].astype(np.uint16) * alpha
    if ground:
        mixed += ground * (255 - alpha.astype(np.uint16))
    mixed += 127
    return ((mixed + 1 + (mixed >> 8)) >> 8).astype(np.uint8)


def is_light(image: np.ndarray) -> bool:
    """Whether every pixel of uint8 (height, width, 3) is at least as light as light ink."""
    # Most pictures show at a few of their pixels that they are not.
    return all(weighted_grey(colour_planes(some)).min() >= LIGHT_INK for some in (image[::7, ::7], image))


def is_visible(alpha: np.ndarray) -> bool:
    """Whether something is to be seen: opacities uint8, any shape."""
    return bool(alpha.max() > VISIBLE_ALPHA)
