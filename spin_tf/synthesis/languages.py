"""Frequent words of the EU's languages in Latin script, from the package wordfreq."""

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
    known = wordfreq()
    found: dict[str, None] = {}
    for code in codes_of(languages):
        for word in known.top_n_list(code, count):
            word = unicodedata.normalize("NFC", word) if charset is None else charset.fold(word)
            word = _ESZETT.sub(lambda found: found.group().replace("ss", "ß"), word) if code == "de" else word
            if word.isalpha() and (charset is None or not charset.unknown(word) or not charset.unknown(word.upper())):
                found[word] = None
    return list(found)


def is_held_out(word: str) -> bool:
    """Whether a word is one of the twentieth that tests keep to themselves; its case does not matter."""
    return zlib.crc32(word.casefold().encode()) % _HELD_OUT == 0


def split_words(words: Iterable[str]) -> dict[str, list[str]]:
    """Words to train on (`train`), and those that are held out (`held_out`)."""
    parts: dict[str, list[str]] = {"train": [], "held_out": []}
    for word in words:
        parts["held_out" if is_held_out(word) else "train"].append(word)
    return parts


def wordfreq() -> Any:
    return require("wordfreq", "Drawing words of languages", "languages")


def codes_of(languages: Iterable[str]) -> list[str]:
    codes = [code for given in languages for code in (EU if given == "eu" else (given,))]
    known = wordfreq().available_languages("small")
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise ValueError(f"Languages are eu, {', '.join(sorted(known))}. Received: languages={','.join(unknown)}")
    return codes
