"""Pictures on which a converted detector is compared with what it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from spin_tf.data.images import decode_image, read_image_file
from spin_tf.synthesis import WordSynthesizer

# 16 : 9, 4 : 3 and upright ones, so that every size of a detector has its turn.
_SHAPES = ((720, 1280), (768, 1024), (1280, 720), (1024, 768))
_WORDS = 12


def check_pictures(paths: Sequence[str], num_pictures: int = 8) -> Iterator[np.ndarray]:
    """Yields the pictures of files, or drawn ones.

    Args:
        paths: image files; empty for drawn pictures, each of them with a dozen words of the project's synthesis.
        num_pictures: how many are drawn.

    Yields:
        uint8 (height, width, 3), red, green, blue.

    Raises:
        ValueError: a file is no image.
        OSError: a file cannot be read.
    """
    for path in paths:
        try:
            image = decode_image(read_image_file(path))
        except ValueError as error:
            raise ValueError(f"{error}; picture={path!r}") from error
        yield image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)
    synthesizer = WordSynthesizer()
    for number in range(0 if paths else num_pictures):
        height, width = _SHAPES[number % len(_SHAPES)]
        rng = np.random.default_rng(number)
        picture = Image.new("RGB", (width, height), tuple(rng.integers(60, 200, 3).tolist()))
        for word in range(_WORDS):
            crop = Image.fromarray(synthesizer.word(number * _WORDS + word)[0]).convert("RGB")
            rows = int(rng.integers(24, 70))
            crop = crop.resize((max(crop.width * rows // crop.height, 1), rows))
            # In a grid, so that no word covers another one.
            row, column = divmod(word, 3)
            picture.paste(crop, (column * width // 3 + 10, row * height // 4 + 10))
        yield np.asarray(picture)
