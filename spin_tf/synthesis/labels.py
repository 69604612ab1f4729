"""Labels as signs show them: words, numbers, prices, codes, times, telephone numbers, web addresses, random strings."""

from __future__ import annotations

import bisect
import itertools
import os
from collections.abc import Iterable
from random import Random

from spin_tf.data.files import read_list
from spin_tf.synthesis.fonts import CHARACTERS
from spin_tf.synthesis.vocabulary import COMMON_WORDS

MAX_LENGTH = 25

# Lengths of the words of the training sets of ICDAR 2015, IIIT5K and SVT up to eight letters, with a far longer tail:
# few real words are long, and a decoder that hardly sees them does not read them (2 % of those with 14 letters).
_LENGTHS = (1.5, 5, 17, 20, 15, 12.5, 10, 7.5, 5.8, 4.6, 3.6, 2.8, 2.2, 1.8, 1.4, 1.1, 0.9, 0.7, 0.5, 0.4)
_LONG = (10, 22)
_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TAILS = (
    ".",
    ",",
    "!",
    ":",
    "?",
    "'",
    "...",
    "!!",
    ";",
    "-",
    '"',
    ")",
    "*",
    "/",
    "&",
    "'s",
    "'s",
    "'S",
    ".com",
    "%",
    "+",
)
_HEADS = ('"', "(", "'", "-", "*", "#", "&", "@", "$", "[", "<", "=", ".", "/", "+", "~", "_", "{", "^", "`", "|", "\\")
_UNITS = ("st", "nd", "rd", "th", "TH", "ST", "ND", "x", "km", "KM", "kg", "ml", "g", "m", "cm", "hrs", "L")
_DOMAINS = (
    ".com",
    ".com",
    ".com",
    ".org",
    ".net",
    ".co.uk",
    ".com.sg",
    ".sg",
    ".edu",
    ".gov",
    ".info",
    ".de",
    ".in",
    ".tv",
)


def integer(rng: Random, low: int, high: int) -> int:
    """A whole number in [low, high], from one call of `random()`, whose sequence Python guarantees for a seed."""
    return low + int(rng.random() * (high - low + 1))


def pick(rng: Random, items):  # type: ignore[no-untyped-def]
    """One of `items`."""
    return items[int(rng.random() * len(items))]


def digits(rng: Random, low: int, high: int) -> str:
    return "".join(pick(rng, _DIGITS) for _ in range(integer(rng, low, high)))


def letters(rng: Random, low: int, high: int) -> str:
    return "".join(pick(rng, _LETTERS) for _ in range(integer(rng, low, high)))


def read_lexicon(path: str | os.PathLike[str]) -> list[str]:
    """Words of a file, one a line; lines that begin with # are comments, words that cannot be drawn are left out.

    Raises:
        OSError: the file cannot be read.
        ValueError: there is no usable word in it.
    """
    lines = read_list(path, errors="replace").split("\n")
    words = [line.strip() for line in lines if not line.startswith("#")]
    words = [word for word in words if 1 <= len(word) <= MAX_LENGTH and all(c in CHARACTERS for c in word)]
    if not words:
        raise ValueError(f"No word of 1 to {MAX_LENGTH} printable ASCII characters. Received: lexicon={path!r}")
    return words


def cases(word: str) -> tuple[str, str, str, str]:
    """The forms in which a word may be drawn: as it is, and in each case."""
    return word, word.lower(), word.upper(), word.capitalize()


class LabelSampler:
    """Draws labels of 1 to 25 characters without spaces.

    Args:
        lexicon: words to draw from; None takes a small vocabulary of sign words.
        max_length: longest label, at most 25.
        characters: those that labels may hold; printable ASCII by default. What is not a word of the lexicon (numbers,
            prices, codes, random strings) is made of them too, and English words stand beside the lexicon only where
            they can be written.

    Raises:
        ValueError: a word of the lexicon has a space or another character, or there is none.
    """

    def __init__(
        self, lexicon: Iterable[str] | None = None, max_length: int = MAX_LENGTH, characters: str = CHARACTERS
    ) -> None:
        allowed = self._allowed = frozenset(characters)
        self._characters = characters
        # Each letter once, as a capital where there is one; then in every case that there is.
        capitals = [c.upper() if c.upper() in allowed else c for c in characters if c.isalpha()]
        self._capitals = "".join(dict.fromkeys(capitals))
        small = [c.lower() if c.lower() in allowed else c for c in self._capitals]
        digits_ = [c for c in _DIGITS if c in allowed]
        self._alphanumeric = "".join(dict.fromkeys([*self._capitals, *small, *digits_])) or characters
        self._small = "".join(dict.fromkeys(small)) or characters
        self._common = tuple(word for word in COMMON_WORDS if self._fits(word) or self._fits(word.upper()))
        # Labels get a case of their own, so words that differ in case alone are one.
        given = {word.lower(): word for word in reversed(list(self._common if lexicon is None else lexicon))}
        # Where small letters are more code points than capitals (a capital I with a dot), the word stays as it is.
        words = [low if any(map(self._fits, cases(low))) else word for low, word in reversed(given.items())]
        bad = [word for word in words if not word or not any(map(self._fits, cases(word)))]
        if bad or not words:
            kind = "printable ASCII characters" if characters == CHARACTERS else "characters of the charset"
            raise ValueError(f"Words must be {kind} without spaces. Received: lexicon={bad[:3]}...")
        self._common = self._common or tuple(words)
        if not 1 <= max_length <= MAX_LENGTH:
            raise ValueError(f"max_length must be in [1, {MAX_LENGTH}]. Received: max_length={max_length}")
        self.max_length = max_length
        buckets: list[list[str]] = [[] for _ in _LENGTHS]
        for word in words:
            if len(word) <= min(len(_LENGTHS), max_length):
                buckets[len(word) - 1].append(word)
        if not any(buckets):
            raise ValueError(f"No word has at most {max_length} characters. Received: lexicon={words[:3]}...")
        self._buckets = [b for b in buckets if b]
        self._cumulative = list(itertools.accumulate(w for w, b in zip(_LENGTHS, buckets, strict=True) if b))

    def sample(self, rng: Random) -> str:
        """One label."""
        for _ in range(20):
            label = self._any(rng)
            if 1 <= len(label) <= self.max_length and self._fits(label):
                return label
        word = self._word(rng)
        return next(form for form in (word, *cases(word)) if self._fits(form))[: self.max_length]

    def _fits(self, label: str) -> bool:
        return self._allowed.issuperset(label)

    def _any(self, rng: Random) -> str:
        u = rng.random()
        if u < 0.66:
            # Frequent words are read from little: too many of them, and whatever cannot be read becomes one of them.
            word = pick(rng, self._common) if u < 0.08 else self._word(rng)
            if rng.random() < 0.012:
                word += pick(rng, "--&/'.+@_") + pick(rng, self._common)
            word = self._cased(rng, word)
            return self._punctuated(rng, word) if rng.random() < 0.08 else word
        if u < 0.72:
            return self._compound(rng)
        if u < 0.84:
            return self._numeric(rng)
        if u < 0.87:
            return self._web(rng)
        if u < 0.885:
            return pick(rng, self._characters if rng.random() < 0.2 else self._alphanumeric)
        if u < 0.945:
            return self._cased(rng, self._misspelt(rng, self._word(rng)))
        if u < 0.975:
            return self._cased(rng, "".join(pick(rng, self._small) for _ in range(integer(rng, 2, 12))))
        alphabet = self._characters if rng.random() < 0.3 else self._alphanumeric
        return "".join(pick(rng, alphabet) for _ in range(integer(rng, 2, 12)))

    def _compound(self, rng: Random) -> str:
        """Words joined to a name, a hash tag or a compound of 10 to 22 letters."""
        words = [self._word(rng)]
        goal = integer(rng, *_LONG)
        while sum(map(len, words)) < goal and len(words) < 5:
            words.append(self._word(rng))
        if rng.random() < 0.25:
            return "".join(word.capitalize() for word in words)
        if rng.random() < 0.1:
            return pick(rng, "-_./&").join(words)
        return self._cased(rng, "".join(words))

    def _misspelt(self, rng: Random, word: str) -> str:
        """A word with one to three letters replaced, added, lost or exchanged: it looks like language and is none."""
        characters = list(word)
        for _ in range(integer(rng, 1, 3)):
            at = integer(rng, 0, len(characters) - 1)
            u = rng.random()
            if u < 0.4:
                characters[at] = pick(rng, self._small)
            elif u < 0.6:
                characters.insert(at, pick(rng, self._small))
            elif u < 0.8 and len(characters) > 1:
                del characters[at]
            else:
                characters[at - 1], characters[at] = characters[at], characters[at - 1]
        return "".join(characters)

    def _word(self, rng: Random) -> str:
        index = bisect.bisect(self._cumulative, rng.random() * self._cumulative[-1])
        return pick(rng, self._buckets[min(index, len(self._buckets) - 1)])

    def _cased(self, rng: Random, word: str) -> str:
        u = rng.random()
        if u < 0.50:
            return word.upper()
        if u < 0.78:
            return word[:1].upper() + word[1:].lower()
        if u < 0.98:
            return word.lower()
        if u < 0.995 and len(word) > 3:
            cut = integer(rng, 1, len(word) - 2)
            return word[:cut].capitalize() + word[cut:].capitalize()
        return "".join(c.upper() if rng.random() < 0.5 else c.lower() for c in word)

    def _punctuated(self, rng: Random, word: str) -> str:
        u = rng.random()
        if u < 0.7:
            # The first few tails are most of what is seen.
            return word + (pick(rng, _TAILS[:6]) if rng.random() < 0.6 else pick(rng, _TAILS))
        if u < 0.83:
            return pick(rng, _HEADS) + word
        if u < 0.93:
            opening, closing = pick(rng, ('""', "''", "()", "[]", "**", "--", "<>", "{}"))
            return opening + word + closing
        cut = integer(rng, 1, max(len(word) - 1, 1))
        return word[:cut] + pick(rng, "-'.") + word[cut:]

    def _numeric(self, rng: Random) -> str:
        u = rng.random()
        if u < 0.34:
            return digits(rng, 1, 4) if rng.random() < 0.75 else digits(rng, 4, 9)
        if u < 0.40:
            return pick(rng, ("19", "20", "20")) + digits(rng, 2, 2)
        if u < 0.52:
            currency = pick(rng, ("$", "$", "$", "$", "S$", "US$", "RM", "Rs.", ""))
            amount = f"{integer(rng, 1, 9)}{digits(rng, 0, 2)}"
            return (
                currency
                + amount
                + pick(rng, ("", "." + digits(rng, 2, 2), ".90", ".50", ".00", "," + digits(rng, 3, 3)))
            )
        if u < 0.57:
            return f"{integer(rng, 1, 100)}%"
        if u < 0.65:
            time = f"{integer(rng, 1, 23)}{pick(rng, '::.')}{integer(rng, 0, 5)}{pick(rng, '05')}"
            noon = pick(rng, ("am", "pm", "AM", "PM"))
            return pick(rng, (time, time + noon, f"{integer(rng, 1, 12)}{noon}"))
        if u < 0.70:
            sign = pick(rng, "-/..")
            parts = f"{integer(rng, 1, 31):02d}", f"{integer(rng, 1, 12):02d}", digits(rng, 2, 2)
            return sign.join(parts[: integer(rng, 2, 3)])
        if u < 0.78:
            sign = pick(rng, "--.")
            groups = pick(rng, ((3, 4), (4, 4), (3, 3, 4), (1, 3, 3, 4), (8,), (2, 4, 4), (4, 3, 3)))
            return sign.join(digits(rng, n, n) for n in groups)
        if u < 0.86:
            return f"{pick(rng, ('#', '#', '', '#B', 'B'))}{integer(rng, 1, 12):02d}-{digits(rng, 2, 3)}"
        if u < 0.93:
            code = letters(rng, 1, 3) + pick(rng, ("", "", "-", "/")) + digits(rng, 1, 4)
            return code + (letters(rng, 1, 1) if rng.random() < 0.3 else "")
        if u < 0.98:
            return str(integer(rng, 1, 99)) + pick(rng, _UNITS)
        return digits(rng, 1, 3) + pick(rng, "/-.&+x:") + digits(rng, 1, 3)

    def _web(self, rng: Random) -> str:
        name = (self._word(rng) + (pick(rng, self._common) if rng.random() < 0.3 else "")).lower()
        u = rng.random()
        if u < 0.5:
            address = "www." + name + pick(rng, _DOMAINS)
        elif u < 0.8:
            address = name + pick(rng, _DOMAINS)
        elif u < 0.9:
            address = pick(rng, ("@", "#", "/")) + name
        else:
            address = pick(rng, self._common) + "@" + name + pick(rng, _DOMAINS)
        return address.upper() if rng.random() < 0.1 else address
