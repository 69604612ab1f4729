"""The one way from an image file to the input of a model: for training, LiteRT, serving and evaluation.

Grey by OpenCV's formula rounded to uint8, bilinear with half-pixel centres and without antialiasing, then
(v - 127.5) / 127.5. `preprocess` is numpy, `preprocess_tensor` its TensorFlow twin.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from spin_tf._extras import require

if TYPE_CHECKING:
    import tensorflow as tf

# What OpenCV multiplies red, green and blue with, in units of 2 ** -15, for 8-bit images.
_GREY_WEIGHTS = (9798, 19235, 3735)
_GREY_SHIFT = 15

MAX_PIXELS = 64_000_000
MAX_BYTES = 256 * 2**20
# An explicit list: Pillow's other decoders (EPS runs Ghostscript) are never tried on a stranger's file.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")


class ImageError(ValueError):
    """An image that cannot be read.

    Attributes:
        reason: `"empty_file"`, `"file_too_large"`, `"not_an_image"`, `"too_many_pixels"` or `"broken_image"`.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ImageInfo(NamedTuple):
    """What the header of an image says: format in lower case as Pillow names it, height and width in pixels."""

    format: str
    height: int
    width: int


def _open(data: bytes) -> Image.Image:
    if not data:
        raise ImageError("The image file is empty. Received: 0 bytes", "empty_file")
    if len(data) > MAX_BYTES:
        raise ImageError(f"Image files may have up to {MAX_BYTES} bytes. Received: {len(data)} bytes", "file_too_large")
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{error}", "too_many_pixels") from error
    except Image.UnidentifiedImageError as error:
        raise ImageError(
            f"Not an image, or one of a format that is not read ({', '.join(_FORMATS)}). Received: {data[:8]!r}...",
            "not_an_image",
        ) from error
    except MemoryError:
        raise
    # Pillow's decoders raise nearly anything on broken files, KeyError and EOFError among it.
    except Exception as error:
        raise ImageError(
            f"The header of the image is broken: {error}. Received: {data[:8]!r}...", "broken_image"
        ) from error
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError(f"The image has no pixels. Received: {width} x {height}", "broken_image")
    if width * height > MAX_PIXELS:
        raise ImageError(f"Images may have up to {MAX_PIXELS} pixels. Received: {width} x {height}", "too_many_pixels")
    return image


def inspect_image(data: bytes, decode: bool = False) -> ImageInfo:
    """Reads format and size of an image file, and decodes its pixels only when asked, to see whether it is whole.

    Raises:
        ImageError: for an empty file, an unknown format, a broken header, too many pixels, or pixels that end early.
    """
    with _open(data) as image:
        if decode:
            with _broken_pixels(len(data)):
                image.load()
        return ImageInfo((image.format or "").lower(), image.height, image.width)


@contextlib.contextmanager
def _broken_pixels(size: int) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        message = f"The image is truncated or broken: {error}. Received: {size} bytes"
        raise ImageError(message, "broken_image") from error


def _to_array(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        # 16 bits a pixel keep their upper byte, as libpng's strip_16 in TensorFlow's decoder does.
        values = np.asarray(image)
        if values.dtype == np.float32:
            return np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return (np.clip(values.astype(np.int64), 0, 65535) >> 8).astype(np.uint8)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        pixels = np.asarray(image.convert("RGBA")).astype(np.int32)
        alpha = pixels[..., 3:]
        return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))


def decode_image(data: bytes) -> np.ndarray:
    """Decodes an image file: the first frame, EXIF rotation applied, transparency laid over white, 16 bits cut to 8.

    Args:
        data: a whole JPEG, PNG, GIF, BMP, TIFF, WebP or PNM file; what it is decides, not what it is called.

    Returns:
        uint8 array (height, width) for grey images, (height, width, 3) in the order red, green, blue for others.

    Raises:
        ImageError: with a reason, for anything that is not a whole image of at most `MAX_PIXELS` pixels.
    """
    with _open(data) as image, _broken_pixels(len(data)):
        image.load()
        return _to_array(image)


@functools.lru_cache(maxsize=4096)
def _taps(size: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """The source indices (lower ones, then upper ones) and the weights of the upper ones along one axis."""
    scale = np.float32(size) / np.float32(target)
    centres = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    floor = np.floor(centres)
    lower = np.maximum(floor, 0).astype(np.intp)
    upper = np.minimum(np.ceil(centres), size - 1).astype(np.intp)
    return np.concatenate([lower, upper]), centres - floor


def axis_weights(size: int, target: int) -> np.ndarray:
    """How `preprocess` resizes one axis, as a matrix float32 (target, size)."""
    taps, upper_weights = _taps(size, target)
    matrix = np.zeros((target, size), np.float32)
    rows = np.arange(target)
    np.add.at(matrix, (rows, taps[:target]), 1 - upper_weights)
    np.add.at(matrix, (rows, taps[target:]), upper_weights)
    return matrix


def _check_shape(shape: tuple[int, ...], dtype: object) -> None:
    if dtype != np.uint8 or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))) or 0 in shape:
        raise ValueError(
            f"Images are uint8 arrays (height, width), (height, width, 1) or (height, width, 3). "
            f"Received: shape={shape}, dtype={dtype}"
        )


def to_grey(image: np.ndarray) -> np.ndarray:
    """Grey values 0..255, float32 (height, width, 1), of a uint8 array as `decode_image` gives it."""
    _check_shape(image.shape, image.dtype)
    if image.ndim == 3 and image.shape[2] == 3:
        image = _weighted_sum(image)
    return image.reshape(*image.shape[:2], 1).astype(np.float32)


def _weighted_sum(image: np.ndarray) -> np.ndarray:
    red, green, blue = (image[..., i].astype(np.int32) for i in range(3))
    grey = red * _GREY_WEIGHTS[0] + green * _GREY_WEIGHTS[1] + blue * _GREY_WEIGHTS[2]
    return (grey + (1 << (_GREY_SHIFT - 1))) >> _GREY_SHIFT


def preprocess(image: np.ndarray, size: tuple[int, int] = (32, 100)) -> np.ndarray:
    """Turns a decoded image into the input of a model.

    Only the pixels that bilinear interpolation looks at are turned grey, so the time hardly depends on the image size.

    Args:
        image: uint8 array (height, width), (height, width, 1) or (height, width, 3) in the order red, green, blue.
        size: height and width of the result.

    Returns:
        float32 array (size[0], size[1], 1) in [-1, 1].

    Raises:
        ValueError: for any other array.
    """
    _check_shape(image.shape, image.dtype)
    rows, row_weights = _taps(image.shape[0], size[0])
    columns, column_weights = _taps(image.shape[1], size[1])
    taps = image.take(rows, axis=0).take(columns, axis=1)
    if taps.ndim == 3 and taps.shape[2] == 3:
        taps = _weighted_sum(taps)
    values = taps.reshape(2 * size[0], 2 * size[1]).astype(np.float32)
    left, right = values[:, : size[1]], values[:, size[1] :]
    lines = left + (right - left) * column_weights
    top, bottom = lines[: size[0]], lines[size[0] :]
    resized = top + (bottom - top) * row_weights[:, None]
    return ((resized - np.float32(127.5)) / np.float32(127.5))[..., None]


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
        return tensorflow.cast((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255, tensorflow.uint8)

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
        weighted = tensorflow.reduce_sum(
            tensorflow.cast(image, tensorflow.int32) * tensorflow.constant(_GREY_WEIGHTS, tensorflow.int32),
            axis=-1,
            keepdims=True,
        )
        image = (weighted + (1 << (_GREY_SHIFT - 1))) // (1 << _GREY_SHIFT)
    resized = tensorflow.image.resize(
        tensorflow.cast(image, tensorflow.float32), size, method="bilinear", antialias=False
    )
    return (resized - 127.5) / 127.5
