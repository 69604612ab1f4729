"""Charsets and the tokenizer: text to token ids and back."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
from absl import logging

from spin_tf._characters import ALIKE, NAMED
from spin_tf._input_files import read_list
from spin_tf._types import JsonObject
from spin_tf.contract.constants import END_ID, FIRST_CHARACTER_ID, PADDING_ID, START_ID

# A typographic apostrophe between two letters.
_APOSTROPHE = re.compile("(?<=[^\\W\\d_])\u2019(?=[^\\W\\d_])")


class LabelError(ValueError):
    """A label that a tokenizer cannot encode.

    Attributes:
        reason: `"empty"`, `"too_long"` or `"character"`.
        characters: the characters outside the charset, each once, in the order of the label; empty for other reasons.
    """

    def __init__(self, message: str, reason: str, characters: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.characters = characters

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are pickled by their arguments, of which the base class knows one: worker processes send them.
        return type(self), (str(self), self.reason, self.characters)


@functools.cache
def _say_folding(name: str) -> None:
    logging.info("Charset %s folds case: labels and predictions are lower case.", name)


@dataclasses.dataclass(frozen=True)
class Charset:
    """The characters a model can read, in the order of its classes.

    Args:
        characters: every character once; at least one.
        fold_case: whether text is lower-cased before it is looked up. Nothing else ever changes the case of a label.
            Said once a process through absl logging, by the tokenizer that does it.
        name: how reports call it.

    Raises:
        ValueError: for an empty or repeating `characters`, or upper case in a charset that folds case.
    """

    characters: str
    fold_case: bool = False
    name: str = "custom"

    def __post_init__(self) -> None:
        if not self.characters:
            raise ValueError(f"A charset needs at least one character. Received: characters={self.characters!r}")
        repeated = sorted({c for c in self.characters if self.characters.count(c) > 1})
        if repeated:
            raise ValueError(f"A charset holds each character once. Received: repeated={''.join(repeated)!r}")
        if self.fold_case and self.characters != self.characters.lower():
            raise ValueError(
                "A charset that folds case cannot hold upper-case characters: they would never be read. "
                f"Received: characters={self.characters!r}"
            )

    @classmethod
    def from_spec(cls, spec: str) -> Charset:
        """Makes a charset from what a user writes in a flag or a configuration.

        Args:
            spec: `"36"` (0-9a-z, folds case), `"62"` (0-9a-zA-Z), `"68"` (the published GA-SPIN checkpoint's, folds
                case), `"94"` (printable ASCII without the space), `"latin"` (those of 94, the accented letters of the
                official languages of the EU in Latin script, signs of price tags and packages, and the space),
                `"file:PATH"` (UTF-8; one character a line, or all on one line) or `"chars:abc..."`; `"fold:"` before
                either of the last two folds case.

        Raises:
            ValueError: for anything else.
        """
        if spec in NAMED:
            characters, fold_case = NAMED[spec]
            return cls(characters, fold_case, spec)
        kind, separator, value = spec.partition(":")
        if separator and kind == "fold" and value.startswith(("chars:", "file:")):
            return dataclasses.replace(cls.from_spec(value), fold_case=True)
        if separator and kind == "chars":
            return cls(value)
        if separator and kind == "file":
            path = pathlib.Path(value)
            # Not splitlines(): it would also split at form feeds and other characters that a charset may hold.
            lines = read_list(path).split("\n")
            lines = [line for line in lines if line]
            if len(lines) > 1 and any(len(line) > 1 for line in lines):
                raise ValueError(
                    "A charset file holds one character a line, or all characters on one line. "
                    f"Received: file={value!r}, line={next(line for line in lines if len(line) > 1)!r}"
                )
            return cls("".join(lines), name=path.stem)
        raise ValueError(
            f"A charset is one of {', '.join(NAMED)}, file:PATH or chars:CHARACTERS, or fold: before one of the last "
            f"two, which folds case. Received: charset={spec!r}"
        )

    @property
    def spec(self) -> str:
        """What `from_spec` takes to make this charset, by its content: the name of a known one, or its characters."""
        for name, known in NAMED.items():
            if (self.characters, self.fold_case) == known:
                return name
        return f"{'fold:' if self.fold_case else ''}chars:{self.characters}"

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.characters)

    def fold(self, text: str) -> str:
        """Returns `text` as this charset sees it: what is the same to the eye is the same label.

        Lower-cased where the charset folds case. Letters and accents are composed or taken apart (NFC, NFD) as the
        charset has them, and a character that it lacks becomes the one that looks like it, where it has that one: s
        with a comma for s with a cedilla, plain quotation marks and hyphens for typographic ones, fi for their
        ligature. Other characters stay. A typographic apostrophe between two letters is the plain one wherever a
        charset has that: nobody tells them apart there, and labels are typed with the plain one.
        """
        if self.fold_case:
            text = text.lower()
        if "\u2019" in text and "'" in self._known:
            text = _APOSTROPHE.sub("'", text)
        if self._known.issuperset(text):
            return text
        text = min(text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD")), key=self._lacking)
        return "".join(c if c in self._known else self._alike(c) for c in text)

    def _lacking(self, text: str) -> int:
        return sum(c not in self._known for c in text)

    def _alike(self, character: str) -> str:
        """What looks like a character that the charset lacks, or the character itself."""
        return next((other for other in ALIKE.get(character, ()) if self._known.issuperset(other)), character)

    def unknown(self, text: str) -> tuple[str, ...]:
        """Returns the characters of `text` that are not in the charset, each once, in order."""
        return tuple(dict.fromkeys(c for c in self.fold(text) if c not in self._known))

    def writable(self, text: str) -> str:
        """Returns what a model of this charset can write of `text`: a character of which only the other case, or only
        its letter and accent apart (or together), are known becomes that; one that is not known at all is dropped.
        """
        known = self._known
        text = self.fold(text)
        if not known.issuperset(text):
            text = unicodedata.normalize("NFC", text)

        def written(c: str) -> str:
            forms = (c, unicodedata.normalize("NFD", c), c.lower(), c.upper())
            return next((form for form in forms if known.issuperset(form)), "")

        return "".join(map(written, text))

    def hint(self, unknown: Iterable[str]) -> str:
        """Says of characters outside the charset whether folding case would bring them in; empty where it would not."""
        letters = [
            c for c in unknown if not self.fold_case and c.lower() != c and set(c.lower()) <= set(self.characters)
        ]
        if not letters or any(c != c.lower() for c in self.characters):
            return ""
        return f"{' '.join(letters[:5])} would be read as small letters with --charset or model.charset=fold:chars:..."

    def to_dict(self) -> JsonObject:
        """Returns what `from_dict` takes; JSON can hold it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, config: JsonObject) -> Charset:
        """Inverse of `to_dict`.

        Raises:
            ValueError: for anything that `to_dict` does not give: files that hold it come from strangers.
        """
        types = {"characters": str, "fold_case": bool, "name": str}
        if not isinstance(config, dict) or "characters" not in config or not set(config) <= set(types):
            raise ValueError(f"A charset has {', '.join(types)}. Received: charset={str(config)[:100]!r}")
        for key, value in config.items():
            if not isinstance(value, types[key]):
                raise ValueError(f"{key} of a charset is a {types[key].__name__}. Received: {key}={str(value)[:100]!r}")
        if any("\ud800" <= c <= "\udfff" for c in config["characters"]):
            raise ValueError(f"No text can hold half of a character. Received: characters={config['characters']!a}")
        return cls(**config)


class Tokenizer:
    """Turns text into token ids and back.

    Id 0 starts a label and also pads it (the loss ignores it), id 1 ends it, and the characters follow from id 2 in
    the order of the charset.

    Args:
        charset: the characters.
        max_length: the longest label, in characters.
    """

    START_ID = START_ID
    PADDING_ID = PADDING_ID
    END_ID = END_ID
    FIRST_CHARACTER_ID = FIRST_CHARACTER_ID

    def __init__(self, charset: Charset, max_length: int = 25) -> None:
        if max_length < 1:
            raise ValueError(f"max_length must be at least 1. Received: max_length={max_length}")
        self.charset = charset
        self.max_length = max_length
        self.vocabulary_size = len(charset.characters) + self.FIRST_CHARACTER_ID
        self._ids = {c: i + self.FIRST_CHARACTER_ID for i, c in enumerate(charset.characters)}
        if charset.fold_case:
            _say_folding(charset.name)

    def check(self, text: str) -> str:
        """Returns the label as it will be encoded (case folded where the charset says so).

        Raises:
            LabelError: for an empty label, one longer than `max_length`, or one with characters outside the charset.
        """
        text = self.charset.fold(text)
        if not text:
            raise LabelError("The label is empty. Received: text=''", "empty")
        if len(text) > self.max_length:
            raise LabelError(
                f"The label has {len(text)} characters, more than {self.max_length}. Received: text={text!r}",
                "too_long",
            )
        unknown = tuple(dict.fromkeys(c for c in text if c not in self._ids))
        if unknown:
            raise LabelError(
                f"Characters outside charset {self.charset.name}: {list(unknown)}. Received: text={text!r}",
                "character",
                unknown,
            )
        return text

    def encode(self, text: str) -> np.ndarray:
        """Encodes one label.

        Args:
            text: 1 to `max_length` characters of the charset.

        Returns:
            int32 array (max_length + 2,): start, characters, end, padding.

        Raises:
            LabelError: see `check`.
        """
        text = self.check(text)
        ids = np.full(self.max_length + 2, self.PADDING_ID, np.int32)
        ids[0] = self.START_ID
        ids[1 : len(text) + 1] = [self._ids[c] for c in text]
        ids[len(text) + 1] = self.END_ID
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Decodes the ids of one word: stops at the first end token, drops start and padding tokens.

        Args:
            ids: integers in 0..vocabulary_size - 1, with or without the start token.

        Raises:
            ValueError: for an id outside the vocabulary.
        """
        characters = []
        for token in ids:
            index = int(token)
            if index == self.END_ID:
                break
            if not 0 <= index < self.vocabulary_size:
                raise ValueError(f"Token ids lie in 0..{self.vocabulary_size - 1}. Received: id={index}")
            if index >= self.FIRST_CHARACTER_ID:
                characters.append(self.charset.characters[index - self.FIRST_CHARACTER_ID])
        return "".join(characters)
