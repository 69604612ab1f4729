"""The temperature that makes confidences honest, fitted on words that a model was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from spin_tf.charset import Charset
from spin_tf.contract.errors import ImageError
from spin_tf.contract.greedy import decode
from spin_tf.contract.preprocessing import Preprocessing, prepare, same_size
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.calibration import Calibration
from spin_tf.evaluation.metrics import normalize
from spin_tf.reading.word_model import WordModel

_RANGE = (0.2, 5.0)
_BATCH = 256
_TINY = 1e-30


class GreedyWords:
    """Greedy readings of labelled words, whose confidences at any temperature follow from those at one.

    The most probable character of a step stays so at every temperature, so the readings do too.

    Attributes:
        correct: bool (n,), whether each word is read right.
    """

    def __init__(self) -> None:
        self._logs: list[np.ndarray] = []
        self._correct: list[bool] = []

    def add(self, probabilities: np.ndarray, is_correct: bool) -> None:
        """Takes the probabilities (steps, classes) of one word up to its end, read at temperature 1."""
        self._logs.append(np.log(np.maximum(probabilities.astype(np.float64), _TINY)))
        self._correct.append(is_correct)

    def __len__(self) -> int:
        return len(self._correct)

    def at(self, temperature: float) -> Calibration:
        """The confidences at a temperature."""
        confidences = []
        for logs in self._logs:
            scaled = (logs - logs.max(axis=1, keepdims=True)) / temperature
            confidences.append(math.exp(-np.log(np.exp(scaled).sum(axis=1)).sum()))
        return Calibration(np.array(confidences), np.array(self._correct, bool))

    def fit(self) -> float:
        """The temperature under which what came out, right or wrong, is most likely.

        Raises:
            ValueError: all words are right, or none is: no temperature is the best one.
        """
        if len(set(self._correct)) < 2:
            raise ValueError(
                "A temperature is fitted on words of which some are read right and some wrong. "
                f"Received: {len(self)} words, {sum(self._correct)} right"
            )
        low, high = map(math.log, _RANGE)
        return math.exp(_minimum(lambda log: self.at(math.exp(log)).cross_entropy, low, high))


def _minimum(function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-3) -> float:
    """Golden section search."""
    ratio = (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    at_a, at_b = function(a), function(b)
    while high - low > tolerance:
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - ratio * (high - low)
            at_a = function(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + ratio * (high - low)
            at_b = function(b)
    return (low + high) / 2


def read_words(model: WordModel, patterns: Iterable[str], protocol: str) -> GreedyWords:
    """Reads the words of TFRecord files with a model at temperature 1.

    Args:
        model: reads greedily; its metadata name the charset and the image size.
        patterns: paths or glob patterns.
        protocol: what counts as right, see `spin_tf.evaluation.metrics.normalize`; words that it excludes, and images
            that cannot be read, do not count.

    Raises:
        FileNotFoundError: a pattern matches no file.
        RecordError: (a ValueError) a broken file.
    """
    index, words = RecordIndex(patterns), GreedyWords()
    charset = Charset.from_dict(model.metadata["charset"])
    preprocessing = Preprocessing.of(model.metadata)
    for start in range(0, len(index), _BATCH):
        images, truths = [], []
        for i in range(start, min(start + _BATCH, len(index))):
            example = index.read_example(i)
            truth = normalize(example.text, protocol)
            try:
                image = prepare(decode_image(example.encoded), preprocessing)
            except ImageError:
                continue
            if truth:
                images.append(image)
                truths.append(truth)
        for places, group in same_size(images):
            for place, probabilities, positions in zip(places, *model.predict_words(group), strict=True):
                word = decode(charset, probabilities, positions)
                steps = len(word.text) + (not word.truncated)
                words.add(probabilities[:steps], normalize(word.text, protocol) == truths[place])
    return words
