"""Which characters of a model a constraint means, and what of it can be read in two ways or is not there at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from absl import logging

from spin_tf.charset import Charset, Tokenizer

FIRST = Tokenizer.FIRST_CHARACTER_ID


class Letters:
    """The characters of a charset as constraints see them.

    Args:
        charset: of the model. One that folds case has no upper case: constraints are folded as labels are.
        ignore_case: an upper-case letter also stands for the lower-case one, and the other way round.

    Attributes:
        num_classes: of the model: characters and the two special tokens.
        token: by character; what `ignore_case` would also take is not in it.
        other: int (num_classes,), the token of the same letter in the other case where both count as one, else 0.
    """

    def __init__(self, charset: Charset, ignore_case: bool) -> None:
        self.charset, self.ignore_case = charset, ignore_case
        self.num_classes = len(charset.characters) + FIRST
        self.token = {character: index for index, character in enumerate(charset.characters, start=FIRST)}
        self.other = np.zeros(self.num_classes, np.int64)
        if ignore_case:
            for character, token in self.token.items():
                self.other[token] = self.token.get(swapped(character), 0)

    def names(self, token: int) -> set[str]:
        """How a constraint may write the character of `token`."""
        character = self.charset.characters[token - FIRST]
        return {character, swapped(character)} if self.ignore_case or self.charset.fold_case else {character}


def swapped(character: str) -> str:
    """The letter in the other case; the character itself where that is not one letter."""
    other = character.upper() if character == character.lower() else character.lower()
    return other if len(other) == 1 else character


MINUS = r"a minus stands last, or is written \-"
# "0,1,2" or "a b c".
_SEPARATED = re.compile(r"[^\\]([,; |])(?:[^\\]\1)*[^\\]")


class Doubts:
    """Collected while a constraint is compiled, and told as warnings when it is.

    Args:
        name: of the constraint, `pattern` or `allowlist`.
        given: the constraint.
    """

    def __init__(self, name: str, given: str) -> None:
        self._name, self._given = name, given
        self._said: dict[str, None] = {}
        self._missing: dict[str, None] = {}

    def of_allowlist(self) -> None:
        """What only an allowlist can be mistaken for."""
        if self._given.startswith("^") and len(self._given) > 1:
            self._said["'^' at the start is that sign, not 'all but'; a pattern has [^...]"] = None
        if match := _SEPARATED.fullmatch(self._given):
            self._said[f"{match[1]!r} is a character that may be read, and separates nothing"] = None

    def of_range(self, low: str, high: str, characters: Sequence[str]) -> None:
        """A range whose ends are of two kinds may be three characters with a minus."""
        if any(kind(low) and kind(high) for kind in _SERIES):
            return
        inner = [character for character in characters if character not in (low, high)]
        # One of each kind: what nobody expects is among them.
        examples = dict.fromkeys(
            next(filter(kind, inner), "") for kind in (str.isupper, str.islower, str.isdecimal, _is_sign)
        )
        among = f", {', '.join(filter(None, examples))} among them" if inner else ""
        self._said[
            f"{low}-{high} is taken for the {len(characters)} characters from {low!r} to {high!r}{among}; {MINUS}"
        ] = None

    def of_missing(self, low: str, high: str) -> None:
        """Characters that the model does not have."""
        self._missing[repr(low) if low == high else f"character from {low!r} to {high!r}"] = None

    def missing(self) -> str:
        """For messages: the first of them, and how many more there are; "" for none."""
        first, *others = self._missing or ("",)
        more = f" and {len(others)} more" if others else ""
        return f"; the model has no {first}{more}" if first else ""

    def warn(self) -> None:
        """Says all of it."""
        for what in self._said:
            logging.warning("%s %r: %s", self._name, self._given, what)
        if self._missing:
            logging.warning("%s %r: not all of it can be read%s", self._name, self._given, self.missing())


def _is_sign(character: str) -> bool:
    return not character.isalnum()


def _has_no_case(character: str) -> bool:
    return character.isalpha() and character.lower() == character.upper()


# Both ends are digits, small letters, capital letters, or letters of a script without case.
_SERIES: tuple[Callable[[str], bool], ...] = (str.isdecimal, str.islower, str.isupper, _has_no_case)
