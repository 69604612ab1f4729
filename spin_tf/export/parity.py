"""Whether an exported model reads what the trained one reads."""

from __future__ import annotations

import dataclasses
import os

import numpy as np

from spin_tf.charset import Tokenizer

# What a file must reach on the check words: the share read exactly as the trained model reads them, and how far a
# probability of a word read the same may be off.
_REQUIRED = {"none": (1.0, 1e-3), "float16": (0.98, 0.05), "int8": (0.95, 0.35)}


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
