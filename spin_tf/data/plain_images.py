"""The contract between the two decoders: which image files TensorFlow turns into the pixels that reading sees.

Reading decodes by Pillow (`decode_image`); training and the graphs of servers by TensorFlow (`decode_tensor`), which
knows no rotation, no CMYK and no TIFF, and treats palettes and transparency in its own way. What both decode alike goes
as it is; all else is decoded as reading does and encoded anew, without loss: at conversion, on its way to a server,
and in the batches of records that others have made.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from spin_tf.data.images import decode_image, orientation

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
# Chunks that leave the pixels alone. Palettes (PLTE), transparent colours (tRNS), rotation (eXIf, or XMP in a text
# chunk) and animation are all outside, and with them the PNGs on which decoders differ.
_PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"tIME"}
_GREY, _RGB, _RGBA = 0, 2, 6
# Baseline, extended and progressive with Huffman codes; APP1 holds EXIF and XMP.
_FRAMES, _APP1, _SCAN = (0xC0, 0xC1, 0xC2), 0xE1, 0xDA
_NO_LENGTH = {0x01, *range(0xD0, 0xD8)}


def decodes_alike(data: bytes) -> bool:
    """Whether TensorFlow decodes a whole image file to the pixels of `decode_image`.

    True for upright JPEGs in grey or colour and for PNGs of 8 bits in grey, colour, or colour with alpha. Others that
    TensorFlow reads (GIF, BMP, palettes) it reads otherwise in some cases; they are too rare to tell those apart.
    """
    if data.startswith(_JPEG):
        return _is_plain_jpeg(data)
    return data.startswith(_PNG) and _is_plain_png(data)


def as_both_read(data: bytes, compress_level: int = 6) -> bytes:
    """Returns a file that both decoders turn into the same pixels: the file itself where it is one, else a PNG.

    Args:
        data: an image file of any format that `decode_image` takes.
        compress_level: of the PNG, 0..9.

    Raises:
        ImageError: the file has to be encoded anew and cannot be decoded.
    """
    return data if decodes_alike(data) else encode_png(decode_image(data), compress_level)


def encode_png(pixels: np.ndarray, compress_level: int = 6) -> bytes:
    """Encodes uint8 (height, width), (height, width, 1) or (height, width, 3)."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=compress_level)
    return buffer.getvalue()


def _is_plain_jpeg(data: bytes) -> bool:
    position, plain_frame, metadata = 2, False, False
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return False
        marker = data[position + 1]
        # Any number of fill bytes may stand before a marker.
        if marker == 0xFF:
            position += 1
            continue
        if marker in _NO_LENGTH:
            position += 2
            continue
        if marker == _SCAN:
            return plain_frame and (not metadata or _is_upright(data))
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            # Precision, height, width, components.
            plain_frame = marker in _FRAMES and data[position + 4 : position + 5] == b"\x08"
            plain_frame = plain_frame and data[position + 9 : position + 10] in (b"\x01", b"\x03")
        metadata = metadata or marker == _APP1
        position += 2 + max(length, 2)
    return False


def _is_upright(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            return orientation(image) == 1
    # Nearly anything on metadata that is broken; whoever decodes it decides what that means.
    except Exception:
        return False


def _is_plain_png(data: bytes) -> bool:
    if len(data) < 33 or data[24] != 8 or data[25] not in (_GREY, _RGB, _RGBA):
        return False
    position, kind = len(_PNG), b""
    while kind != b"IEND":
        if position + 8 > len(data):
            # Pixels that end early end so for both.
            return kind == b"IDAT"
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind not in _PLAIN_CHUNKS:
            return False
        position += length + 12
    return True
