"""The one way from an image file to the input of a model: for training, LiteRT, serving and evaluation.

Grey by OpenCV's formula rounded to uint8, bilinear with half-pixel centres and without antialiasing, then
(v - 127.5) / 127.5. `preprocess` is numpy, `preprocess_tensor` its TensorFlow twin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_tf._extras import require
from spin_tf.contract.constants import GREY_SHIFT, GREY_WEIGHTS, LIGHT_INK
from spin_tf.contract.pixels import to_grey
from spin_tf.contract.preprocessing import axis_weights, preprocess
from spin_tf.data.files import MAX_BYTES
from spin_tf.data.images import MAX_PIXELS, ImageError, ImageInfo, decode_image, inspect_image

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "ImageError",
    "ImageInfo",
    "axis_weights",
    "decode_image",
    "decode_tensor",
    "inspect_image",
    "preprocess",
    "preprocess_tensor",
    "to_grey",
]


def decode_tensor(encoded: tf.Tensor) -> tf.Tensor:
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
    tensorflow = require("tensorflow", "In-graph preprocessing", "train")

    def png() -> tf.Tensor:
        pixels = tensorflow.cast(tensorflow.io.decode_png(encoded, channels=4), tensorflow.int32)
        alpha = pixels[..., 3:]

        def over(ground: int | tf.Tensor) -> tf.Tensor:
            return (pixels[..., :3] * alpha + ground * (255 - alpha) + 127) // 255

        # As `Picture` has it: white ink would vanish on white.
        is_light = tensorflow.reduce_min(_grey_tensor(over(255))) >= LIGHT_INK
        is_visible = tensorflow.reduce_max(alpha) > 127
        ground = tensorflow.where(is_light & is_visible, 0, 255)
        return tensorflow.cast(over(ground), tensorflow.uint8)

    def jpeg() -> tf.Tensor:
        return tensorflow.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")

    def any_format() -> tf.Tensor:
        return tensorflow.io.decode_image(encoded, channels=3, expand_animations=False)

    def starts_with(magic: bytes) -> tf.Tensor:
        return tensorflow.strings.substr(encoded, 0, len(magic)) == magic

    # TensorFlow unpacks grey PNGs of 1, 2 and 4 bits wrongly when asked for 4 channels; they have no alpha channel.
    depth_and_colour = tensorflow.strings.substr(encoded, 24, 2)
    packed_grey = tensorflow.reduce_any(depth_and_colour == tensorflow.constant([b"\1\0", b"\2\0", b"\4\0"]))
    is_png = starts_with(b"\x89PNG") & (tensorflow.strings.length(encoded) >= 26) & ~packed_grey
    image = tensorflow.case([(starts_with(b"\xff\xd8\xff"), jpeg), (is_png, png)], default=any_format)
    return tensorflow.ensure_shape(image, (None, None, 3))


def _grey_tensor(image: tf.Tensor) -> tf.Tensor:
    tensorflow = require("tensorflow", "In-graph preprocessing", "train")
    weighted = tensorflow.reduce_sum(image * tensorflow.constant(GREY_WEIGHTS, tensorflow.int32), -1, keepdims=True)
    return (weighted + (1 << (GREY_SHIFT - 1))) // (1 << GREY_SHIFT)


def preprocess_tensor(image: tf.Tensor, size: tuple[int, int] = (32, 100)) -> tf.Tensor:
    """The TensorFlow twin of `preprocess`: the same numbers to 1e-5, inside a graph.

    Args:
        image: string scalar with an encoded image (see `decode_tensor`), or uint8 tensor (height, width),
            (height, width, 1) or (height, width, 3); the rank must be static.
        size: height and width of the result.

    Returns:
        float32 tensor (size[0], size[1], 1) in [-1, 1].

    Raises:
        ValueError: for any other tensor.
    """
    tensorflow = require("tensorflow", "In-graph preprocessing", "train")
    image = tensorflow.convert_to_tensor(image)
    if image.dtype == tensorflow.string:
        image = decode_tensor(image)
    rank = image.shape.rank
    if image.dtype != tensorflow.uint8 or rank not in (2, 3) or (rank == 3 and image.shape[2] not in (1, 3)):
        raise ValueError(
            "Images are uint8 tensors (height, width), (height, width, 1) or (height, width, 3). "
            f"Received: shape={image.shape}, dtype={image.dtype}"
        )
    if rank == 2:
        image = image[..., None]
    if image.shape[2] == 3:
        image = _grey_tensor(tensorflow.cast(image, tensorflow.int32))
    resized = tensorflow.image.resize(
        tensorflow.cast(image, tensorflow.float32), size, method="bilinear", antialias=False
    )
    return (resized - 127.5) / 127.5
