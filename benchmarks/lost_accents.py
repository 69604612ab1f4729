"""Words without their accents, and which words of labels have lost theirs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from spin_tf.synthesis.languages import codes_of, frequent_words, wordfreq

# Letters that are not a plain letter with an accent, as labels without accents have them.
_PLAIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ß": "ss"})


def without_accents(text: str) -> str:
    """`text` in small letters as those write it who have no accents."""
    apart = unicodedata.normalize("NFD", text.lower()).translate(_PLAIN)
    return "".join(c for c in apart if not unicodedata.combining(c))


class LostAccents:
    """Finds words that have lost their accents: a frequent word of some language is the same but for them.

    Args:
        languages: of the labels, as `frequent_words` takes them.
        count: how many words of each language are frequent.

    Raises:
        MissingExtraError: wordfreq is not installed.
        ValueError: a language is not known.
    """

    # Frequencies are logarithms to the base of ten, of a billion words: 3.5 is one word in 300,000.
    _USUAL = 3.5
    _AHEAD = 0.7

    def __init__(self, languages: Iterable[str], count: int = 40000) -> None:
        self._frequency = wordfreq().zipf_frequency
        # The most frequent word of each language, by what it is without accents.
        self._accented: dict[str, dict[str, str]] = {}
        for code in codes_of(languages):
            for word in frequent_words([code], count):
                plain = without_accents(word)
                if plain != word:
                    self._accented.setdefault(plain, {}).setdefault(code, word)

    def find(self, label: str) -> str:
        """The frequent word that a label is without its accents; empty where the label may well be what is written.

        A label is taken as it is when it has accents, when it is a usual word of English, or when one of the languages
        has it nearly as often without them (a fifth as often, at least).
        """
        word = "".join(c for c in label if c.isalpha()).lower()
        found = self._accented.get(word, {}) if word.isascii() else {}
        if not found or self._frequency(word, "en") >= self._USUAL:
            return ""
        if any(self._frequency(word, c) > self._frequency(other, c) - self._AHEAD for c, other in found.items()):
            return ""
        return next(iter(found.values()))
