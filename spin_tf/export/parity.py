"""Whether an exported model reads what the trained one reads."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from spin_tf.charset import Tokenizer
from spin_tf.data.preprocessing import decode_image
from spin_tf.models import SPINRecognizer
from spin_tf.reading.greedy import decode
from spin_tf.reading.turning import surest, turned_views

# What a file must reach on the check words: the share read exactly as the trained model reads them, and how far a
# probability of a word read the same may be off.
_REQUIRED = {"none": (1.0, 1e-3), "float16": (0.98, 0.05), "int8": (0.95, 0.35)}
# The same for words from the bytes of files, confidences and positions included.
_READING_AGREEMENT, _READING_DIFFERENCE = 0.999, 1e-4
_FILES_AT_A_TIME = 32


class ParityError(ValueError):
    """An exported file does not read what the trained model reads; nothing was written."""


@dataclasses.dataclass(frozen=True)
class Parity:
    """How an exported file compares with the trained model.

    Args:
        words: compared.
        agreement: share of the words read exactly the same.
        probability_difference: the largest, over the words read the same, up to their end.
    """

    words: int
    agreement: float
    probability_difference: float

    def __str__(self) -> str:
        return (
            f"{self.agreement:.2%} of {self.words} words read the same, "
            f"probabilities within {self.probability_difference:.1e}"
        )


def compare_words(expected: np.ndarray, actual: np.ndarray) -> Parity:
    """Compares probabilities (n, steps, classes), n at least 1, of the trained and the exported model.

    Steps behind a word's end do not count: an exported model stops there.
    """
    if not len(expected):
        raise ValueError("There is nothing to compare on. Received: 0 images")
    same, difference = 0, 0.0
    for a, b in zip(expected, actual, strict=True):
        tokens = a.argmax(-1)
        ends = np.flatnonzero(tokens == Tokenizer.END_ID)
        steps = int(ends[0]) + 1 if len(ends) else len(a)
        if np.array_equal(tokens[:steps], b.argmax(-1)[:steps]):
            same += 1
            difference = max(difference, float(np.abs(a[:steps] - b[:steps]).max()))
    return Parity(len(expected), same / len(expected), difference)


def worst(parities: Iterable[Parity]) -> Parity:
    """The one that is farthest off: the lowest agreement, and among equals the largest difference."""
    return min(parities, key=lambda parity: (parity.agreement, -parity.probability_difference))


def require_parity(parity: Parity, quantization: str, what: str, path: str | os.PathLike[str]) -> None:
    """Refuses an exported model that is too far off for its quantization.

    Raises:
        ParityError: says how far, and what is required.
    """
    agreement, difference = _REQUIRED[quantization]
    if parity.agreement < agreement or parity.probability_difference > difference:
        raise ParityError(
            f"the {what} file is not written: {parity}; required: {agreement:.0%}, within {difference:g}. "
            f"Received: {os.fspath(path)}"
        )


def compare_readings(
    model: SPINRecognizer, read_files: Callable[[Sequence[bytes]], dict[str, np.ndarray]], files: Sequence[bytes]
) -> Parity:
    """Compares what an exported graph reads from files with what `Recognizer` makes of the model, tall crops included.

    Args:
        model: the trained one.
        read_files: see `SavedModelReader.read_files`.
        files: image files that Pillow can decode. Those that the graph refuses with a reason do not count.

    Raises:
        ValueError: the graph reads none of them.
    """
    same = read = 0
    difference = 0.0
    for start in range(0, len(files), _FILES_AT_A_TIME):
        batch = files[start : start + _FILES_AT_A_TIME]
        # One view of each turn, as with the effort that graphs have.
        looks = [turned_views(decode_image(file), model.image_size, turn_tall=True) for file in batch]
        views = [{turned: view for turned, (view,) in turns.items()} for turns in looks]
        outputs = zip(*model.predict_words(np.stack([v for turns in views for v in turns.values()])), strict=True)
        words = [surest([decode(model.charset, *next(outputs), turned) for turned in turns]) for turns in views]
        answer = read_files(batch)
        for i, word in enumerate(words):
            if not answer["valid"][i]:
                continue
            read += 1
            if answer["words"][i].decode() == word.text and answer["turned"][i] == word.turned:
                same += 1
                expected = [word.confidence, *(c.confidence for c in word.characters), *(c.x for c in word.characters)]
                count = len(word.characters)
                actual = [answer["confidence"][i], *answer["character_confidences"][i, :count]]
                actual += [*answer["positions"][i, :count]]
                difference = max(difference, float(np.abs(np.subtract(expected, actual)).max()))
    if not read:
        raise ValueError(f"There is nothing to compare on: the graph refuses all files. Received: {len(files)} files")
    return Parity(read, same / read, difference)


def require_reading_parity(parity: Parity, path: str | os.PathLike[str]) -> None:
    """Refuses a graph that reads files otherwise than `Recognizer` does.

    Raises:
        ParityError: says how far, and what is required.
    """
    if parity.agreement < _READING_AGREEMENT or parity.probability_difference > _READING_DIFFERENCE:
        raise ParityError(
            f"the SavedModel is not written: from bytes, {parity}; required: {_READING_AGREEMENT:.1%}, within "
            f"{_READING_DIFFERENCE:g}. Received: {os.fspath(path)}"
        )
