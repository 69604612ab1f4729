"""Which characters of a model are meant where a constraint names one: the charset's folding and the user's `case`."""

from __future__ import annotations

import numpy as np

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
