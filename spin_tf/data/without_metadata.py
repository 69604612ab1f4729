"""PNG and JPEG files without what is not pixels, for when that is damaged and the pixels are not."""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
# What decides about pixels; animation chunks do not, for the first frame.
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def without_metadata(data: bytes) -> bytes:
    """Drops text, profiles, EXIF and thumbnails; other files, and what is not laid out as a file of its kind, stay.

    An EXIF block is dropped with the others, so that the picture has orientation 1.
    """
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    return data


def _png(data: bytes) -> bytes:
    kept = [_PNG]
    place = len(_PNG)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if kind in _PNG_CHUNKS:
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _jpeg(data: bytes) -> bytes:
    kept = [data[:2]]
    place = 2
    # Segments up to the start of the scan; the rest is pixels.
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        marker, length = struct.unpack_from(">xBH", data, place)
        end = place + 2 + length
        # JFIF (APP0) and Adobe's (APP14) say how colours are stored.
        if not (0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE)):
            kept.append(data[place:end])
        place = end
    kept.append(data[place:])
    return b"".join(kept)
