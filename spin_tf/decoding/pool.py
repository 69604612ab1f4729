"""The beginnings of words that wait to be continued."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_NONE = -np.inf


class Beginnings(NamedTuple):
    """Arrays of one shape: what is known of a beginning before the model has taken its last token.

    Args:
        worth: its log probability and the automaton's potential; minus infinity where there is none.
        log_probability: of the tokens so far.
        node: the prefix before the last token, see `BeamSearch`.
        token: the last one.
        state: of the automaton, behind it.
        length: tokens so far.
    """

    worth: np.ndarray
    log_probability: np.ndarray
    node: np.ndarray
    token: np.ndarray
    state: np.ndarray
    length: np.ndarray


class Pool:
    """A place for `capacity` beginnings of each of n words; where more come, the best stay.

    Args:
        num_words: n.
        capacity: of each word.
        first: the empty beginning of each word, arrays (n,).

    Attributes:
        all: `Beginnings` (n, capacity).
        lost: (n,) the most that a beginning was worth for which there was no place.
    """

    def __init__(self, num_words: int, capacity: int, first: Beginnings) -> None:
        self._capacity = capacity
        self.all = Beginnings(*(np.zeros((num_words, capacity), field.dtype) for field in first))
        self.all.worth[:] = _NONE
        for field, value in zip(self.all, first, strict=True):
            field[:, 0] = value
        self.lost = np.full(num_words, _NONE)

    def put(self, words: np.ndarray, new: Beginnings) -> None:
        """Adds beginnings (m, k) to the words (m,), which are different ones."""
        old = self.all.worth[words]
        worth = np.concatenate([old, new.worth], axis=1)
        order = np.argpartition(worth, worth.shape[1] - self._capacity, axis=1)
        kept, dropped = order[:, -self._capacity :], order[:, : -self._capacity]
        self.lost[words] = np.maximum(self.lost[words], np.take_along_axis(worth, dropped, 1).max(1, initial=_NONE))
        for field, added in zip(self.all, new, strict=True):
            both = np.concatenate([field[words], added], axis=1)
            field[words] = np.take_along_axis(both, kept, axis=1)

    def drop(self, words: np.ndarray, worth: np.ndarray) -> None:
        """Drops what is worth no more than `worth` (m,) of the words (m,)."""
        here = self.all.worth[words]
        self.all.worth[words] = np.where(here > worth[:, None], here, _NONE)

    def best(self, words: np.ndarray) -> np.ndarray:
        """What the best beginning of each of the words (m,) is worth."""
        return self.all.worth[words].max(axis=1)
