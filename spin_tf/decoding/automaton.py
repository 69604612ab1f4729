"""What a constraint is to the search: an automaton over the tokens of a model, asked for many states at once."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from spin_tf.charset import Tokenizer

START, END, FIRST = Tokenizer.START_ID, Tokenizer.END_ID, Tokenizer.FIRST_CHARACTER_ID
FORBIDDEN = -1


class Automaton(Protocol):
    """What a word may be, or what it is worth, given as states and transitions.

    Attributes:
        start: the state before the first character.
        may_be_cut: whether a word may reach the model's longest without its end.
    """

    start: int
    may_be_cut: bool

    def transitions(self, states: np.ndarray, remaining: np.ndarray) -> np.ndarray:
        """Where each token leads.

        Args:
            states: int (k,).
            remaining: int (k,), how many tokens the word may still get, its end among them; at least 1.

        Returns:
            int32 (k, classes): the next state, `FORBIDDEN` where the token may not come or no word could be ended any
            more. The token `END` of the model leads to a state too.
        """
        ...

    def potential(self, states: np.ndarray) -> np.ndarray:
        """What is added to the log probability of a reading in these states: float32 of the shape of `states`, >= 0.

        It only falls on the way, so that probability and potential of a beginning bound those of all its words.
        """
        ...

    def spelling(self, state: int, text: str) -> str:
        """How the answer writes a reading that ended in `state`."""
        ...


class Anything:
    """No constraint: every character, and the end, at any place.

    Args:
        classes: of the model, start and end token among them.
    """

    start = 0
    may_be_cut = True

    def __init__(self, classes: int) -> None:
        self._row = np.zeros(classes, np.int32)
        # The start token also pads; no reading holds it.
        self._row[START] = FORBIDDEN

    def transitions(self, states: np.ndarray, remaining: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self._row, (len(states), len(self._row)))

    def potential(self, states: np.ndarray) -> np.ndarray:
        return np.zeros(states.shape, np.float32)

    def spelling(self, state: int, text: str) -> str:
        return text


class Table:
    """A deterministic automaton in one table.

    Args:
        table: int32 (states, classes); the next state or `FORBIDDEN`; the column `END` says whether a word may end
            (0) or not (`FORBIDDEN`). State 0 is the start.

        num_steps: the most tokens of a word, its end among them.
    """

    start = 0
    may_be_cut = False

    def __init__(self, table: np.ndarray, num_steps: int) -> None:
        self.table = np.asarray(table, np.int32)
        self._to_end = _tokens_to_end(self.table, num_steps)

    @property
    def is_empty(self) -> bool:
        """Whether it allows no word at all."""
        return bool(self._to_end[0] == _NEVER)

    def transitions(self, states: np.ndarray, remaining: np.ndarray) -> np.ndarray:
        rows = self.table[states]
        needed = np.where(rows >= 0, self._to_end[rows], _NEVER)
        needed[:, END] = 0
        return np.where((rows >= 0) & (needed < remaining[:, None]), rows, FORBIDDEN)

    def potential(self, states: np.ndarray) -> np.ndarray:
        return np.zeros(states.shape, np.float32)

    def spelling(self, state: int, text: str) -> str:
        return text

    def accepts(self, tokens: np.ndarray) -> np.ndarray:
        """Which words are allowed: bool (n,) of tokens (n, length), 0 behind the last character of each."""
        states = np.zeros(len(tokens), np.int32)
        alive = np.ones(len(tokens), bool)
        for column in tokens.T:
            goes_on = alive & (column >= FIRST)
            states[goes_on] = self.table[states[goes_on], column[goes_on]]
            alive &= states >= 0
            states[~alive] = 0
        return alive & (self.table[states, END] >= 0)


_NEVER = np.iinfo(np.int32).max


def _tokens_to_end(table: np.ndarray, num_steps: int) -> np.ndarray:
    """The fewest tokens, the end among them, from each state of a `Table` to the end of a word, if at most so many."""
    needed = np.where(table[:, END] >= 0, 1, _NEVER).astype(np.int32)
    characters = table[:, FIRST:]
    for tokens in range(2, num_steps + 1):
        leads = ((characters >= 0) & (needed[characters] == tokens - 1)).any(axis=1)
        needed[leads & (needed == _NEVER)] = tokens
    return needed
