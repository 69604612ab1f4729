"""What stands in the crops of benchmarks/kinds.py: a function a kind, from a random source to a label."""

from __future__ import annotations

import codecs
import functools
import random
import re
import string
from collections.abc import Callable, Sequence

from spin_tf._extras import require
from spin_tf.charset import Charset
from spin_tf.synthesis.alphabet import DrawableWords

Text = Callable[[random.Random, "Words"], str]

# Letters with accents of each language: words with others are foreign there.
ACCENTS = {
    "cs": "áčďéěíňóřšťúůýž",
    "de": "äöüß",
    "es": "áéíñóúü",
    "fr": "àâæçèéêëîïôœùûüÿ",
    "hu": "áéíóöőúüű",
    "it": "àèéìòù",
    "pl": "ąćęłńóśźż",
    "pt": "àáâãçéêíóôõú",
    "ro": "ăâîșț",
    "sv": "åäö",
}
LANGUAGES = {
    "cs": "Czech",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "hu": "Hungarian",
    "it": "Italian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "sv": "Swedish",
}
_EN_DASH = "\u2013"
SIGNS = f"€£¥°§«»„“”{_EN_DASH}"
_ACCENTED = "".join(dict.fromkeys("".join(ACCENTS.values())))
# Everything that a kind may ask of a font, without the space. A capital ß is not among what words are written with.
CHARACTERS = "".join(
    dict.fromkeys(
        string.digits
        + string.ascii_letters
        + string.punctuation
        + _ACCENTED
        + _ACCENTED.replace("ß", "").upper()
        + SIGNS
    )
)
# Small and capital forms of these differ in size alone: a word of nothing else has no case that could be read.
_SAME_IN_BOTH_CASES = frozenset("cosuvwxz")
_CAPITALS = "ACDEFGHJKLMNPRTUVWXY"
# Beginnings of words that no picture should show, in ROT13.
_UNWANTED = tuple(
    codecs.decode(
        """
        shpx fuvg ovgpu phag juber fyhg avtt sntt cbea encr encvfg cravf intvan qvpx pbpx chffl anmv
        uvgyre zbgures nffuby ohyyfu wvunq fhvpvq onfgneq vfvf greebe zheqre trabpvq ergneq ubybpnhfg
        fynir snfpvf vfenry cnyrfgva xvqanc
        """,
        "rot13",
    ).split()
)
# Characters that are taken for each other. A code holds all of a group, so that whoever reads it can compare.
ALIKE = ("0O", "1Il", "5S", "8B", "2Z")
# Country: length of the account number after the two check digits, and how many letters it begins with.
_IBANS = {"AT": (16, 0), "BE": (12, 0), "CH": (17, 0), "DE": (18, 0), "ES": (20, 0), "FR": (23, 0), "GB": (18, 4)}
_IBANS |= {"IE": (18, 4), "IT": (23, 1), "NL": (14, 4), "PL": (24, 0), "SE": (20, 0)}
_SEGMENTS = ("##:##", "#:##", "##.#", "#.##", "###.#", "-#.#", "####", "###", "##:##:##", "#####", "-##")


class Words:
    """Frequent words of languages, from the package wordfreq.

    Args:
        english: a file of English words, one a line, instead of wordfreq's.
        size: how many of the most frequent words of a language are looked at.

    Raises:
        MissingExtraError: when words are asked for and wordfreq is not installed.
        ValueError: the file holds no words that can be used.
    """

    def __init__(self, english: str | None = None, size: int = 12_000) -> None:
        self._english = english
        self._size = size
        self._accented: dict[str, list[str]] = {}

    def _frequent(self, language: str) -> list[str]:
        wordfreq = require("wordfreq", "Words of languages", "languages")
        found = wordfreq.top_n_list(language, self._size)
        return [word for word in found if not word.startswith(_UNWANTED)]

    @functools.cached_property
    def english(self) -> dict[int, list[str]]:
        """By length, lower-case words of a-z that have a case."""
        found = (
            DrawableWords.read([self._english], Charset.from_spec("94")).words
            if self._english
            else self._frequent("en")
        )
        by_length: dict[int, list[str]] = {}
        for word in dict.fromkeys(word.lower() for word in found):
            if word.isascii() and word.isalpha() and not _SAME_IN_BOTH_CASES.issuperset(word):
                by_length.setdefault(len(word), []).append(word)
        if missing := set(range(3, 13)) - set(by_length):
            raise ValueError(f"Words of 3 to 12 letters are needed. Received: {self._english!r} without {missing}")
        return by_length

    def accented(self, language: str) -> list[str]:
        """Lower-case words of 4 to 12 letters with an accent, none foreign to the language."""
        if language not in self._accented:
            accents = frozenset(ACCENTS[language])
            known = accents | frozenset(string.ascii_lowercase)
            found = [word for word in self._frequent(language) if 4 <= len(word) <= 12 and known.issuperset(word)]
            self._accented[language] = [word for word in found if accents & set(word)]
        return self._accented[language]

    def word(self, rng: random.Random, lengths: Sequence[int]) -> str:
        """A lower-case English word; every length is as likely."""
        return rng.choice(self.english[rng.choice(lengths)])

    def joined(self, rng: random.Random, length: int) -> str:
        """Lower-case words that have `length` letters together."""
        parts = []
        while length > 12:
            parts.append(self.word(rng, range(3, min(9, length - 3) + 1)))
            length -= len(parts[-1])
        return "".join([*parts, self.word(rng, [length])])


def digits(rng: random.Random, number: int) -> str:
    return "".join(rng.choices(string.digits, k=number))


def figures(rng: random.Random, number: int) -> str:
    """Digits that can stand among letters: neither 0 nor 1, which may be O and I there."""
    return "".join(rng.choices("23456789", k=number))


def in_some_case(rng: random.Random, word: str) -> str:
    """Lower case, Capital or UPPER; ß has no capital here."""
    return rng.choice([word, word.capitalize(), word if "ß" in word else word.upper()])


def lower(rng: random.Random, words: Words) -> str:
    return words.word(rng, range(3, 13))


def capital(rng: random.Random, words: Words) -> str:
    return lower(rng, words).capitalize()


def upper(rng: random.Random, words: Words) -> str:
    return lower(rng, words).upper()


def any_word(rng: random.Random, words: Words) -> str:
    return in_some_case(rng, words.word(rng, range(4, 11)))


def short_word(rng: random.Random, words: Words) -> str:
    return in_some_case(rng, words.word(rng, range(4, 8)))


def capitals(rng: random.Random, words: Words) -> str:
    return words.word(rng, range(4, 9)).upper()


def letters_of(length: int) -> Text:
    return lambda rng, words: in_some_case(rng, words.joined(rng, length))


def digits_of(length: int) -> Text:
    return lambda rng, words: digits(rng, length)


def accented(language: str) -> Text:
    return lambda rng, words: in_some_case(rng, rng.choice(words.accented(language)))


def iban(rng: random.Random, words: Words) -> str:
    """An International Bank Account Number whose check digits are right (ISO 13616), ungrouped."""
    country, (length, letters) = rng.choice(sorted(_IBANS.items()))
    account = "".join(rng.choices(_CAPITALS, k=letters)) + digits(rng, length - letters)
    number = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


def phone(rng: random.Random, words: Words) -> str:
    country = rng.choice(["+1", "+33", "+34", "+39", "+44", "+48", "+49", "+65"])
    area, number = digits(rng, rng.randint(2, 4)), digits(rng, rng.randint(4, 7))
    forms = [
        f"{country}{area}{number}",
        f"{country}-{area}-{number}",
        f"{country}({area}){number}",
        f"(0{area}){number}",
        f"0{area}/{number}",
        f"0{area}-{number[:3]}-{number[3:]}",
        f"{country}.{area}.{number}",
    ]
    return rng.choice(forms)


def brackets(rng: random.Random, words: Words) -> str:
    word, number = short_word(rng, words), figures(rng, rng.randint(1, 3))
    pair = rng.choice(["()", "()", "[]", "{}", "<>"])
    inside = rng.choice([word, number, f"{word[:3]}{number}"])
    before = words.word(rng, range(3, 7))
    return rng.choice([f"{pair[0]}{word}{pair[1]}", f"{before}{pair[0]}{inside}{pair[1]}", f"{word}(s)"])


def signs_inside(rng: random.Random, words: Words) -> str:
    """Words or numbers with one sign between them, sometimes two."""
    parts = [words.word(rng, range(3, 7)) if rng.random() < 0.7 else figures(rng, rng.randint(1, 3)) for _ in range(3)]
    case = rng.choice([str.lower, str.upper, str.capitalize])
    text = case(parts[0]) + rng.choice("#$_\\|&^=+") + case(parts[1])
    return text + rng.choice("_+&=") + case(parts[2]) if rng.random() < 0.2 else text


_ENDINGS = ("com", "de", "net", "org", "fr", "co.uk", "eu")


def address(rng: random.Random, words: Words) -> str:
    start = rng.choice(["http://", "https://", "www.", "http://www.", ""])
    site = f"{start}{words.word(rng, range(3, 8))}.{rng.choice(_ENDINGS)}"
    page = words.word(rng, range(3, 5))
    return site + (rng.choice([f"/{page}", f"/{page}?id={digits(rng, 2)}", f"/~{page}"]) if len(site) < 16 else "")


def email(rng: random.Random, words: Words) -> str:
    name = words.word(rng, range(3, 7))
    more = rng.choice(["", "", f".{words.word(rng, [3, 4])}", f"_{words.word(rng, [3, 4])}", figures(rng, 2), "-shop"])
    return f"{name}{more}@{words.word(rng, range(3, 8))}.{rng.choice(_ENDINGS)}"


def code(rng: random.Random, words: Words) -> str:
    groups = rng.sample(ALIKE, rng.choice([2, 2, 3]))
    characters = [*"".join(groups), *rng.choices(f"{_CAPITALS}34679", k=rng.randint(1, 3))]
    rng.shuffle(characters)
    return "".join(characters)


def price(sign: str) -> Text:
    def text(rng: random.Random, words: Words) -> str:
        whole, cents = str(rng.choice([rng.randint(1, 9), rng.randint(10, 99), rng.randint(100, 999)])), digits(rng, 2)
        more = f"{rng.randint(1, 9)},{digits(rng, 3)}"
        if sign == "¥":
            amount = rng.choice([f"{whole}0", f"{whole}00", more])
        elif sign == "€":
            amount = rng.choice([whole, f"{whole},{cents}", f"{whole}.{cents}", f"{more.replace(',', '.')},{cents}"])
        else:
            amount = rng.choice([whole, f"{whole}.{cents}", f"{whole}.{cents}", more])
        after = rng.random() < {"€": 0.5, "¥": 0.3, "£": 0.2}[sign]
        return f"{amount}{sign}" if after else f"{sign}{amount}"

    return text


def typographic(rng: random.Random, words: Words) -> str:
    word, a, b = short_word(rng, words), rng.randint(1, 9), rng.randint(10, 99)
    forms = [
        f"„{word}“",
        f"“{word}”",
        f"«{word}»",
        f"»{word}«",
        f"{a}{_EN_DASH}{b}",
        f"{word}{_EN_DASH}{words.word(rng, [3, 4, 5])}",
        f"{b}°C",
        f"{'-' if rng.random() < 0.3 else ''}{b}°",
        f"§{b}",
        f"§{b}({a})",
    ]
    return rng.choice(forms)


def segments(rng: random.Random, words: Words) -> str:
    """What clocks, scales and meters show."""
    # No clock shows 12:85.
    form = re.sub(":#", lambda _: f":{rng.choice('012345')}", rng.choice(_SEGMENTS))
    return "".join(rng.choice(string.digits) if c == "#" else c for c in form)


def dots(rng: random.Random, words: Words) -> str:
    """What buses, tills and printers of dates show."""
    word, time = words.word(rng, range(3, 9)).upper(), f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    date = f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.{rng.randint(2024, 2031)}"
    return rng.choice([word, word, time, date, f"{word[:4]}-{digits(rng, 3)}", f"L{digits(rng, 5)}"])


def spaced(rng: random.Random, words: Words) -> str:
    """Words, plates and measures with one or two spaces."""
    plate = f"{''.join(rng.choices(_CAPITALS, k=2))} {digits(rng, 2)} {digits(rng, 3)}"
    case = rng.choice([str.capitalize, str.upper, str.lower])
    first, second = (case(words.word(rng, range(3, 8))) for _ in range(2))
    return rng.choice(
        [plate, f"{first} {second}", f"{first} {second}", f"{first} {digits(rng, 2)}", f"{rng.randint(1, 99)} kg"]
    )
