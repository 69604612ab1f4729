"""One word from the readings of several views of a crop."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from spin_tf.contract.word import Word


def vote(views: Sequence[Sequence[Word]], n_best: int = 1, min_probability: float = 0.0) -> Word:
    """Adds what the views give to each text and divides by their number: the probability in the mean over the views.

    Args:
        views: of each view its readings, the most probable first; may be empty. The crop as it is comes first.
        n_best: the answer, and `n_best` - 1 alternatives.
        min_probability: of the answer.

    Returns:
        the most probable reading, with the characters of the first view that has it; an empty text with a reason where
        there is none.
    """
    first: dict[str, Word] = {}
    sums: dict[str, float] = {}
    for readings in views:
        for word in readings:
            first.setdefault(word.text, word)
            sums[word.text] = sums.get(word.text, 0.0) + word.confidence
    ranked = sorted(
        (dataclasses.replace(word, confidence=sums[text] / len(views)) for text, word in first.items()),
        key=lambda word: -word.confidence,
    )
    ranked = [word for word in ranked[:n_best] if word.confidence >= min_probability]
    if not ranked:
        return Word(
            "", 0.0, (), reason=f"no word: no reading that is allowed reaches a confidence of {min_probability:g}"
        )
    return dataclasses.replace(ranked[0], alternatives=tuple(ranked[1:]))
