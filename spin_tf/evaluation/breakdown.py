"""Where an evaluation's mistakes lie: accuracy by length and shape, and what is read instead of other words."""

from __future__ import annotations

import bisect
import collections
import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from spin_tf._types import JsonObject
from spin_tf.contract.constants import TALL
from spin_tf.evaluation.metrics import normalize
from spin_tf.evaluation.word_set import Reading

# The first length of each row.
LENGTHS = (1, 3, 6, 9, 12, 14)
HEIGHTS = (1, 16, 32, 64, 128)
# From this width by height on.
SHAPES = {
    0.0: f"at least {TALL[0] / TALL[1]} times as high as wide",
    math.nextafter(TALL[1] / TALL[0], 1): "higher than wide, but less so",
    1.0: "up to 1.5 times as wide as high",
    1.5: "1.5 to 3 times as wide as high",
    3.0: "3 to 6 times",
    6.0: "more than 6 times",
}


def by_length(readings: Iterable[Reading], protocol: str = "alphanumeric") -> list[JsonObject]:
    """Counts words by the length of their label.

    Args:
        readings: of any number of sets; words that the protocol excludes are left out.
        protocol: see `spin_tf.evaluation.metrics.normalize`; lengths are of what it compares.

    Returns:
        one dict a row of `LENGTHS` that has words: `length` ("3 to 5"), `words`, `correct`.
    """
    names = _ranges(LENGTHS)

    def name(reading: Reading) -> str:
        return names[_row(LENGTHS, len(normalize(reading.truth, protocol)))]

    return _count("length", names, name, readings)


def by_shape(readings: Iterable[Reading]) -> list[JsonObject]:
    """Counts words by the shape of their crop.

    Args:
        readings: of any number of sets; words that the protocol excludes are left out, and those without a size.

    Returns:
        one dict a row of `SHAPES` that has words: `shape`, `words`, `correct`.
    """

    def name(reading: Reading) -> str | None:
        if reading.size is None:
            return None
        height, width = reading.size
        return SHAPES[list(SHAPES)[_row(list(SHAPES), width / height)]]

    return _count("shape", list(SHAPES.values()), name, readings)


def by_height(readings: Iterable[Reading]) -> list[JsonObject]:
    """Counts words by the shorter side of their crop, which is the height of a word that runs along it.

    Args:
        readings: as for `by_shape`.

    Returns:
        one dict a row of `HEIGHTS` that has words: `height` ("16 to 31"), `words`, `correct`.
    """
    names = _ranges(HEIGHTS)
    return _count("height", names, lambda r: None if r.size is None else names[_row(HEIGHTS, min(r.size))], readings)


def _ranges(firsts: Sequence[int]) -> list[str]:
    between = [f"{first} to {following - 1}" for first, following in itertools.pairwise(firsts)]
    return [*between, f"{firsts[-1]} and more"]


def _row(firsts: Sequence[float], value: float) -> int:
    """The row whose first value is the last one that is not above."""
    return max(bisect.bisect_right(firsts, value) - 1, 0)


def _count(
    title: str, names: list[str], name_of: Callable[[Reading], str | None], readings: Iterable[Reading]
) -> list[JsonObject]:
    words: collections.Counter[str] = collections.Counter()
    correct: collections.Counter[str] = collections.Counter()
    for reading in readings:
        if reading.correct is not None and (name := name_of(reading)) is not None:
            words[name] += 1
            correct[name] += reading.correct
    return [{title: name, "words": words[name], "correct": correct[name]} for name in names if words[name]]


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
    """All of them as Markdown."""
    tables = [
        f"By length of the label:\n\n{make_table(by_length(readings, protocol))}",
        f"By shape of the crop:\n\n{make_table(by_shape(readings))}",
        f"By the crop's shorter side in pixels:\n\n{make_table(by_height(readings))}",
    ]
    habits = ", ".join(f"{text or '(nothing)'} {times}" for text, times in wrong_readings(readings, protocol))
    return "\n\n".join([*tables, f"Most frequent wrong readings and how often: {habits or 'none'}."])


def make_table(rows: list[JsonObject]) -> str:
    """What `by_length`, `by_shape` or `by_height` counted, in Markdown."""
    lines = (
        [f"| {next(iter(rows[0]))} | words | correct | word accuracy |", "|---|---:|---:|---:|"] if rows else ["none"]
    )
    for row in rows:
        name, words, correct = row.values()
        lines.append(f"| {name} | {words} | {correct} | {100 * correct / words:.2f} |")
    return "\n".join(lines)
