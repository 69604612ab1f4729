"""Frequent words of the EU's languages in Latin script, from the package wordfreq; and words without their accents."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable
from typing import Any

from spin_tf._extras import require
from spin_tf.charset import Charset

# Official languages of the EU in Latin script that wordfreq knows; Croatian is in its Serbo-Croatian list (sh), and
# there are no lists of Estonian, Irish and Maltese, whose letters come up in words that are given accents.
EU = ("sh", "cs", "da", "nl", "en", "fi", "fr", "de", "hu", "it", "lv", "lt", "pl", "pt", "ro", "sk", "sl", "es", "sv")
_HELD_OUT = 20
# wordfreq folds the German sharp s to ss; these parts of words have it, whatever stands around them.
_ESZETT = re.compile(
    "ausse[rn]|begrüss|dreissig|fleiss|fuss|gemäss|geniess|giess|gross|gröss|grüss|heiss|mässig|preuss|schliess|"
    "schweiss|spass|stoss|strass|süss|weiss"
)
# Letters that are not a plain letter with an accent, as labels without accents have them.
_PLAIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ß": "ss"})


def frequent_words(languages: Iterable[str], count: int, charset: Charset | None = None) -> list[str]:
    """The most frequent words of some languages, each once, in NFC.

    Args:
        languages: codes that wordfreq knows; `"eu"` stands for all in `EU`.
        count: words of each language, before those that are no words of letters alone fall out.
        charset: leaves out words that it cannot write in any case.

    Raises:
        MissingExtraError: wordfreq is not installed.
        ValueError: a language is not known.
    """
    wordfreq = _wordfreq()
    found: dict[str, None] = {}
    for code in _codes(languages):
        for word in wordfreq.top_n_list(code, count):
            word = unicodedata.normalize("NFC", word) if charset is None else charset.fold(word)
            word = _ESZETT.sub(lambda found: found.group().replace("ss", "ß"), word) if code == "de" else word
            if word.isalpha() and (charset is None or not charset.unknown(word) or not charset.unknown(word.upper())):
                found[word] = None
    return list(found)


def is_held_out(word: str) -> bool:
    """Whether a word is one of the twentieth that tests keep to themselves; its case does not matter."""
    return zlib.crc32(word.casefold().encode()) % _HELD_OUT == 0


def split(words: Iterable[str]) -> dict[str, list[str]]:
    """Words to train on (`train`), and those that are held out (`held_out`)."""
    parts: dict[str, list[str]] = {"train": [], "held_out": []}
    for word in words:
        parts["held_out" if is_held_out(word) else "train"].append(word)
    return parts


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
        self._frequency = _wordfreq().zipf_frequency
        # The most frequent word of each language, by what it is without accents.
        self._accented: dict[str, dict[str, str]] = {}
        for code in _codes(languages):
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


def _wordfreq() -> Any:
    return require("wordfreq", "Drawing words of languages", "languages")


def _codes(languages: Iterable[str]) -> list[str]:
    codes = [code for given in languages for code in (EU if given == "eu" else (given,))]
    known = _wordfreq().available_languages("small")
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise ValueError(f"Languages are eu, {', '.join(sorted(known))}. Received: languages={','.join(unknown)}")
    return codes
