"""What callers may hand in as an image, and the one uint8 array that preprocessing takes."""

from __future__ import annotations

import io
import os
import pathlib

import numpy as np
from PIL import Image

from spin_tf.data.preprocessing import decode_image

ImageLike = str | os.PathLike[str] | bytes | bytearray | memoryview | np.ndarray | Image.Image


def load_image(image: ImageLike) -> np.ndarray:
    """Turns a path, the bytes of an image file, an array or a PIL image into a decoded image.

    Args:
        image: see `Recognizer.read`.

    Returns:
        uint8 array (height, width) or (height, width, 3) in the order red, green, blue.

    Raises:
        ImageError: (a ValueError) the image cannot be decoded.
        OSError: the file cannot be opened.
        ValueError: an array that is not uint8, or not of a shape that an image has.
        TypeError: something that is no image.
    """
    if isinstance(image, (str, os.PathLike)):
        return decode_image(pathlib.Path(image).read_bytes())
    if isinstance(image, (bytes, bytearray, memoryview)):
        return decode_image(bytes(image))
    if isinstance(image, Image.Image):
        return decode_image(_as_file(image))
    if isinstance(image, np.ndarray):
        return _check_array(image)
    raise TypeError(
        f"An image is a path, bytes, a uint8 array or a PIL image. Received: a {type(image).__module__}."
        f"{type(image).__qualname__}"
    )


def _as_file(image: Image.Image) -> bytes:
    """A PIL image as a file without loss, so that palette, alpha, CMYK, 16 bits and rotation go the one way."""
    if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        file_format = "PNG"
    elif image.mode in ("CMYK", "F", "I"):
        file_format = "TIFF"
    else:
        exif = image.getexif()
        image = image.convert("RGBA" if image.mode in ("PA", "La", "RGBa") else "RGB")
        image.getexif().update(exif)
        file_format = "PNG"
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, exif=image.getexif())
    return buffer.getvalue()


def _check_array(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8:
        raise ValueError(
            "An image array holds uint8 values 0..255; scale and convert others first. "
            f"Received: dtype={image.dtype}, shape={image.shape}"
        )
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)) or 0 in image.shape:
        raise ValueError(
            "An image array is (height, width), (height, width, 1), (height, width, 3) or (height, width, 4). "
            f"Received: shape={image.shape}"
        )
    if image.ndim == 3 and image.shape[2] == 4:
        return decode_image(_as_file(Image.fromarray(image)))
    return image
