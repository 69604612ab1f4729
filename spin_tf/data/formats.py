"""Image files: what they are called, what they begin with, which can be read, which hold more than one picture."""

from __future__ import annotations

import functools
import os
import re

from PIL import Image, features

# Whatever an image is called: those that cannot be read are named as such, never passed over. The list of
# deploy/cpp/src/image_names.h.
_SUFFIXES = (
    # JPEG, PNG, GIF, BMP, TIFF, WebP, PNM.
    ".jpg .jpeg .jpe .jfif .jif .jfi .pjpeg .pjp .mpo .png .apng .gif .bmp .dib .tif .tiff .webp "
    ".ppm .pgm .pbm .pnm .pam .pfm "
    # AVIF, JPEG 2000.
    ".avif .avifs .jp2 .j2k .j2c .jpc .jpf .jpx .jpm "
    # Those of cameras, screens and other programs, none of which is read.
    ".heic .heif .hif .heics .heifs .jxl .jxr .wdp .hdp .dng .cr2 .cr3 .nef .arw .orf .rw2 .raf .svg .svgz .psd .xcf "
    ".ico .cur .icns .tga .pcx .qoi .dds .exr .hdr .jls .jng .sgi .xbm .xpm .wmf .emf"
)
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
_FIRST_BYTES = (
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"GIF8[79]a", "GIF"),
    (rb"BM.{4}\0{4}", "BMP"),
    (rb"II[*+]\0|MM\0[*+]", "TIFF"),
    (rb"RIFF.{4}WEBP", "WebP"),
    (rb".{4}ftypavi[fs]", "AVIF"),
    (rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", "HEIC"),
    (rb"\0\0\0\x0cjP {2}\r\n\x87\n|\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (rb"8BPS\0", "PSD"),
    (rb"\0\0[\1\2]\0.\0", "ICO"),
    (rb"qoif", "QOI"),
    (rb"DDS \x7c", "DDS"),
    (rb"\x76\x2f\x31\x01", "OpenEXR"),
    (rb"II\xbc\x01", "JPEG XR"),
    (rb"gimp xcf ", "XCF"),
)
# What comes under the name of an image and is none.
_OTHERS = (
    (rb"\s*(?:<\?xml.{,200}?\?>\s*)?(?:<!--.{,400}?-->\s*)?(?:<!DOCTYPE svg.{,200}?>\s*)?<svg", "SVG"),
    (rb"%PDF-", "PDF"),
    (rb"%!PS", "PostScript"),
    (rb"\s*<(?i:!doctype html|html|head|body)", "a web page"),
    (rb"\s*<\?xml", "XML"),
    (rb"version https://git-lfs", "a pointer of Git LFS to a file that was not fetched"),
    (rb"PK\x03\x04", "a zip archive"),
    (rb"\x1f\x8b", "a file packed by gzip"),
)
# Bytes that `format_of` looks at.
HEAD_BYTES = 1024


def is_image_name(name: str) -> bool:
    """Whether a file is called like an image."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def format_of(head: bytes) -> str:
    """The image format that a file begins like; "" for all others, and for PNM, whose two letters may be text."""
    return _first_match(head, _FIRST_BYTES)


def guess(head: bytes) -> str:
    """What a file is that is not read, as a person would say it; "" where nobody can tell."""
    return _first_match(head, _FIRST_BYTES) or _first_match(head, _OTHERS)


def _first_match(head: bytes, patterns: tuple[tuple[bytes, str], ...]) -> str:
    for pattern, name in patterns:
        if re.match(pattern, head[:HEAD_BYTES], re.DOTALL):
            # A sequence of AVIF or HEIC names the other in its list of brands.
            return "AVIF" if name == "HEIC" and b"avi" in head[8:64] else name
    return ""


@functools.cache
def readable_formats() -> tuple[str, ...]:
    """The formats that are read, as Pillow names them: an explicit list, and of it what this Pillow was built with.

    Pillow's other decoders (EPS runs Ghostscript) are never tried on a stranger's file.
    """
    formats = ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]
    # Older ones do not know the name, and warn of it.
    if "avif" in features.modules and features.check_module("avif"):
        formats.append("AVIF")
    if features.check_codec("jpg_2000"):
        formats.append("JPEG2000")
    return tuple(formats)


# As people write them.
SHOWN = {"PPM": "PNM", "WEBP": "WebP", "JPEG2000": "JPEG 2000"}

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
