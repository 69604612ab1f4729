"""What is counted: word accuracy, 1 - NED, and the words that a protocol leaves out."""

from __future__ import annotations

import dataclasses
import math
import string
import unicodedata

# What the published tables use; the same for every script; what a reader of documents would want.
PROTOCOLS = ("alphanumeric", "letters", "exact")
_ALPHANUMERIC = frozenset(string.digits + string.ascii_lowercase)
_Z_95 = 1.959963984540054


def normalize(text: str, protocol: str = "alphanumeric") -> str:
    """Returns what a protocol compares of a label or a reading.

    Args:
        text: any text.
        protocol: `"alphanumeric"` lower-cases and drops everything but 0-9a-z, as the published tables do; `"letters"`
            folds case, composes accents and keeps the letters, marks and numbers of every script; `"exact"` keeps the
            text as it is.

    Raises:
        ValueError: for any other protocol.
    """
    if protocol == "exact":
        return text
    if protocol == "alphanumeric":
        return "".join(c for c in text.lower() if c in _ALPHANUMERIC)
    if protocol == "letters":
        # Folding may take a letter apart that was composed.
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
        return "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")
    raise ValueError(f"A protocol is one of {', '.join(PROTOCOLS)}. Received: protocol={protocol!r}")


def edit_distance(a: str, b: str) -> int:
    """Returns the Levenshtein distance: the fewest insertions, deletions and substitutions that turn a into b."""
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        current = [i]
        for j, right in enumerate(b, start=1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (left != right)))
        previous = current
    return previous[-1]


def similarity(truth: str, prediction: str) -> float:
    """Returns 1 - NED of one word: 1 - edit distance / length of the longer text; 1 for two empty texts."""
    longest = max(len(truth), len(prediction))
    return 1.0 - edit_distance(truth, prediction) / longest if longest else 1.0


def wilson_interval(correct: int, words: int) -> tuple[float, float]:
    """Returns the 95 % Wilson score interval of a proportion, (0, 1) for no words.

    Reference: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    if not 0 <= correct <= words:
        raise ValueError(f"There are 0 to `words` correct words. Received: correct={correct}, words={words}")
    if words == 0:
        return 0.0, 1.0
    share = correct / words
    centre = share + _Z_95**2 / (2 * words)
    spread = _Z_95 * math.sqrt(share * (1 - share) / words + _Z_95**2 / (4 * words**2))
    scale = 1 + _Z_95**2 / words
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclasses.dataclass
class Score:
    """The counts of one data set, or the sum of several.

    Attributes:
        words: words that count.
        correct: words read exactly right under the protocol.
        excluded: words that do not count because nothing of their label is left after normalisation.
        unreadable: words that count, as wrong, because their image cannot be decoded.
        sum_of_similarities: over all words that count, see `similarity`.
    """

    words: int = 0
    correct: int = 0
    excluded: int = 0
    unreadable: int = 0
    sum_of_similarities: float = 0.0

    def add(self, truth: str, prediction: str | None, protocol: str = "alphanumeric") -> bool | None:
        """Counts one word.

        Args:
            truth: the label.
            prediction: the reading; None where the image could not be read.
            protocol: see `normalize`.

        Returns:
            Whether it was read right; None for an excluded word.
        """
        truth = normalize(truth, protocol)
        if not truth:
            self.excluded += 1
            return None
        self.words += 1
        self.unreadable += prediction is None
        read = normalize(prediction or "", protocol)
        self.correct += read == truth
        self.sum_of_similarities += similarity(truth, read)
        return read == truth

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(self)))

    @property
    def word_accuracy(self) -> float:
        """Correct words / words; NaN for no words."""
        return self.correct / self.words if self.words else math.nan

    @property
    def one_minus_ned(self) -> float:
        """The mean over words of 1 - edit distance / length of the longer of label and reading; NaN for no words."""
        return self.sum_of_similarities / self.words if self.words else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the word accuracy."""
        return wilson_interval(self.correct, self.words)
