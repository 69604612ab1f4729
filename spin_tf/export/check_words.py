from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spin_tf.data.preprocessing import decode_image, preprocess
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.synthesis import WordSynthesizer


def check_words(patterns: Sequence[str], num_words: int, image_size: tuple[int, int]) -> np.ndarray:
    """Word images on which an exported file is compared with the trained model.

    Args:
        patterns: paths or glob patterns of TFRecords, read at even distances; empty for generated words.
        num_words: at most this many.
        image_size: (height, width).

    Returns:
        (n, height, width, 1) float32 in [-1, 1].
    """
    if not patterns:
        synthesizer = WordSynthesizer()
        return np.stack([preprocess(synthesizer.word(seed)[0], image_size) for seed in range(num_words)])
    index = RecordIndex(patterns)
    picked = np.linspace(0, len(index) - 1, min(num_words, len(index))).astype(int)
    return np.stack([preprocess(decode_image(index.read_example(int(i)).encoded), image_size) for i in picked])
