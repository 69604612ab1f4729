"""Labels as signs show them: words, numbers, prices, codes, times, telephone numbers, web addresses, random strings."""

from __future__ import annotations

import bisect
import itertools
import unicodedata
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from spin_tf.synthesis import figures, writings
from spin_tf.synthesis.figures import integer, pick
from spin_tf.synthesis.fonts import CHARACTERS
from spin_tf.synthesis.probabilities import LabelShares
from spin_tf.synthesis.vocabulary import COMMON_WORDS

# The longest label that can be drawn, and that is unless one asks for longer: as long as models read by default.
MAX_LENGTH = 40
USUAL_LENGTH = 25
# Letters that are no letter and accent, and the plain one that stands for them.
_PLAIN = {"æ": "a", "œ": "o", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ß": "s"}

# Shares of words of 1, 2, 3, ... letters: those of the training sets of ICDAR 2015, IIIT5K and SVT up to eight, with a
# far longer tail: few real words are long, and a decoder that hardly sees them reads none (2 % of those with 14).
_LENGTHS = (
    1.5, 5, 17, 20, 15, 12.5, 10, 7.5, 5.8, 4.6, 3.6, 2.8, 2.2, 1.8, 1.4, 1.1, 0.9, 0.7, 0.5, 0.4,
    0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.05,
)  # fmt: skip
# Compounds as they are usual, and those of labels that are long by their kind.
_COMPOUND = (10, 22)
_LONG = (18, 30)
_DIGITS = figures.DIGITS


def cases(word: str) -> tuple[str, str, str, str]:
    """The forms in which a word may be drawn: as it is, and in each case."""
    return word, word.lower(), word.upper(), word.capitalize()


class Label(NamedTuple):
    """What is written, and whether it is a code: characters that nothing but their form tells apart."""

    text: str
    is_code: bool = False


class LabelSampler:
    """Draws labels of 1 to 40 characters without spaces.

    Args:
        lexicon: words to draw from; None takes a small vocabulary of sign words.
        max_length: longest label, at most 40.
        characters: those that labels may hold; printable ASCII by default. What is not a word of the lexicon (numbers,
            prices, codes, random strings) is made of them too, and English words stand beside the lexicon only where
            they can be written.
        shares: how many labels are of kinds that usual words do not teach; None takes the defaults.

    Raises:
        ValueError: a word of the lexicon has a space or another character, or there is none.
    """

    def __init__(
        self,
        lexicon: Iterable[str] | None = None,
        max_length: int = MAX_LENGTH,
        characters: str = CHARACTERS,
        shares: LabelShares | None = None,
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
        self.shares = shares or LabelShares()
        self._accented = [w for bucket in buckets for w in bucket if any(c.isalpha() and not c.isascii() for c in w)]
        # What each plain letter becomes with an accent, in small letters; letters without a plain one stand alone.
        self._accents: dict[str, list[str]] = {}
        for c in sorted({c.lower() for c in characters if c.isalpha() and not c.isascii()} & allowed):
            plain = unicodedata.normalize("NFD", c)[0]
            self._accents.setdefault(plain if plain.isascii() else _PLAIN.get(c, ""), []).append(c)
        self._accents.pop("", None)
        self._buckets = [b for b in buckets if b]
        self._cumulative = list(itertools.accumulate(w for w, b in zip(_LENGTHS, buckets, strict=True) if b))

    def sample(self, rng: Random) -> str:
        """The text of one label."""
        return self.draw(rng).text

    def draw(self, rng: Random) -> Label:
        """One label."""
        for _ in range(20):
            label = self._of_shares(rng)
            if 1 <= len(label.text) <= self.max_length and self._fits(label.text):
                return label
        word = self._word(rng)
        return Label(next(form for form in (word, *cases(word)) if self._fits(form))[: self.max_length])

    def _of_shares(self, rng: Random) -> Label:
        shares = self.shares
        u = rng.random() - shares.signs
        if u < 0:
            return Label(self._signs(rng))
        u -= shares.long
        if u < 0:
            return self._long(rng)
        u -= shares.codes
        if u < 0:
            return Label(figures.code(rng), True)
        u -= shares.accents
        # Without such letters in the charset these labels are as all others.
        if u < 0 and self._accents:
            return Label(self._with_accents(rng))
        if 0 <= u < shares.words:
            return Label(self._cased(rng, self._word(rng)))
        return self._any(rng)

    def _signs(self, rng: Random) -> str:
        u = rng.random()

        def word() -> str:
            return self._cased(rng, self._word(rng))

        if u < 0.14:
            return figures.telephone(rng)
        if u < 0.28:
            return figures.price(rng)
        if u < 0.40:
            return figures.measure(rng)
        if u < 0.46:
            return writings.span(rng, word)
        if u < 0.50:
            return figures.date(rng)
        if u < 0.64:
            address = writings.address(rng, lambda: self._word(rng).lower())
            return address.upper() if rng.random() < 0.08 else address
        return writings.signed(rng, word)

    def _long(self, rng: Random) -> Label:
        u = rng.random()
        if u < 0.45:
            return Label(self._compound(rng, _LONG))
        if u < 0.65:
            return Label(figures.number(rng))
        if u < 0.78:
            return Label(figures.account(rng), True)
        if u < 0.9:
            return Label(figures.serial(rng), True)
        return Label(writings.address(rng, lambda: self._word(rng).lower()))

    def _with_accents(self, rng: Random) -> str:
        """A word of the lexicon that has accents; or, for letters that are rare, one whose letters are given some."""
        u = rng.random()
        if self._accented and u < 0.75:
            return self._cased(rng, pick(rng, self._accented))
        word = (
            self._word(rng).lower() if u < 0.95 else "".join(pick(rng, self._small) for _ in range(integer(rng, 2, 9)))
        )
        at = [i for i, c in enumerate(word) if c in self._accents]
        if not at:
            return self._cased(rng, pick(rng, self._accented) if self._accented else word)
        characters = list(word)
        for i in {pick(rng, at) for _ in range(integer(rng, 1, 3))}:
            characters[i] = pick(rng, self._accents[characters[i]])
        return self._cased(rng, "".join(characters))

    def _fits(self, label: str) -> bool:
        return self._allowed.issuperset(label)

    def _any(self, rng: Random) -> Label:
        u = rng.random()
        if u < 0.66:
            # Frequent words are read from little: too many of them, and whatever cannot be read becomes one of them.
            word = pick(rng, self._common) if u < 0.08 else self._word(rng)
            if rng.random() < 0.012:
                word += pick(rng, "--&/'.+@_") + pick(rng, self._common)
            word = self._cased(rng, word)
            return Label(writings.punctuated(rng, word) if rng.random() < 0.08 else word)
        if u < 0.72:
            return Label(self._compound(rng, _COMPOUND))
        if u < 0.84:
            return Label(figures.figure(rng))
        if u < 0.87:
            name = (self._word(rng) + (pick(rng, self._common) if rng.random() < 0.3 else "")).lower()
            return Label(writings.website(rng, name, pick(rng, self._common)))
        if u < 0.885:
            return Label(pick(rng, self._characters if rng.random() < 0.2 else self._alphanumeric))
        if u < 0.945:
            return Label(self._cased(rng, self._misspelt(rng, self._word(rng))))
        if u < 0.975:
            return Label(self._cased(rng, "".join(pick(rng, self._small) for _ in range(integer(rng, 2, 12)))))
        alphabet = self._characters if rng.random() < 0.3 else self._alphanumeric
        return Label("".join(pick(rng, alphabet) for _ in range(integer(rng, 2, 12))), True)

    def _compound(self, rng: Random, length: tuple[int, int]) -> str:
        """Words joined to a name, a hash tag or a compound of about `length` letters."""
        words = [self._word(rng)]
        goal = integer(rng, *length)
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
