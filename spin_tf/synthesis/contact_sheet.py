"""Many words on one picture, to judge them by eye."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

_GAP = 3


def contact_sheet(images: Iterable[np.ndarray], columns: int = 8, scale: int = 1) -> Image.Image:
    """Tiles word images, row by row, in cells as large as the largest image.

    Args:
        images: uint8 arrays (height, width), or (height, width, 3) in colour.
        columns: words in a row.
        scale: each pixel becomes `scale` x `scale` pixels.

    Raises:
        ValueError: there is no image.
    """
    tiles = list(images)
    if not tiles:
        raise ValueError("A contact sheet needs at least one image. Received: images=[]")
    mode = "RGB" if any(tile.ndim == 3 for tile in tiles) else "L"
    height, width = (max(tile.shape[axis] for tile in tiles) * scale + _GAP for axis in (0, 1))
    rows = -(-len(tiles) // columns)
    sheet = Image.new(mode, (columns * width + _GAP, rows * height + _GAP), "white")
    for i, tile in enumerate(tiles):
        image = Image.fromarray(tile).resize((tile.shape[1] * scale, tile.shape[0] * scale), Image.Resampling.BILINEAR)
        sheet.paste(image, (_GAP + i % columns * width, _GAP + i // columns * height))
    return sheet
