"""Pixels inside a TensorFlow graph: image files decoded, transparency laid over its ground, grey values."""

from __future__ import annotations

from typing import Any

from spin_tf._extras import require
from spin_tf._types import Tensor
from spin_tf.contract.constants import GREY_SHIFT, GREY_WEIGHTS, LIGHT_INK, VISIBLE_ALPHA


class _TensorFlow:
    """Imported when it is first used: the core install imports this module, too."""

    def __getattr__(self, name: str) -> Any:
        return getattr(require("tensorflow", "In-graph preprocessing", "train"), name)


tf: Any = _TensorFlow()


def decode_tensor(encoded: Tensor) -> Tensor:
    """Decodes an image file inside a TensorFlow graph, as `decode_image` does for what TensorFlow can read.

    JPEG, PNG, GIF (first frame) and 24-bit BMP. EXIF rotation is not applied and CMYK is not read: TensorFlow has no
    operator for either.

    Args:
        encoded: string scalar, a whole image file.

    Returns:
        uint8 tensor (height, width, 3).

    Raises:
        tf.errors.InvalidArgumentError: when run, for anything else.
    """

    def png() -> Tensor:
        pixels = tf.io.decode_png(encoded, channels=4)
        return opaque(pixels, ground_under(pixels))

    def jpeg() -> Tensor:
        return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")

    def any_format() -> Tensor:
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)

    def starts_with(magic: bytes) -> Tensor:
        return tf.strings.substr(encoded, 0, len(magic)) == magic

    # TensorFlow unpacks grey PNGs of 1, 2 and 4 bits wrongly when asked for 4 channels; they have no alpha channel.
    depth_and_colour = tf.strings.substr(encoded, 24, 2)
    packed_grey = tf.reduce_any(depth_and_colour == tf.constant([b"\1\0", b"\2\0", b"\4\0"]))
    is_png = starts_with(b"\x89PNG") & (tf.strings.length(encoded) >= 26) & ~packed_grey
    image = tf.case([(starts_with(b"\xff\xd8\xff"), jpeg), (is_png, png)], default=any_format)
    return tf.ensure_shape(image, (None, None, 3))


def ground_under(pixels: Tensor) -> Tensor:
    """What pixels with four channels lie on: float32 255, or 0 if all that is visible is light."""
    is_light = tf.reduce_min(grey_of(planes_of(opaque(pixels, 255.0)))) >= LIGHT_INK
    return tf.where(is_light & (tf.reduce_max(pixels[..., 3]) > VISIBLE_ALPHA), 0.0, 255.0)


def opaque(pixels: Tensor, ground: Tensor = None) -> Tensor:
    """Pixels uint8 (..., 1 or 3): those with four channels laid over a ground, others as they are."""
    if pixels.shape[-1] != 4:
        return pixels
    values = tf.cast(pixels, tf.float32)
    alpha = values[..., 3:]
    mixed = tf.floor((values[..., :3] * alpha + (ground * (255.0 - alpha) + 127.0)) / 255.0)
    return tf.cast(mixed, tf.uint8)


def planes_of(pixels: Tensor) -> Tensor:
    """The channels of uint8 (..., channels) one after another: float32 (channels, ...)."""
    rank = pixels.shape.rank
    return tf.transpose(tf.cast(pixels, tf.float32), (rank - 1, *range(rank - 1)))


def grey_of(planes: Tensor) -> Tensor:
    """Grey values of planes (3, ...): float32 (...), exact, for sums are below 2 ** 24."""
    red, green, blue = tf.unstack(planes)
    weighted = red * GREY_WEIGHTS[0] + green * GREY_WEIGHTS[1] + (blue * GREY_WEIGHTS[2] + (1 << (GREY_SHIFT - 1)))
    return tf.floor(weighted * 2.0**-GREY_SHIFT)


def scaled(values: Tensor) -> Tensor:
    """Values 0..255 as the input of a model, -1..1."""
    return (values - 127.5) / 127.5
