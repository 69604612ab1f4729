"""Where an evaluation's mistakes lie: accuracy by length, and what is read instead of other words."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterable
from typing import Any

from spin_tf.evaluation.evaluate import Reading
from spin_tf.evaluation.metrics import normalize

# The first length of each row.
LENGTHS = (1, 3, 6, 9, 12, 14)


def by_length(readings: Iterable[Reading], protocol: str = "alphanumeric") -> list[dict[str, Any]]:
    """Counts words by the length of their label.

    Args:
        readings: of any number of sets; words that the protocol excludes are left out.
        protocol: see `spin_tf.evaluation.metrics.normalize`; lengths are of what it compares.

    Returns:
        one dict a row of `LENGTHS` that has words: `length` ("3 to 5"), `words`, `correct`.
    """
    words: collections.Counter[int] = collections.Counter()
    correct: collections.Counter[int] = collections.Counter()
    for reading in readings:
        if reading.correct is not None:
            length = len(normalize(reading.truth, protocol))
            row = max((first for first in LENGTHS if first <= length), default=LENGTHS[0])
            words[row] += 1
            correct[row] += reading.correct
    names = [f"{first} to {following - 1}" for first, following in itertools.pairwise(LENGTHS)]
    names.append(f"{LENGTHS[-1]} and more")
    return [
        {"length": name, "words": words[first], "correct": correct[first]}
        for name, first in zip(names, LENGTHS, strict=True)
        if words[first]
    ]


def wrong_readings(
    readings: Iterable[Reading], protocol: str = "alphanumeric", count: int = 10
) -> list[tuple[str, int]]:
    """What a model reads most often where something else stands: its habits, such as a frequent word for a blur.

    Args:
        readings: of any number of sets.
        protocol: see `spin_tf.evaluation.metrics.normalize`.
        count: how many.

    Returns:
        readings and how often each was wrong, the most frequent first.
    """
    wrong = collections.Counter(
        normalize(reading.prediction or "", protocol) for reading in readings if reading.correct is False
    )
    return wrong.most_common(count)


def make_tables(readings: list[Reading], protocol: str = "alphanumeric") -> str:
    """Both as Markdown."""
    lengths = ["| length | words | correct | word accuracy |", "|---|---:|---:|---:|"]
    for row in by_length(readings, protocol):
        share = 100 * row["correct"] / row["words"]
        lengths.append(f"| {row['length']} | {row['words']} | {row['correct']} | {share:.2f} |")
    habits = ", ".join(f"{text or '(nothing)'} {times}" for text, times in wrong_readings(readings, protocol))
    table = "\n".join(lengths)
    return f"By length of the label:\n\n{table}\n\nMost frequent wrong readings and how often: {habits or 'none'}."
