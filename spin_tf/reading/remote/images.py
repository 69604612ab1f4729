"""What travels to a server: the file as it is where a TensorFlow graph decodes it alike, else a PNG of its pixels."""

from __future__ import annotations

import io
import os
import pathlib
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image

from spin_tf.reading.images import ImageLike, load_image

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTATION = 0x0112
# Chunks that leave the pixels alone. Palettes (PLTE), transparent colours (tRNS), rotation (eXIf, or XMP in a text
# chunk) and animation are all outside, and with them the PNGs on which decoders differ.
_PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"tIME"}
_GREY, _RGB, _RGBA = 0, 2, 6


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
        image = pathlib.Path(image).read_bytes()
    pixels = load_image(image)
    if isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(image)
        if decodes_alike(data):
            return Outgoing(data, True)
    return Outgoing(_as_png(pixels), False)


def as_png(data: bytes) -> bytes:
    """Returns an image file that any server decodes to the pixels that `Recognizer` sees in `data`."""
    return _as_png(load_image(data))


def _as_png(pixels: np.ndarray) -> bytes:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    buffer = io.BytesIO()
    # The lowest level is several times as fast as the default and hardly larger on photographs.
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def decodes_alike(data: bytes) -> bool:
    """Whether TensorFlow decodes a whole image file to the pixels of `decode_image`.

    True for upright JPEGs in grey or colour and for PNGs of 8 bits in grey, colour, or colour with alpha. Others that
    TensorFlow reads (GIF, BMP, palettes) it reads otherwise in some cases; they are too rare to tell those apart.
    """
    if data.startswith(_JPEG):
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            return image.mode in ("L", "RGB") and image.getexif().get(_ORIENTATION, 1) == 1
    return data.startswith(_PNG) and _is_plain_png(data)


def _is_plain_png(data: bytes) -> bool:
    if len(data) < 33 or data[24] != 8 or data[25] not in (_GREY, _RGB, _RGBA):
        return False
    position, kind = len(_PNG), b""
    while kind != b"IEND":
        if position + 8 > len(data):
            return False
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind not in _PLAIN_CHUNKS:
            return False
        position += length + 12
    return True
