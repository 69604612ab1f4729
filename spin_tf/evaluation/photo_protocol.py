"""Finding and reading words in photographs, counted as ICDAR 2015 does: task 4.1 (finding) and 4.4 (end to end).

A word that is labelled and one that was found are a pair where intersection over union is above 0.5; each is in one
pair at most, taken in the order of the labels and then of what was found. Words that are labelled illegible count for
nothing; neither does what lies by more than half of its area on one of them. End to end, a pair counts where the text
is the same, and words of fewer than three letters are treated as illegible ones are.

Reference: the evaluation scripts of the Robust Reading Competition, https://rrc.cvc.uab.es.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from spin_tf.data.quadrilaterals import area, intersection
from spin_tf.evaluation.metrics import normalize

Points = Sequence[Sequence[float]]
MIN_OVERLAP = 0.5
MIN_LETTERS = 3
COMPARISONS = ("alphanumeric", "icdar")
_ICDAR_MARKS = "!?.:,*\"()·[]/'"


class PlacedWord(NamedTuple):
    """A word and its place.

    Attributes:
        text: the word.
        polygon: three (x, y) or more in pixels of the upright picture.
        ignored: of a label: illegible, so that it counts for nothing.
        confidence: of a reading.
    """

    text: str
    polygon: Points
    ignored: bool = False
    confidence: float = 1.0


def same_text(truth: str, read: str, comparison: str = "alphanumeric") -> bool:
    """Whether a reading is right.

    Args:
        truth: the label.
        read: the reading.
        comparison: `"alphanumeric"`: in lower case and without all but 0-9a-z, as tables of Total-Text have it; where
            nothing is left of the label, as it is. `"icdar"`: either case, and one mark at the beginning or the end of
            the label may be missing.

    Raises:
        ValueError: another comparison.
    """
    if comparison == "alphanumeric":
        wanted = normalize(truth)
        return normalize(read) == wanted if wanted else read == truth
    if comparison != "icdar":
        raise ValueError(f"A comparison is one of {', '.join(COMPARISONS)}. Received: comparison={comparison!r}")
    truth, read = truth.upper(), read.upper()
    if truth == read or not truth:
        return truth == read
    first, last = truth[0] in _ICDAR_MARKS, truth[-1] in _ICDAR_MARKS
    return (first and truth[1:] == read) or (last and truth[:-1] == read) or (first and last and truth[1:-1] == read)


def is_short(text: str, min_letters: int = MIN_LETTERS) -> bool:
    """Whether a word has fewer letters and digits, of any script, than end-to-end counts."""
    return sum(character.isalnum() for character in text) < min_letters


@dataclasses.dataclass(frozen=True)
class Counts:
    """What precision and recall are made of; the counts of photographs add up.

    Attributes:
        matched: pairs that count.
        labelled: words that were to be found.
        found: words that were found, without those on illegible ones.
    """

    matched: int = 0
    labelled: int = 0
    found: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.matched + other.matched, self.labelled + other.labelled, self.found + other.found)

    @property
    def precision(self) -> float:
        """Pairs / found; 0 where nothing was found, as the competition has it."""
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Pairs / labelled; NaN where nothing was to be found."""
        return self.matched / self.labelled if self.labelled else math.nan

    @property
    def hmean(self) -> float:
        """The harmonic mean of precision and recall; NaN where nothing was to be found."""
        if not self.labelled:
            return math.nan
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclasses.dataclass(frozen=True)
class Matching:
    """What became of the words of one photograph.

    Attributes:
        counts: of it.
        pairs: the numbers of label and reading, and whether the text is the same (True where only places count).
        missed: the labels without a pair, by number.
        invented: the readings without a pair.
        ignored: the readings that lie on illegible words.
    """

    counts: Counts
    pairs: tuple[tuple[int, int, bool], ...]
    missed: tuple[int, ...]
    invented: tuple[int, ...]
    ignored: tuple[int, ...]


def match(
    labels: Sequence[PlacedWord],
    readings: Sequence[PlacedWord],
    comparison: str | None = None,
    min_letters: int = MIN_LETTERS,
) -> Matching:
    """Compares what was found in one photograph with its labels.

    Args:
        labels: the words of the photograph.
        readings: what was found.
        comparison: see `same_text`; None counts places alone, and short words as any others.
        min_letters: end to end, labels of fewer letters and digits count for nothing.
    """
    unread = [word.ignored or (comparison is not None and is_short(word.text, min_letters)) for word in labels]
    areas = [area(word.polygon) for word in readings]
    common = [[intersection(label.polygon, reading.polygon) for reading in readings] for label in labels]
    ignored = [
        number
        for number, size in enumerate(areas)
        if any(
            is_unread and size > 0 and shared[number] / size > MIN_OVERLAP
            for is_unread, shared in zip(unread, common, strict=True)
        )
    ]
    open_readings = [number for number in range(len(readings)) if number not in set(ignored)]
    pairs = []
    missed = []
    for label_number, (label, is_unread) in enumerate(zip(labels, unread, strict=True)):
        if is_unread:
            continue
        size = area(label.polygon)
        for number in open_readings:
            shared = common[label_number][number]
            union = size + areas[number] - shared
            if union > 0 and shared / union > MIN_OVERLAP:
                is_right = comparison is None or same_text(label.text, readings[number].text, comparison)
                pairs.append((label_number, number, is_right))
                open_readings.remove(number)
                break
        else:
            missed.append(label_number)
    counts = Counts(sum(is_right for *_, is_right in pairs), unread.count(False), len(readings) - len(ignored))
    return Matching(counts, tuple(pairs), tuple(missed), tuple(open_readings), tuple(ignored))
