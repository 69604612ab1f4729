"""Which characters words are drawn with: printable ASCII, a charset's, or those of a lexicon."""

from __future__ import annotations

import collections
import dataclasses
import os
import unicodedata
from collections.abc import Iterable

from spin_tf._input_files import read_list
from spin_tf.charset import Charset
from spin_tf.synthesis.fonts import CHARACTERS
from spin_tf.synthesis.labels import MAX_LENGTH, cases

# Scripts whose letters change or move beside others, which takes more than one glyph after the other.
_JOINED = ((0x0900, 0x109F), (0x1780, 0x18AF), (0x1A00, 0x1CFF), (0xA840, 0xA8FF), (0xA900, 0xABFF), (0x11000, 0x11FFF))
_SENTENCE = (
    "Right-to-left and joined scripts (Arabic, Hebrew, Devanagari, Thai, ...) and combining marks cannot be drawn "
    "glyph by glyph; train on real words of them"
)


def is_complex(character: str) -> bool:
    """Whether a character runs from right to left, joins its neighbours, or combines with the one before."""
    return (
        unicodedata.bidirectional(character) in ("R", "AL", "AN")
        or unicodedata.category(character) in ("Mn", "Mc", "Me")
        or any(first <= ord(character) <= last for first, last in _JOINED)
    )


def is_drawn(character: str) -> bool:
    """Whether a character leaves ink of its own: no space, no control or format character, nothing unassigned."""
    return unicodedata.category(character)[0] not in "ZC" and not is_complex(character)


def characters_of(charset: Charset) -> str:
    """The characters that a charset lets words be drawn with, in the order of their code points.

    Upper case is drawn for charsets that fold case: labels keep it, and the model folds them.

    Raises:
        ValueError: the charset holds characters that cannot be drawn one by one.
    """
    refused = [c for c in charset.characters if is_complex(c)]
    if refused:
        raise ValueError(f"{_SENTENCE}. Received: charset with {' '.join(map(ascii, refused[:5]))}")
    found = {c for c in charset.characters if is_drawn(c)}
    if charset.fold_case:
        found |= {c.upper() for c in found if len(c.upper()) == 1}
    if not found:
        raise ValueError(f"No character of the charset can be drawn. Received: charset={charset.characters!r}")
    return "".join(sorted(found))


@dataclasses.dataclass
class DrawableWords:
    """Words to draw, and those that were left out.

    Args:
        words: in NFC.
        characters: that labels may hold.
        left_out: how many words by reason, with the first few of each.
    """

    words: list[str]
    characters: str
    left_out: dict[str, list[str]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))

    @classmethod
    def read(
        cls, paths: Iterable[str | os.PathLike[str]], charset: Charset | None = None, more: Iterable[str] = ()
    ) -> DrawableWords:
        """Reads word lists, one word a line; lines that begin with # are comments.

        Args:
            paths: text files in UTF-8.
            charset: decides which words can be drawn; without one the words themselves do, beside printable ASCII.
            more: words that are at hand.

        Raises:
            OSError: a file cannot be read.
            ValueError: a file holds no usable word, or the charset cannot be drawn.
        """
        found: dict[str, list[str]] = {}
        for path in paths:
            lines = read_list(path, errors="replace").split("\n")
            words = [line.strip() for line in lines if not line.startswith("#")]
            found[os.fspath(path)] = [unicodedata.normalize("NFC", word) for word in words if word]
        if more:
            found["more words"] = list(more)
        if charset is not None:
            characters = characters_of(charset)
        else:
            own = {c for words in found.values() for word in words for form in cases(word) for c in form}
            characters = "".join(sorted({*CHARACTERS, *(c for c in own if is_drawn(c) and c != "\ufffd")}))
        lexicon = cls([], characters)
        for path, words in found.items():
            before = len(lexicon.words)
            for word in words:
                lexicon._take(word)
            if len(lexicon.words) == before:
                raise ValueError(
                    f"No word of 1 to {MAX_LENGTH} characters {lexicon._why()}. Received: lexicon={path!r}"
                )
        return lexicon

    def _take(self, word: str) -> None:
        allowed = set(self.characters)
        if any(is_complex(c) for c in word):
            self.left_out["right-to-left or joined script"].append(word)
        elif len(word) > MAX_LENGTH:
            self.left_out[f"longer than {MAX_LENGTH} characters"].append(word)
        elif any(c.isspace() for c in word):
            self.left_out["with a space"].append(word)
        elif not any(allowed.issuperset(form) for form in cases(word)):
            outside = " ".join(sorted({c for c in word if c not in allowed and c.isprintable()}))
            self.left_out[f"outside the charset ({outside})"].append(word)
        else:
            self.words.append(word)

    def without(self, missing: str) -> DrawableWords:
        """The lexicon without the words that need one of some characters, which no font draws.

        Raises:
            ValueError: nothing is left.
        """
        if not missing:
            return self
        result = DrawableWords([], "".join(c for c in self.characters if c not in missing))
        result.left_out.update(self.left_out)
        allowed = set(result.characters)
        for word in self.words:
            if any(allowed.issuperset(form) for form in cases(word)):
                result.words.append(word)
            else:
                lacking = " ".join(sorted(set(word) & set(missing)))
                result.left_out[f"with characters that no font draws ({lacking})"].append(word)
        if not result.words:
            raise ValueError(f"No font draws a word of the lexicon. Received: characters={missing[:20]!r}")
        return result

    def _why(self) -> str:
        return f"that can be drawn: {self.summary()}" if self.left_out else "in this list"

    def summary(self) -> str:
        """What was left out, in one line; empty for nothing."""
        if not self.left_out:
            return ""
        groups = sorted(self.left_out.items(), key=lambda item: -len(item[1]))
        shown = [f"{len(words)} {reason}, first {words[0][:40]!r}" for reason, words in groups[:8]]
        more = sum(len(words) for _, words in groups[8:])
        total = sum(len(words) for _, words in groups)
        if any(reason.startswith("right-to-left") for reason in self.left_out):
            shown.append(_SENTENCE)
        return f"{total} words of the lexicon are left out: {'; '.join(shown)}" + (f"; {more} others" if more else "")
