"""Reads every word of a data set and counts what is right."""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator

from spin_tf.data.images import ImageError, upright_size
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.image_lexicons import lexicon_of
from spin_tf.evaluation.metrics import Score
from spin_tf.recognizer import ReadError, Recognizer


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One word of a data set as it was read.

    Args:
        index: its number in the `RecordIndex`.
        source_id: where it comes from.
        truth: its label.
        prediction: the reading; None where the image could not be read.
        confidence: of the reading, 0 where there is none.
        reason: why the image could not be read, or none of its readings was probable enough; empty elsewhere.
        correct: whether it was read right; None where the protocol excludes the word.
        size: height and width of the image in pixels; None where its header cannot be read.
    """

    index: int
    source_id: str
    truth: str
    prediction: str | None
    confidence: float
    reason: str
    correct: bool | None
    size: tuple[int, int] | None = None


@dataclasses.dataclass
class SetResult:
    """A data set's score and all its readings, in the order of the files."""

    name: str
    index: RecordIndex
    score: Score
    readings: list[Reading]
    seconds: float


def evaluate_set(
    recognizer: Recognizer,
    name: str,
    patterns: Iterable[str],
    protocol: str = "alphanumeric",
    on_word: Callable[[int, int], None] | None = None,
    lexicons: dict[str, list[str]] | None = None,
) -> SetResult:
    """Reads the words of TFRecord files and compares them with their labels.

    Args:
        recognizer: what reads; its preprocessing is the one way from image to model.
        name: how reports call the set.
        patterns: paths or glob patterns of TFRecord files.
        protocol: see `spin_tf.evaluation.metrics.normalize`.
        on_word: called with the words read so far and the number of words of the set.
        lexicons: by image the words that may be read of it, see `spin_tf.evaluation.image_lexicons`; needs a recognizer
            with the lexicon `PER_IMAGE`.

    Raises:
        FileNotFoundError: a pattern matches no file.
        RecordError: (a ValueError) a broken file.
    """
    index = RecordIndex(patterns)
    score = Score()
    readings = []
    labels: collections.deque[tuple[str, str, tuple[int, int] | None]] = collections.deque()
    own: collections.deque[list[str]] = collections.deque()

    def images() -> Iterator[bytes]:
        for i in range(len(index)):
            example = index.read_example(i)
            labels.append((example.source_id, example.text, _size(example.encoded)))
            if lexicons is not None:
                own.append(lexicon_of(lexicons, example.source_id))
            yield example.encoded

    # Each list is asked for right after its image.
    words_of_images = None if lexicons is None else (own.popleft() for _ in range(len(index)))
    start = time.perf_counter()
    for i, word in enumerate(recognizer.read_many(images(), words_of_images)):
        source_id, truth, size = labels.popleft()
        if isinstance(word, ReadError):
            correct = score.add(truth, None, protocol)
            readings.append(Reading(i, source_id, truth, None, 0.0, word.reason, correct, size))
        else:
            correct = score.add(truth, word.text, protocol)
            line = Reading(i, source_id, truth, word.text, word.confidence, word.reason, correct, size)
            readings.append(line)
        if on_word:
            on_word(i + 1, len(index))
    return SetResult(name, index, score, readings, time.perf_counter() - start)


def _size(encoded: bytes) -> tuple[int, int] | None:
    try:
        return upright_size(encoded)
    except ImageError:
        return None
