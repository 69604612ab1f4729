"""Telling a whole photograph from the crop of a word."""

from __future__ import annotations

import os

from spin_tf.contract.word import Word
from spin_tf.data.images import read_image_file, upright_size

# Crops of words are small, or long; and what is read in a whole photograph has hardly any confidence (0.0002, say).
_MIN_SIDE, _MAX_RATIO, _MAX_CONFIDENCE = 300, 2.2, 0.1


def photograph_hint(path: str | os.PathLike[str], word: Word) -> str:
    """What to say where a file that was read as one word looks like a whole photograph; nothing where it does not.

    Args:
        path: of the file, which is opened only where its reading is as improbable as that of a photograph.
        word: what was read.
    """
    if word.confidence >= _MAX_CONFIDENCE:
        return ""
    try:
        height, width = upright_size(read_image_file(path))
    except (OSError, ValueError):
        return ""
    if min(height, width) < _MIN_SIDE or max(height, width) > _MAX_RATIO * min(height, width):
        return ""
    return (
        f"this looks like a whole photograph ({width} x {height}), and recognize reads crops of one word: "
        "bin/read_photo.py finds the words of photographs"
    )
