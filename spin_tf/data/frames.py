"""Files that hold more than one picture, of which reading takes the first."""

from __future__ import annotations

from PIL import Image

# Where the other frames of a file are told: an animated PNG says so before its pixels, a JPEG in its first segments.
_HEAD = 1 << 16
# Reduced copies and masks that a TIFF keeps beside its pages are none.
_NO_PAGE = 0b101
_SUBFILE_TYPE = 254
_MOST_LOOKED_AT = 8


def further_frames(path: str) -> str:
    """What follows the first picture of an image file that was read: "frames", "pages", or "" where nothing does.

    The second picture that many phones keep in a JPEG, a smaller one that says how bright to show the first, is none.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"\xff\xd8"):
        suspect = b"MPF\0" in head
    elif head.startswith(b"\x89PNG"):
        suspect = b"acTL" in head.partition(b"IDAT")[0]
    else:
        suspect = head.startswith((b"GIF8", b"II", b"MM", b"RIFF")) or head[4:8] == b"ftyp"
    if not suspect:
        return ""
    try:
        with Image.open(path, formats=("JPEG", "PNG", "GIF", "TIFF", "WEBP", *_avif(head))) as image:
            return ("pages" if image.format == "TIFF" else "frames") if _has_second(image) else ""
    # Behind the picture that was read, anything may be broken.
    except Exception:
        return ""


def _avif(head: bytes) -> tuple[str, ...]:
    return ("AVIF",) if head[4:8] == b"ftyp" else ()


def _has_second(image: Image.Image) -> bool:
    size = image.size
    for number in range(1, _MOST_LOOKED_AT):
        try:
            image.seek(number)
        except EOFError:
            return False
        tags = getattr(image, "tag_v2", None)
        if tags is not None:
            if not tags.get(_SUBFILE_TYPE, 0) & _NO_PAGE:
                return True
        elif image.format != "MPO" or image.size == size:
            return True
    return False
