"""Words and pictures on which an exported file is compared with what it was made of."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spin_tf.contract.preprocessing import preprocess
from spin_tf.data.images import decode_image, read_image_file
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.synthesis import WordSynthesizer

if TYPE_CHECKING:
    from spin_tf.models import SPINRecognizer


def check_files(patterns: Sequence[str], num_words: int) -> list[bytes]:
    """Image files of words on which an exported file is compared with the trained model.

    Args:
        patterns: paths or glob patterns of TFRecords, read at even distances; empty for generated words.
        num_words: at most this many.
    """
    if not patterns:
        synthesizer = WordSynthesizer()
        return [_png(synthesizer.word(seed)[0]) for seed in range(num_words)]
    index = RecordIndex(patterns)
    picked = np.linspace(0, len(index) - 1, min(num_words, len(index))).astype(int)
    return [index.read_example(int(i)).encoded for i in picked]


def check_words(patterns: Sequence[str], num_words: int, image_size: tuple[int, int]) -> np.ndarray:
    """The words of `check_files` as the input of a model.

    Args:
        patterns, num_words: see `check_files`.
        image_size: (height, width).

    Returns:
        (n, height, width, 1) float32 in [-1, 1].
    """
    return np.stack([preprocess(decode_image(file), image_size) for file in check_files(patterns, num_words)])


def wide_of(images: np.ndarray, model: SPINRecognizer) -> np.ndarray | None:
    """Words of a model's wide_image_size, each joined of as many of `images` as it takes; None where it has no such.

    Args:
        images: (n, height, width, 1) of its image_size.
        model: whose size it is.

    Returns:
        (n, height, wide width, 1).
    """
    if model.wide_image_size is None:
        return None
    width = model.wide_image_size[1]
    parts = [np.roll(images, -i, axis=0) for i in range(-(-width // images.shape[2]))]
    return np.concatenate(parts, axis=2)[:, :, :width]


def _png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


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
