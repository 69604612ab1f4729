"""Many words on one picture, to judge them by eye."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

_GAP = 3


def contact_sheet(images: Iterable[np.ndarray], columns: int = 8, scale: int = 1) -> Image.Image:
    """Tiles word images of one size, row by row.

    Args:
        images: uint8 arrays (height, width), all of one size.
        columns: words in a row.
        scale: each pixel becomes `scale` x `scale` pixels.

    Raises:
        ValueError: there is no image.
    """
    tiles = list(images)
    if not tiles:
        raise ValueError("A contact sheet needs at least one image. Received: images=[]")
    height, width = (n * scale + _GAP for n in tiles[0].shape)
    rows = -(-len(tiles) // columns)
    sheet = Image.new("L", (columns * width + _GAP, rows * height + _GAP), 255)
    for i, tile in enumerate(tiles):
        image = Image.fromarray(tile).resize((width - _GAP, height - _GAP), Image.Resampling.BILINEAR)
        sheet.paste(image, (_GAP + i % columns * width, _GAP + i // columns * height))
    return sheet
