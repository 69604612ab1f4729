"""What travels to a server: the file as it is where a TensorFlow graph decodes it alike, else a PNG of its pixels."""

from __future__ import annotations

import os
from typing import NamedTuple

from spin_tf.data.images import read_image_file
from spin_tf.data.plain_images import decodes_alike, encode_png
from spin_tf.reading.inputs import ImageLike, is_file, load_image, read_file

__all__ = ["Outgoing", "as_png", "decodes_alike", "outgoing"]

# The lowest level is several times as fast as the default and hardly larger on photographs.
_COMPRESSION = 1


class Outgoing(NamedTuple):
    """An image on its way: the bytes of a file, and whether they are those of the caller's file."""

    data: bytes
    original: bool


def outgoing(image: ImageLike) -> Outgoing:
    """Reads and decodes an image as `Recognizer` does, so that what it refuses never travels.

    Args:
        image: what `Recognizer.read` takes.

    Raises:
        ImageError, OSError, ValueError, TypeError: as `load_image` does, in the same words.
    """
    if isinstance(image, (str, os.PathLike)):
        image = read_image_file(image)
    elif is_file(image):
        image = read_file(image)
    pixels = load_image(image)
    if isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(image)
        if decodes_alike(data):
            return Outgoing(data, True)
    return Outgoing(encode_png(pixels, _COMPRESSION), False)


def as_png(data: bytes) -> bytes:
    """Returns an image file that any server decodes to the pixels that `Recognizer` sees in `data`."""
    return encode_png(load_image(data), _COMPRESSION)
