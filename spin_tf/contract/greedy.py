"""Greedy decoding: the most probable character of each step."""

from __future__ import annotations

import numpy as np

from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.word import Character, Word


def decode(charset: Charset, probabilities: np.ndarray, positions: np.ndarray, turned: int = 0) -> Word:
    """Reads one word: probabilities (steps, classes), positions (steps,); `turned` as in `Word`."""
    first = Tokenizer.FIRST_CHARACTER_ID
    ids = probabilities.argmax(axis=-1)
    ends = np.flatnonzero(ids == Tokenizer.END_ID)
    num_steps = int(ends[0]) + 1 if len(ends) else len(ids)
    best = probabilities.max(axis=-1)[:num_steps].astype(np.float64)
    characters = tuple(
        Character(charset.characters[ids[step] - first], float(best[step]), float(positions[step]))
        for step in range(num_steps)
        if ids[step] >= first
    )
    return Word("".join(c.character for c in characters), float(best.prod()), characters, turned, not len(ends))
