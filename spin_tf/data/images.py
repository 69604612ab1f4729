"""Image files in, pixels out: the one decoder for conversion, training and reading."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from spin_tf._input_files import MAX_BYTES, read_regular_file
from spin_tf.contract.constants import MAX_PIXELS
from spin_tf.contract.errors import ImageError
from spin_tf.data.formats import SHOWN, guess, readable_formats
from spin_tf.data.picture import AmbiguousValuesError, Picture

_ORIENTATION_TAG = 0x0112
_PNG = b"\x89PNG\r\n\x1a\n"
# What decides about pixels; animation chunks do not, for the first frame.
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


class ImageInfo(NamedTuple):
    """What the header of an image says: format in lower case as Pillow names it, height and width in pixels."""

    format: str
    height: int
    width: int


def read_image_file(path: str | os.PathLike[str]) -> bytes:
    """Reads the bytes of an image file, from regular files of at most `MAX_BYTES` only.

    Raises:
        ImageError: the file is too large.
        OSError: it is missing, cannot be opened, or is something else than a file.
        ValueError: the path holds a null character.
    """
    try:
        return read_regular_file(path, MAX_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ImageError(f"{error.strerror}", "file_too_large") from error
        raise


def open_header(data: bytes) -> Image.Image:
    """Opens an image file without decoding its pixels.

    Raises:
        ImageError: for an empty file, an unknown format, a broken header, too many pixels.
    """
    if not data:
        raise ImageError("The image file is empty. Received: 0 bytes", "empty_file")
    if len(data) > MAX_BYTES:
        raise ImageError(f"Image files may have up to {MAX_BYTES} bytes. Received: {len(data)} bytes", "file_too_large")
    try:
        image = Image.open(io.BytesIO(data), formats=readable_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{error}", "too_many_pixels") from error
    except Image.UnidentifiedImageError as error:
        known = ", ".join(SHOWN.get(name, name) for name in readable_formats())
        other = guess(data)
        # Their decoders look at all of the file before they say what it is.
        if other in ("AVIF", "JPEG 2000") and other in known:
            raise ImageError(
                f"The header of the image is broken: {other} that is damaged, or of a kind that is not read. "
                f"Received: {data[:8]!r}...",
                "broken_image",
            ) from error
        raise ImageError(
            f"Not an image, or one of a format that is not read ({known}){f': this is {other}' if other else ''}. "
            f"Received: {data[:8]!r}...",
            "not_an_image",
        ) from error
    except MemoryError:
        raise
    # Pillow's decoders raise nearly anything on broken files, KeyError and EOFError among it.
    except Exception as error:
        raise ImageError(
            f"The header of the image is broken: {error}. Received: {data[:8]!r}...", "broken_image"
        ) from error
    _check_size(*image.size)
    return image


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"The image has no pixels. Received: {width} x {height}", "broken_image")
    if width * height > MAX_PIXELS:
        raise ImageError(f"Images may have up to {MAX_PIXELS} pixels. Received: {width} x {height}", "too_many_pixels")


def _load(data: bytes) -> Image.Image:
    """Opens an image file and decodes its pixels; metadata that cannot be understood is left out of account."""
    try:
        return _load_once(data)
    except ImageError as error:
        bare = _without_metadata(data) if error.reason in ("broken_image", "not_an_image") else data
        if len(bare) == len(data):
            raise
        with contextlib.suppress(ImageError):
            return _load_once(bare)
        raise


def _without_metadata(data: bytes) -> bytes:
    """A PNG or JPEG without text, profiles, EXIF and thumbnails, which may be damaged where the pixels are not.

    Other files, and what is not laid out as a file of its kind, stay.

    An EXIF block is dropped with the others, so that the picture has orientation 1.
    """
    if data.startswith(_PNG):
        return _png_pixels(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg_pixels(data)
    return data


def _png_pixels(data: bytes) -> bytes:
    kept = [_PNG]
    place = len(_PNG)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if kind in _PNG_CHUNKS:
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _jpeg_pixels(data: bytes) -> bytes:
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


def _load_once(data: bytes) -> Image.Image:
    image = open_header(data)
    with _broken_pixels(f"{len(data)} bytes"):
        _load_pixels(image)
    return image


def _load_pixels(image: Image.Image) -> None:
    # Of a TIFF, Pillow reads all metadata when it is done with the pixels, and turns them only after that.
    if isinstance(image, TiffImageFile) and "load_end" not in vars(image):
        load_end = image.load_end

        def guarded() -> None:
            try:
                load_end()
            except Exception:
                ImageOps.exif_transpose(image, in_place=True)
                image.tag_v2.pop(_ORIENTATION_TAG, None)

        image.load_end = guarded  # type: ignore[method-assign]
    image.load()


def inspect_image(data: bytes, decode: bool = False) -> ImageInfo:
    """Reads format and size of an image file, and decodes its pixels only when asked, to see whether it is whole.

    Raises:
        ImageError: for an empty file, an unknown format, a broken header, too many pixels, or pixels that end early.
    """
    with _load(data) if decode else open_header(data) as image:
        if decode:
            _picture(image, f"{len(data)} bytes")
        return ImageInfo((image.format or "").lower(), image.height, image.width)


@contextlib.contextmanager
def _broken_pixels(received: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except AmbiguousValuesError as error:
        raise ImageError(f"{error}", "ambiguous_values") from error
    except Exception as error:
        message = f"The image is truncated or broken: {' '.join(str(error).split())}. Received: {received}"
        raise ImageError(message, "broken_image") from error


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 where there is none that can be understood: it is no part of the pixels."""
    try:
        # A TIFF is turned already, and the tag taken away.
        tags = image.tag_v2 if isinstance(image, TiffImageFile) else image.getexif()
        value = tags.get(_ORIENTATION_TAG, 1)
    # Whatever EXIF holds, Pillow raises nearly anything on it.
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_size(data: bytes) -> tuple[int, int]:
    """Height and width of an image file as it is looked at: those of `decode_image`, without its work but for PNG.

    Raises:
        ImageError: for an empty file, an unknown format, a broken header, too many pixels.
    """
    with open_header(data) as image:
        size = image.height, image.width
        # 5 to 8 lie on their side.
        return size[::-1] if orientation(image) >= 5 else size


def _picture(image: Image.Image, received: str) -> Picture:
    with _broken_pixels(received):
        return Picture(image, orientation(image))


def open_picture(data: bytes) -> Picture:
    """Decodes an image file as `decode_image` does, but leaves its pixels as the file stores them until they are used.

    Raises:
        ImageError: as `decode_image`.
    """
    return _picture(_load(data), f"{len(data)} bytes")


_foreign_images = threading.Lock()
if hasattr(os, "register_at_fork"):
    # A thread that does not exist in the child may hold it.
    os.register_at_fork(after_in_child=_foreign_images._at_fork_reinit)  # type: ignore[attr-defined]


def picture_of(image: Image.Image) -> Picture:
    """A PIL image as `open_picture` gives the file that it was saved to.

    Raises:
        ImageError: its pixels cannot be decoded, have an ambiguous scale, or a mode without a way to red, green, blue.
    """
    _check_size(*image.size)
    received = f"{image.width} x {image.height} pixels"
    # Several threads may be given the same image, which is decoded when it is first used.
    with _foreign_images, _broken_pixels(received):
        _load_pixels(image)
    return _picture(image, received)


def decode_image(data: bytes) -> np.ndarray:
    """Decodes an image file: the first frame, EXIF rotation applied, transparency laid over its ground, 8 bits.

    The ground is white, and black where all that is visible is light. 16 bits keep their upper byte.

    Args:
        data: a whole JPEG, PNG, GIF, BMP, TIFF, WebP or PNM file, or AVIF or JPEG 2000 where Pillow reads them; what it
            is decides, not what it is called.

    Returns:
        uint8 array (height, width) for grey images, (height, width, 3) in the order red, green, blue for others.

    Raises:
        ImageError: with a reason, for anything that is not a whole image of at most `MAX_PIXELS` pixels.
    """
    picture = open_picture(data)
    with _broken_pixels(f"{len(data)} bytes"):
        return picture.to_array()
