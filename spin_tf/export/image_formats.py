"""Which image files a graph reads exactly as `Recognizer` does, told from their bytes; the others are refused.

TensorFlow decodes more than this, but not as Pillow does: it ignores EXIF rotation, the transparent colour of a PNG and
the palette of a BMP. A client that gets a reason ending in `_not_served` decodes the file itself and sends a PNG.
"""

from __future__ import annotations

import enum

import tensorflow as tf

from spin_tf._types import Tensor
from spin_tf.contract.constants import MAX_IMAGE_BYTES, MAX_PIXELS

# In the order of their numbers in the graph. Those that `ImageError` has too mean the same.
REASONS = (
    "",
    "empty_file",
    "file_too_large",
    "not_an_image",
    "broken_image",
    "too_many_pixels",
    "format_not_served",
    "rotation_not_served",
    "colours_not_served",
    "transparency_not_served",
)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OTHER_FORMATS = (b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
# What they lie on depends on all of their pixels, at sixteen bytes each.
_MANY_PIXELS_WITH_ALPHA = 4_000_000
_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6

# What Pillow turns an image for: the EXIF tag 0x0112 in either byte order, or XMP's tiff:Orientation. Patterns of RE2
# match UTF-8, so only bytes below 0x80 can be named.
_UPRIGHT = (
    r"\x12\x01\x03\x00\x01\x00\x00\x00\x01\x00|\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01|tiff:Orientation(?:=\"|>)1"
)
_TURNED = r"\x12\x01[\x01-\x0d]\x00|\x01\x12\x00[\x01-\x0d]|tiff:Orientation"
# Places where the tag may be packed out of sight.
_PACKED = r"Raw profile type|com\.adobe\.xmp\x00\x01"


class Kind(enum.IntEnum):
    """The ways into pixels."""

    NONE = 0
    JPEG = 1
    PNG = 2
    PNG_WITH_ALPHA = 3
    BMP = 4


def reason_code(reason: str) -> int:
    return REASONS.index(reason)


def _holds(encoded: Tensor, pattern: str) -> Tensor:
    return tf.strings.regex_full_match(encoded, rf"\C*(?:{pattern})\C*")


def _number(head: Tensor, start: int, size: int, big_endian: bool) -> Tensor:
    """An unsigned number in the header: int64 (n,)."""
    places = range(size) if big_endian else reversed(range(size))
    total = tf.zeros_like(head[:, 0])
    for place in places:
        total = total * 256 + head[:, start + place]
    return total


def classify(encoded: Tensor) -> tuple[Tensor, Tensor]:
    """Looks at image files without decoding them.

    Args:
        encoded: string (n,).

    Returns:
        kind int32 (n,), a `Kind`; reason int32 (n,), a place in `REASONS`, 0 where the kind is not NONE.
    """
    size = tf.strings.length(encoded)
    head = tf.io.decode_raw(tf.strings.substr(encoded, 0, 64), tf.uint8, fixed_length=64)
    head = tf.cast(head, tf.int64)

    def starts(magic: bytes, at: int = 0) -> Tensor:
        return tf.reduce_all(head[:, at : at + len(magic)] == tf.constant(list(magic), tf.int64), axis=1)

    is_jpeg, is_png, is_bmp = starts(b"\xff\xd8\xff"), starts(_PNG_SIGNATURE), starts(b"BM")
    depth, colour = head[:, 24], head[:, 25]
    is_pnm = (head[:, 0] == ord("P")) & tf.reduce_any(head[:, 1:2] == list(b"0123456fy"), axis=1)
    is_other = tf.reduce_any([starts(magic) for magic in _OTHER_FORMATS], axis=0) | is_pnm
    is_other |= (starts(b"RIFF") & starts(b"WEBP", 8)) | starts(b"ftypavif", 4) | starts(b"ftypavis", 4)
    # The one BMP without palette, masks or compression.
    plain_bmp = (_number(head, 14, 4, False) == 40) & (_number(head, 28, 2, False) == 24)
    plain_bmp &= _number(head, 30, 4, False) == 0
    pixels = tf.where(
        is_png,
        _number(head, 16, 4, True) * _number(head, 20, 4, True),
        tf.where(is_bmp, _number(head, 18, 4, False) * tf.abs(_signed(_number(head, 22, 4, False))), 1),
    )
    transparent, rotated, moving = _look_inside(encoded)
    has_alpha = (colour == _GREY_ALPHA) | (colour == _COLOUR_ALPHA) | ((colour == _PALETTE) & transparent)
    kind = tf.where(is_jpeg, int(Kind.JPEG), tf.where(is_bmp, int(Kind.BMP), int(Kind.PNG)))
    kind = tf.where(is_png & has_alpha, int(Kind.PNG_WITH_ALPHA), kind)
    # The first that holds, as in a chain of elifs.
    cases = (
        (size == 0, "empty_file"),
        (size > MAX_IMAGE_BYTES, "file_too_large"),
        (is_other, "format_not_served"),
        (~(is_jpeg | is_png | is_bmp), "not_an_image"),
        (is_png & (~starts(b"IHDR", 12) | (size < 33) | (depth < 1)), "broken_image"),
        (is_bmp & ~plain_bmp, "format_not_served"),
        (pixels > MAX_PIXELS, "too_many_pixels"),
        (pixels < 1, "broken_image"),
        (is_png & moving, "format_not_served"),
        # Where these are all dark, `Recognizer` asks which scale they have.
        (is_png & (depth == 16) & (colour == _GREY), "colours_not_served"),
        (is_png & has_alpha & (pixels > _MANY_PIXELS_WITH_ALPHA), "transparency_not_served"),
        ((is_jpeg | is_png) & rotated, "rotation_not_served"),
        (is_png & transparent & ((colour == _GREY) | (colour == _COLOUR)), "transparency_not_served"),
    )
    reason = tf.zeros_like(size)
    for condition, name in reversed(cases):
        reason = tf.where(condition, reason_code(name), reason)
    return tf.where(reason == 0, kind, int(Kind.NONE)), reason


def _signed(number: Tensor) -> Tensor:
    return tf.where(number >= 2**31, number - 2**32, number)


def _look_inside(encoded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether files hold a transparent colour, an orientation other than upright, an animation: bool (n,) each.

    A pattern may also occur among compressed pixels by chance: the file is then refused, never read otherwise.
    """
    suspect = _holds(encoded, rf"Exif|eXIf|Orientation|tRNS|acTL|{_PACKED}")

    def closely() -> tuple[Tensor, Tensor, Tensor]:
        rest = tf.strings.regex_replace(encoded, _UPRIGHT, "")
        turned = _holds(rest, _TURNED) & _holds(encoded, "Exif|eXIf|Orientation")
        return _holds(encoded, "tRNS"), turned | _holds(encoded, _PACKED), _holds(encoded, "acTL")

    nothing = tf.zeros_like(suspect)
    return tf.cond(tf.reduce_any(suspect), closely, lambda: (nothing, nothing, nothing))
