from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spin_tf.contract.preprocessing import preprocess
from spin_tf.data.images import decode_image
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
