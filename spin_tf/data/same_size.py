from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


def same_size(images: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups images by their shape, for a model takes those of one size at a time.

    Yields:
        the places of the images of a group, int64 (n,), and the images, (n, *shape); the narrowest first.
    """
    shapes = [image.shape for image in images]
    for shape in sorted(set(shapes)):
        places = np.flatnonzero([other == shape for other in shapes])
        yield places, np.stack([images[int(place)] for place in places])
