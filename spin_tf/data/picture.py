"""A decoded image that is turned, laid over its ground and cut to 8 bits only where someone looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
from PIL import Image

from spin_tf.contract.pixels import Box, is_light, is_visible, over

# Pixels that are converted at once: larger pictures go in strips, so that no second copy of them is made.
_STRIP_PIXELS = 1 << 18

# How the stored pixels lie in the picture by EXIF orientation: whether the axes are swapped, then which are reversed.
_ORIENTATIONS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


class AmbiguousValuesError(ValueError):
    """Pixels whose scale cannot be known."""


class Picture:
    """A loaded PIL image as reading sees it: EXIF rotation undone, transparency laid over a ground, 8 bits a channel.

    Transparency lies over white; over black where everything visible is light. 16 bits keep their upper byte, as
    libpng's strip_16 in TensorFlow's decoder does; floats are 0..255.

    Args:
        image: a PIL image whose pixels are loaded; it is not changed.
        orientation: EXIF orientation, 1 to 8.

    Attributes:
        shape: (height, width) for grey pictures, (height, width, 3) in the order red, green, blue for others.

    Raises:
        AmbiguousValuesError: 16-bit values that all lie in 0..255, floats that all lie in 0..1 or not in 0..255,
            integers beyond 16 bits: dark pictures, or another scale.
        ValueError: a mode that has no way to red, green and blue.
    """

    def __init__(self, image: Image.Image, orientation: int = 1) -> None:
        self._image = image
        self._orientation = _ORIENTATIONS[orientation]
        self._table: np.ndarray | None = None
        self._ground = 255
        mode = image.mode
        self._is_wide = mode.startswith("I") or mode == "F"
        self._is_grey = self._is_wide
        self._has_alpha = False
        # Where a table of 256 colours costs less than the conversion of the pixels.
        is_large = image.width * image.height > _STRIP_PIXELS
        if self._is_wide:
            _check_scale(image)
        elif mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
            if mode == "P" and is_large:
                self._table = self._palette_over_ground()
            else:
                self._has_alpha = True
                self._ground = 0 if self._has_light_ink() else 255
        elif mode == "P" and is_large:
            self._table = np.asarray(_ramp(image).convert("RGB"))[0]
        else:
            self._is_grey = mode in ("1", "L")
        width, height = image.size
        # What of the stored pixels belongs to the picture.
        self._stored = Box(0, height, 0, width)
        swapped = self._orientation[0]
        self.shape: tuple[int, ...] = ((width, height) if swapped else (height, width)) + (
            () if self._is_grey else (3,)
        )

    def take(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The pixels at these rows and columns: uint8 (rows, columns) or (rows, columns, 3)."""
        swapped, rows_reversed, columns_reversed = self._orientation
        rows = self.shape[0] - 1 - rows if rows_reversed else rows
        columns = self.shape[1] - 1 - columns if columns_reversed else columns
        if swapped:
            rows, columns = columns, rows
        rows, columns = rows + self._stored.top, columns + self._stored.left
        width, height = self._image.size
        if height * width <= _STRIP_PIXELS:
            taken = self._pixels(self._image).take(rows, axis=0).take(columns, axis=1)
        else:
            distinct, places = np.unique(rows, return_inverse=True)
            first, end = int(columns.min()), int(columns.max()) + 1
            strips = (self._image.crop((first, int(row), end, int(row) + 1)) for row in distinct)
            lines = [self._pixels(line)[0].take(columns - first, axis=0) for line in strips]
            taken = np.stack(lines)[places]
        return taken.swapaxes(0, 1) if swapped else taken

    def _copy(self) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy

    def crop(self, box: Box) -> Self:
        """A part of the picture; no pixel is touched."""
        cropped = self._copy()
        swapped, rows_reversed, columns_reversed = self._orientation
        height, width = self.shape[:2]
        top, bottom, left, right = box
        if rows_reversed:
            top, bottom = height - bottom, height - top
        if columns_reversed:
            left, right = width - right, width - left
        if swapped:
            top, bottom, left, right = left, right, top, bottom
        first_row, first_column = self._stored.top, self._stored.left
        cropped._stored = Box(first_row + top, first_row + bottom, first_column + left, first_column + right)
        cropped.shape = (box.bottom - box.top, box.right - box.left, *self.shape[2:])
        return cropped

    def rot90(self, quarters: int) -> Self:
        """The picture turned by quarters counter-clockwise, as `np.rot90` does; no pixel is touched."""
        turned = self._copy()
        for _ in range(quarters % 4):
            swapped, rows_reversed, columns_reversed = turned._orientation
            # What was a column, counted from the right, is now a row.
            turned._orientation = (not swapped, not columns_reversed, rows_reversed)
            turned.shape = (turned.shape[1], turned.shape[0], *turned.shape[2:])
        return turned

    def to_array(self) -> np.ndarray:
        """All pixels, uint8 of `shape`; beside the result no more than a strip of them is held."""
        swapped, rows_reversed, columns_reversed = self._orientation
        top, bottom, left, right = self._stored
        image = self._image
        if (right - left, bottom - top) != image.size:
            image = image.crop((left, top, right, bottom))
        if self._orientation == _ORIENTATIONS[1] and image.height * image.width <= _STRIP_PIXELS:
            return self._pixels(image)
        result = np.empty(self.shape, np.uint8)
        # The same memory in the order in which the pixels are stored.
        stored = result[:: -1 if rows_reversed else 1, :: -1 if columns_reversed else 1]
        stored = stored.swapaxes(0, 1) if swapped else stored
        for row, strip in _strips(image):
            stored[row : row + strip.height] = self._pixels(strip)
        return result

    def _pixels(self, strip: Image.Image) -> np.ndarray:
        if self._table is not None:
            return self._table[np.asarray(strip)]
        if self._has_alpha:
            return over(_to_rgba(strip), self._ground)
        if self._is_wide:
            values = np.asarray(strip)
            if values.dtype == np.float32:
                return np.rint(values).astype(np.uint8)
            return (values >> 8).astype(np.uint8)
        mode = "L" if self._is_grey else "RGB"
        return np.asarray(strip if strip.mode == mode else strip.convert(mode))

    def _has_light_ink(self) -> bool:
        visible = translucent = False
        for _, strip in _strips(self._image):
            rgba = _to_rgba(strip)
            alpha = rgba[..., 3]
            translucent = translucent or bool(alpha.min() < 255)
            visible = visible or is_visible(alpha)
            if alpha.max() > 0 and not is_light(over(rgba, 255)):
                return False
        return translucent and visible

    def _palette_over_ground(self) -> np.ndarray:
        """The colours of a palette with transparency over their ground; only those count that a pixel has."""
        rgba = np.asarray(_ramp(self._image).convert("RGBA"))
        used = rgba[:, np.flatnonzero(self._image.histogram())]
        has_light_ink = is_light(over(used, 255)) and is_visible(used[..., 3])
        return over(rgba, 0 if has_light_ink else 255)[0]


def _to_rgba(image: Image.Image) -> np.ndarray:
    # Pillow has no way from premultiplied grey to colours.
    return np.asarray((image.convert("LA") if image.mode == "La" else image).convert("RGBA"))


def _ramp(image: Image.Image) -> Image.Image:
    """The 256 entries of the palette of an image, one pixel each."""
    ramp = image.crop((0, 0, 256, 1))
    ramp.frombytes(bytes(range(256)))
    return ramp


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The image in parts of some lines each, with the number of the first line."""
    step = max(_STRIP_PIXELS // image.width, 1)
    if step >= image.height:
        yield 0, image
        return
    for top in range(0, image.height, step):
        yield top, image.crop((0, top, image.width, min(top + step, image.height)))


def _check_scale(image: Image.Image) -> None:
    ranges = []
    for _, strip in _strips(image):
        values = np.asarray(strip)
        ranges.append((float(values.min()), float(values.max())))
    # Not-a-number anywhere is the lowest and the highest, and no comparison holds for it.
    lowest, highest = float(np.min(ranges)), float(np.max(ranges))
    problem = ""
    if image.mode == "F":
        if not 0 <= lowest <= highest <= 255:
            problem = "Floating-point pixels are 0..255"
        elif 0 < highest <= 1:
            problem = "These pixels seem to be 0..1 where 0..255 is read"
    elif not 0 <= lowest <= highest <= 65535:
        problem = "Integer pixels have up to 16 bits, 0..65535"
    elif 0 < highest <= 255:
        problem = "These 16-bit pixels seem to hold 8-bit values"
    if problem:
        raise AmbiguousValuesError(
            f"{problem}; bring them to 0..255 and to mode L first. "
            f"Received: mode={image.mode}, values {lowest:g} to {highest:g}"
        )
