"""What a reader may ask of decoding: the same names in Python, on the command line and in `bin/evaluate.py`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import TypedDict

CASES = ("exact", "ignore")
EFFORTS = {"normal": 1, "high": 6}
VIEWS = (1, 2, 3, 6)

# A constraint without a floor would find its best word in any picture. Of 2,202 training words of ICDAR 2015, IIIT5K
# and Street View Text, read under a lexicon of 90,000 words, 0.5 % of those read right lie below this, 24 % of those
# read wrong.
CONSTRAINED_FLOOR = 1e-3
_CONSTRAINED_WIDTH = 5


class PerImage:
    """In the place of a lexicon: every image brings its own, see `Recognizer.read_many`."""

    def __repr__(self) -> str:
        return "PER_IMAGE"


PER_IMAGE = PerImage()
Lexicon = str | os.PathLike[str] | Iterable[str] | PerImage


class OptionNames(TypedDict, total=False):
    """The fields of `Options` as keyword arguments."""

    beam_width: int | None
    n_best: int
    allowlist: str | None
    pattern: str | None
    lexicon: Lexicon | None
    lexicon_weight: float | None
    case: str | None
    min_probability: float | None
    effort: str | int


@dataclasses.dataclass(frozen=True)
class Options:
    """How words are decoded.

    Args:
        beam_width: beginnings of a word that go on together; 1 reads greedily. None is 1 where nothing else is asked
            for, else 5, or `n_best` where that is more.
        n_best: readings of each word: the others are `Word.alternatives`.
        allowlist: the characters that may be read, written like a class of a pattern: `"0-9A-Z"`.
        pattern: what the whole word must match, such as `"[A-Z]{2}[0-9]{2,4}"`; see `spin_tf.decoding.pattern`.
        lexicon: the words that may be read: a UTF-8 file with one a line, the words themselves, or
            `PER_IMAGE`.
        lexicon_weight: words outside of the lexicon stay possible; those inside count as if they were
            exp(lexicon_weight) times as probable. None allows no others.
        case: `"exact"`: constraints mean the case that they are written in. `"ignore"`: either case is read; a word
            of a lexicon is answered as the lexicon writes it, under other constraints as the model reads it. None
            is `"ignore"` with a lexicon, else `"exact"`.
        min_probability: a word whose best reading is less probable is answered with an empty text and a reason. None is
            0.001 under an allowlist, a pattern or a lexicon without weight, else 0.
        effort: how many views of each crop are read: 1, 2, 3 or 6; `"normal"` is 1, `"high"` 6. See
            `spin_tf.contract.views`.

    Raises:
        ValueError: a value that is not allowed.
    """

    beam_width: int | None = None
    n_best: int = 1
    allowlist: str | None = None
    pattern: str | None = None
    lexicon: Lexicon | None = None
    lexicon_weight: float | None = None
    case: str | None = None
    min_probability: float | None = None
    effort: str | int = "normal"

    def __post_init__(self) -> None:
        def check(is_allowed: bool, message: str, name: str) -> None:
            if not is_allowed:
                raise ValueError(f"{message} Received: {name}={getattr(self, name)!r}")

        for name in ("allowlist", "pattern"):
            value = getattr(self, name)
            is_text = value is None or isinstance(value, str)
            check(is_text, f"{name} is one text; ''.join(...) makes one of a list.", name)
        check(self.n_best >= 1, "n_best is at least 1.", "n_best")
        check(self.beam_width is None or self.beam_width >= 1, "beam_width is at least 1.", "beam_width")
        check(self.case in (None, *CASES), "case is exact or ignore.", "case")
        check(
            self.lexicon_weight is None or (self.lexicon is not None and 0 <= self.lexicon_weight < float("inf")),
            "lexicon_weight goes with a lexicon and is a number from 0.",
            "lexicon_weight",
        )
        check(
            self.min_probability is None or 0 <= self.min_probability < 1,
            "min_probability lies in 0..1, 1 excluded.",
            "min_probability",
        )
        check(self.effort in (*EFFORTS, *VIEWS), "effort is normal, high, 1, 2, 3 or 6.", "effort")

    @property
    def num_views(self) -> int:
        return EFFORTS[self.effort] if isinstance(self.effort, str) else self.effort

    @property
    def ignore_case(self) -> bool:
        return self.case == "ignore" or (self.case is None and self.lexicon is not None)

    @property
    def is_constrained(self) -> bool:
        """Whether some readings are not allowed."""
        return any(value is not None for value in (self.allowlist, self.pattern)) or (
            self.lexicon is not None and self.lexicon_weight is None
        )

    @property
    def is_greedy(self) -> bool:
        """Whether the most probable character of each step is what is asked for; any model can do that."""
        return not self.is_constrained and self.lexicon is None and self.width == 1 and self.n_best == 1

    @property
    def width(self) -> int:
        if self.beam_width is not None:
            return self.beam_width
        is_plain = not self.is_constrained and self.lexicon is None and self.n_best == 1
        return 1 if is_plain else max(_CONSTRAINED_WIDTH, self.n_best)

    @property
    def floor(self) -> float:
        if self.min_probability is not None:
            return self.min_probability
        return CONSTRAINED_FLOOR if self.is_constrained else 0.0
