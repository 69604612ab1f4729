"""Whether an exported model reads what the trained one reads."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.greedy import decode
from spin_tf.contract.preprocessing import read_by_size
from spin_tf.contract.turning import surest, turned_views
from spin_tf.data.images import decode_image
from spin_tf.models import SPINRecognizer


class _Bounds(NamedTuple):
    """What a file must reach on the check words: the share read as the trained model reads them, and how far
    probabilities may be off, of nearly all words and of any. Another order of summation moves the odd word a
    thousandfold farther than all others, so that one word says nothing of a file.
    """

    agreement: float
    usual: float
    largest: float

    def __str__(self) -> str:
        return f"{self.agreement:g} of the words, {_NEARLY_ALL:.0%} within {self.usual:g}, all within {self.largest:g}"


_NEARLY_ALL = 0.98
_REQUIRED = {
    "none": _Bounds(1.0, 1e-3, 0.05),
    "float16": _Bounds(0.98, 0.05, 0.5),
    "int8": _Bounds(0.95, 0.35, 1.0),
    # Words from the bytes of files, confidences and positions included.
    "bytes": _Bounds(0.999, 1e-4, 0.05),
}
_FILES_AT_A_TIME = 32


class ParityError(ValueError):
    """An exported file does not read what the trained model reads; nothing was written."""


@dataclasses.dataclass(frozen=True)
class Parity:
    """How an exported file compares with the trained model.

    Args:
        words: compared.
        agreement: share of the words read exactly the same, or otherwise at a step at which the trained model itself
            is undecided.
        probability_difference: the largest, over the words read the same, up to their end.
        usual_difference: the one that nearly all of these words keep.
        off: which word is farthest off.
    """

    words: int
    agreement: float
    probability_difference: float
    usual_difference: float = 0.0
    off: str = ""

    def __str__(self) -> str:
        return (
            f"{self.agreement:.2%} of {self.words} words read the same, "
            f"probabilities within {self.probability_difference:.1e}"
            f" ({_NEARLY_ALL:.0%} of them within {self.usual_difference:.1e})"
        )

    @classmethod
    def of(cls, differences: Sequence[float | None], names: Sequence[str]) -> Parity:
        """From the difference of each word, None for one that is read otherwise, and what the words are called."""
        read = [difference for difference in differences if difference is not None]
        ranked = sorted(read)
        return cls(
            len(names),
            len(read) / len(names),
            max(read, default=0.0),
            ranked[math.ceil(_NEARLY_ALL * len(ranked)) - 1] if ranked else 0.0,
            names[int(np.argmax([math.inf if difference is None else difference for difference in differences]))],
        )


def compare_words(expected: np.ndarray, actual: np.ndarray, charset: Charset | None = None) -> Parity:
    """Compares probabilities (n, steps, classes), n at least 1, of the trained and the exported model.

    Steps behind a word's end do not count: an exported model stops there.

    Args:
        expected: of the trained model.
        actual: of the exported one.
        charset: of the model, to name a word by its reading.
    """
    if not len(expected):
        raise ValueError("There is nothing to compare on. Received: 0 images")
    differences: list[float | None] = []
    names = []
    for number, (a, b) in enumerate(zip(expected, actual, strict=True)):
        tokens = a.argmax(-1)
        ends = np.flatnonzero(tokens == Tokenizer.END_ID)
        steps = int(ends[0]) + 1 if len(ends) else len(a)
        reading = f", read as {Tokenizer(charset).decode(tokens)!r}" if charset else ""
        names.append(f"word {number}{reading}")
        other = np.flatnonzero(tokens[:steps] != b.argmax(-1)[:steps])
        # What follows a character depends on it; up to there the two are alike.
        steps = int(other[0]) + 1 if len(other) else steps
        difference = float(np.abs(a[:steps] - b[:steps]).max())
        is_other = len(other) and not _is_undecided(a[other[0]], difference)
        differences.append(None if is_other else difference)
    return Parity.of(differences, names)


def _is_undecided(probabilities: np.ndarray, difference: float) -> bool:
    """Whether two characters are as good as each other: rounding decides, if that is all that the files differ by."""
    second, first = np.sort(probabilities)[-2:]
    return bool(first - second <= 2 * difference <= 2 * _REQUIRED["none"].usual)


def worst(parities: Iterable[Parity]) -> Parity:
    """The one that is farthest off: the lowest agreement, and among equals the largest difference."""
    return min(parities, key=lambda parity: (parity.agreement, -parity.probability_difference))


def require_parity(parity: Parity, kind: str, what: str, path: str | os.PathLike[str]) -> None:
    """Refuses an exported model that is too far off.

    Args:
        parity: how it compares.
        kind: its quantization, or "bytes" for what a graph reads from files.
        what: it is called.
        path: where it would be written.

    Raises:
        ParityError: says how far, and what is required.
    """
    bounds = _REQUIRED[kind]
    if (
        parity.agreement < bounds.agreement
        or parity.usual_difference > bounds.usual
        or parity.probability_difference > bounds.largest
    ):
        raise ParityError(
            f"the {what} is not written: {'from bytes, ' if kind == 'bytes' else ''}{parity}; farthest off is "
            f"{parity.off}; required: {bounds}. --check_data compares on words of your own instead of generated ones. "
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
    differences: list[float | None] = []
    names = []
    for start in range(0, len(files), _FILES_AT_A_TIME):
        batch = files[start : start + _FILES_AT_A_TIME]
        # One view of each turn, as with the effort that graphs have.
        looks = [turned_views(decode_image(file), model.preprocessing) for file in batch]
        views = [{turned: view for turned, (view,) in turns.items()} for turns in looks]
        outputs = iter(
            read_by_size(
                [view for turns in views for view in turns.values()],
                lambda images, _: zip(*model.predict_words(images), strict=True),
            )
        )
        words = [surest([decode(model.charset, *next(outputs), turned) for turned in turns]) for turns in views]
        answer = read_files(batch)
        for i, word in enumerate(words):
            if not answer["valid"][i]:
                continue
            names.append(f"file {start + i}, read as {word.text!r}")
            if answer["words"][i].decode() == word.text and answer["turned"][i] == word.turned:
                expected = [word.confidence, *(c.confidence for c in word.characters), *(c.x for c in word.characters)]
                count = len(word.characters)
                actual = [answer["confidence"][i], *answer["character_confidences"][i, :count]]
                actual += [*answer["positions"][i, :count]]
                differences.append(float(np.abs(np.subtract(expected, actual)).max()))
            else:
                differences.append(None)
    if not names:
        raise ValueError(f"There is nothing to compare on: the graph refuses all files. Received: {len(files)} files")
    return Parity.of(differences, names)
