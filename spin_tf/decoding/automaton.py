"""Automata over the tokens of a model: what a constraint is to the search, asked for many states at once."""

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


class Unweighted:
    """What most automata have in common: words are worth what the model gives them, and spelt as it reads them."""

    start = 0
    may_be_cut = False

    def potential(self, states: np.ndarray) -> np.ndarray:
        return np.zeros(states.shape, np.float32)

    def spelling(self, state: int, text: str) -> str:
        return text


class Anything(Unweighted):
    """No constraint: every character, and the end, at any place.

    Args:
        classes: of the model, start and end token among them.
    """

    may_be_cut = True

    def __init__(self, classes: int) -> None:
        self._row = np.zeros(classes, np.int32)
        # The start token also pads; no reading holds it.
        self._row[START] = FORBIDDEN

    def transitions(self, states: np.ndarray, remaining: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self._row, (len(states), len(self._row)))


class Table(Unweighted):
    """A deterministic automaton in one table.

    Args:
        table: int32 (states, classes); the next state or `FORBIDDEN`; the column `END` says whether a word may end
            (0) or not (`FORBIDDEN`). State 0 is the start.

        num_steps: the most tokens of a word, its end among them.
    """

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


_MAX_STATES = 5_000


class Nfa:
    """States with empty moves and moves by sets of tokens; every part of a pattern has one way in and one way out."""

    def __init__(self, pattern: str) -> None:
        self.empty: list[list[int]] = []
        self.moves: list[list[tuple[frozenset[int], int]]] = []
        self.start = self.end = 0
        self.pattern = pattern

    def state(self) -> int:
        if len(self.empty) >= _MAX_STATES:
            raise ValueError(f"The pattern is too large. Received: pattern={self.pattern!r}")
        self.empty.append([])
        self.moves.append([])
        return len(self.empty) - 1

    def determinize(self, num_classes: int, max_length: int) -> np.ndarray:
        """The table of a deterministic automaton: subsets of states, a row each, in the order in which they are met."""

        def closure(states: set[int]) -> frozenset[int]:
            reached, pending = set(states), list(states)
            while pending:
                for state in self.empty[pending.pop()]:
                    if state not in reached:
                        reached.add(state)
                        pending.append(state)
            return frozenset(reached)

        start = closure({self.start})
        numbers, subsets, depths, rows = {start: 0}, [start], [0], []
        for subset, depth in zip(subsets, depths, strict=False):
            targets: dict[int, set[int]] = {}
            # No word is longer, so nothing follows there.
            for state in subset if depth < max_length else ():
                for tokens, target in self.moves[state]:
                    for token in tokens:
                        targets.setdefault(token, set()).add(target)
            row = np.full(num_classes, FORBIDDEN, np.int32)
            closed: dict[frozenset[int], frozenset[int]] = {}
            for token, reached in targets.items():
                key = frozenset(reached)
                if key not in closed:
                    closed[key] = closure(reached)
                subset_after = closed[key]
                if subset_after not in numbers:
                    if len(subsets) >= _MAX_STATES:
                        raise ValueError(f"The pattern is too large. Received: pattern={self.pattern!r}")
                    numbers[subset_after] = len(subsets)
                    subsets.append(subset_after)
                    depths.append(depth + 1)
                row[token] = numbers[subset_after]
            if self.end in subset:
                row[END] = 0
            rows.append(row)
        return np.stack(rows)
