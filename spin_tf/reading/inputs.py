"""What callers may hand in as an image, and what preprocessing makes its input of."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
from PIL import Image

from spin_tf._input_files import MAX_BYTES
from spin_tf.data.images import ImageError, open_picture, picture_of, read_image_file
from spin_tf.data.picture import Picture


class BinaryFile(Protocol):
    """A file opened for reading bytes, an `io.BytesIO`, an upload."""

    def read(self, size: int, /) -> bytes: ...


ImageLike = str | os.PathLike[str] | bytes | bytearray | memoryview | np.ndarray | Image.Image | BinaryFile


def several_images(images: Iterable[ImageLike]) -> Iterator[ImageLike]:
    """The images that `read_many` was given, one after another.

    Raises:
        TypeError: `images` is one image, which would be taken for its letters, bytes or lines of pixels.
    """
    one = isinstance(images, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)) or is_file(images)
    # Four axes are a stack of images; with three, nothing tells one image of colours from several grey ones.
    if one or (isinstance(images, np.ndarray) and images.ndim < 4):
        what = f"an array of shape {images.shape}" if isinstance(images, np.ndarray) else f"one {type(images).__name__}"
        raise TypeError(f"read_many takes several images; read takes one, and read_many([image]) too. Received: {what}")
    return iter(images)


def load_image(image: ImageLike) -> np.ndarray:
    """Decodes all pixels of what `open_image` takes, uint8 (height, width) or (height, width, 3), and raises the same.

    An array (height, width, 1) stays one.
    """
    opened = open_image(image)
    return opened.to_array() if isinstance(opened, Picture) else opened


def open_image(image: ImageLike) -> np.ndarray | Picture:
    """Turns a path, the bytes of an image file, an open file, an array or a PIL image into a decoded image.

    Args:
        image: see `Recognizer.read`.

    Returns:
        what `preprocess` takes: a uint8 array (height, width), (height, width, 1) or (height, width, 3) as it was
        given, or a `Picture`.

    Raises:
        ImageError: (a ValueError) the image cannot be decoded.
        OSError: the file cannot be opened, or is no regular file.
        ValueError: an array that is not uint8, or not of a shape that an image has.
        TypeError: something that is no image.
    """
    if isinstance(image, (str, os.PathLike)):
        return open_picture(read_image_file(image))
    if isinstance(image, (bytes, bytearray, memoryview)):
        return open_picture(bytes(image))
    if isinstance(image, Image.Image):
        return picture_of(image)
    if isinstance(image, np.ndarray):
        return _check_array(image)
    if is_file(image):
        return open_picture(read_file(image))
    raise TypeError(
        "An image is a path, bytes, a file opened for reading bytes, a uint8 array or a PIL image. "
        f"Received: a {_name_of(image)}"
    )


def is_file(image: object) -> bool:
    """Whether something is a file object, as far as one can tell without reading it."""
    return callable(getattr(image, "read", None)) and not isinstance(image, type)


def read_file(file: Any) -> bytes:
    """The bytes of an image file that is open, from its start on where it can go there, as Pillow reads it.

    Raises:
        ImageError: it has more than `MAX_BYTES` bytes.
        OSError: it cannot be read.
        TypeError: what it gives is no bytes.
    """
    if callable(getattr(file, "seek", None)):
        # Pipes, sockets and their like begin where they are.
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            _refuse_awaitable(file.seek(0), file)
    data = bytearray()
    # Sockets and unbuffered files give less than they are asked for.
    while len(data) <= MAX_BYTES:
        chunk = file.read(MAX_BYTES + 1 - len(data))
        _refuse_awaitable(chunk, file)
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            what = "text: open it for reading bytes" if isinstance(chunk, str) else _name_of(chunk)
            raise TypeError(f"An image file gives bytes, and this one gives {what}. Received: a {_name_of(file)}")
        if not chunk:
            return bytes(data)
        data += chunk
    raise ImageError(f"Files may have up to {MAX_BYTES} bytes. Received: more", "file_too_large")


def _refuse_awaitable(answer: object, file: object) -> None:
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise TypeError(
            f"The methods of this file have to be awaited: give the bytes of its read(). Received: a {_name_of(file)}"
        )


def _name_of(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _check_array(image: np.ndarray) -> np.ndarray | Picture:
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
        return picture_of(Image.fromarray(image))
    return image
