"""Beam search over a stepping model, under an automaton, for many words at once.

The beginnings of a word wait in a pool of its own. While its beam runs, the `width` most probable beginnings of the
present length go on together, as in any beam search. What the beam leaves behind stays in the pool: no word is more
probable than its beginning, so when the best beginning that waits is below the words that were found, there are no
better ones. An exact search goes on from the best beginnings until that is so, or until it has taken as many steps as
it may."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from spin_tf.decoding.automaton import END, FIRST, START, Automaton
from spin_tf.decoding.readings import Ending, Finished, FoundReading, Prefixes
from spin_tf.decoding.stepping import Encoded, SteppingModel

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


class Waiting:
    """A place for `capacity` beginnings of each of n words; where more come, the best stay.

    Args:
        num_words: n.
        capacity: of each word.
        first: the empty beginning of each word, arrays (n,).

    Attributes:
        all: `Beginnings` (n, capacity).
    """

    def __init__(self, num_words: int, capacity: int, first: Beginnings) -> None:
        self._capacity = capacity
        self.all = Beginnings(*(np.zeros((num_words, capacity), field.dtype) for field in first))
        self.all.worth[:] = _NONE
        for field, value in zip(self.all, first, strict=True):
            field[:, 0] = value

    def put(self, words: np.ndarray, new: Beginnings) -> None:
        """Adds beginnings (m, k) to the words (m,), which are different ones."""
        old = self.all.worth[words]
        worth = np.concatenate([old, new.worth], axis=1)
        order = np.argpartition(worth, worth.shape[1] - self._capacity, axis=1)
        kept = order[:, -self._capacity :]
        for field, added in zip(self.all, new, strict=True):
            both = np.concatenate([field[words], added], axis=1)
            field[words] = np.take_along_axis(both, kept, axis=1)

    def drop(self, words: np.ndarray, worth: np.ndarray) -> None:
        """Drops what is worth no more than `worth` (m,) of the words (m,)."""
        here = self.all.worth[words]
        self.all.worth[words] = np.where(here > worth[:, None], here, _NONE)


# In an exact search, beginnings so much less probable than the best of their length do not go on with the beam.
_BEHIND = math.log(100)
# Steps that an exact search may take, as multiples of what its beam might.
_PATIENCE = 2
# Beginnings of a word that may wait.
_CAPACITY = 128
# No probability is exactly 0: the model says so where float32 has no smaller number.
_TINY = 1e-38


class BeamSearch:
    """Finds the most probable readings that an automaton allows.

    Args:
        model: encodes and steps.
        characters: of the model, in the order of its classes.
        num_steps: the most tokens of a word, its end among them.
        width: beginnings of a word that go on together.
        num_best: readings of each word.
        is_exact: go on after the beam, see above; with up to `2 * width * num_steps` steps a word in all.
        min_probability: readings below are not found.
    """

    def __init__(
        self,
        model: SteppingModel,
        characters: str,
        num_steps: int,
        width: int = 1,
        num_best: int = 1,
        is_exact: bool = False,
        min_probability: float = 0.0,
    ) -> None:
        self._model, self._characters, self._num_steps = model, characters, num_steps
        self._width, self._num_best, self._is_exact = width, num_best, is_exact
        self._floor = math.log(min_probability) if min_probability > 0 else -math.inf
        self._most_steps = _PATIENCE * width * num_steps

    def run(self, encoded: Encoded, automaton: Automaton) -> list[tuple[FoundReading, ...]]:
        """Searches n words.

        Args:
            encoded: of `SteppingModel.encode`.
            automaton: what the words may be.

        Returns:
            the readings of each word, the best first; of one text only the most probable.
        """
        num_words = len(encoded["states"])
        pool = self._start(num_words, automaton)
        prefixes = Prefixes(encoded["projected"].shape[-1])
        finished = [Finished(self._num_best) for _ in range(num_words)]
        # What a reading has to exceed to be one of the best.
        limit = np.full(num_words, -np.inf)
        taken = np.zeros(num_words, np.int64)
        in_beam = np.ones(num_words, bool)
        active = np.arange(num_words)
        length = 0
        while True:
            words, slots = self._choose(pool, active, in_beam, length)
            if not len(words):
                break
            chosen = Beginnings(*(field[words, slots] for field in pool.all))
            pool.all.worth[words, slots] = -np.inf
            nodes, children = self._expand(encoded, automaton, prefixes, words, chosen, limit)
            if not self._is_exact:
                self._keep_beam(words, children)
            self._finish(automaton, prefixes, nodes, words, children, finished, limit)
            self._wait(pool, words, children)
            active = np.unique(words)
            pool.drop(active, limit[active])
            taken += np.bincount(words, minlength=num_words)
            active = active[taken[active] + self._width <= self._most_steps]
            length += 1
        return [word.readings(prefixes) for word in finished]

    def _start(self, num_words: int, automaton: Automaton) -> Waiting:
        state = np.full(num_words, automaton.start, np.int64)
        empty = Beginnings(
            worth=automaton.potential(state).astype(np.float64),
            log_probability=np.zeros(num_words),
            node=np.zeros(num_words, np.int32),
            token=np.full(num_words, START, np.int32),
            state=state,
            length=np.zeros(num_words, np.int32),
        )
        return Waiting(num_words, max(_CAPACITY, 4 * self._width), empty)

    def _choose(
        self, pool: Waiting, active: np.ndarray, in_beam: np.ndarray, length: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Words and slots in the pool of the beginnings that go on now, at most `width` of a word."""
        worth = pool.all.worth[active]
        of_beam = np.where(pool.all.length[active] == length, worth, -np.inf)
        best = of_beam.max(axis=1)
        in_beam[active] &= best > -np.inf
        if self._is_exact:
            near = np.where(of_beam >= (best - _BEHIND)[:, None], of_beam, -np.inf)
            worth = np.where(in_beam[active][:, None], near, worth)
        else:
            worth = of_beam
        slots = np.argpartition(-worth, self._width - 1, axis=1)[:, : self._width]
        rows, columns = np.nonzero(np.take_along_axis(worth, slots, axis=1) > -np.inf)
        return active[rows], slots[rows, columns]

    def _expand(
        self,
        encoded: Encoded,
        automaton: Automaton,
        prefixes: Prefixes,
        words: np.ndarray,
        chosen: Beginnings,
        limit: np.ndarray,
    ) -> tuple[np.ndarray, Beginnings]:
        """One step of the model for k beginnings: their nodes, and what may follow, arrays (k, classes)."""
        result = self._model.step(
            encoded["states"][words],
            encoded["projected"][words],
            chosen.token.astype(np.int32),
            prefixes.output[chosen.node],
            prefixes.cell[chosen.node],
        )
        nodes = prefixes.append(result["output"], result["cell"])
        positions = np.clip((result["attention"] * encoded["centres"][words]).sum(axis=1), 0.0, 1.0)
        for node, token, log_probability in zip(chosen.node, chosen.token, chosen.log_probability, strict=True):
            character = self._characters[token - FIRST] if token >= FIRST else ""
            prefixes.texts.append(prefixes.texts[node] + character)
            prefixes.parent.append(int(node))
            prefixes.log_probability.append(float(log_probability))
        prefixes.position.extend(positions.tolist())
        probabilities = np.maximum(result["probabilities"].astype(np.float64), _TINY)
        log_probability = chosen.log_probability[:, None] + np.log(probabilities)
        state = automaton.transitions(chosen.state, self._num_steps - chosen.length)
        worth = log_probability + automaton.potential(state)
        useful = (state >= 0) & (log_probability >= self._floor) & (worth > limit[words][:, None])
        shape = state.shape
        return nodes, Beginnings(
            worth=np.where(useful, worth, -np.inf),
            log_probability=log_probability,
            node=np.broadcast_to(nodes[:, None], shape),
            token=np.broadcast_to(np.arange(shape[1], dtype=np.int32), shape),
            state=state,
            length=np.broadcast_to(chosen.length[:, None] + 1, shape),
        )

    def _keep_beam(self, words: np.ndarray, children: Beginnings) -> None:
        """An end too has to be among the `width` best: a beam of 1 stops where greedy reading does."""
        worth = children.worth
        for rows in np.split(np.arange(len(words)), np.flatnonzero(np.diff(words)) + 1):
            least = np.partition(worth[rows], -self._width, axis=None)[-self._width]
            worth[rows] = np.where(worth[rows] >= least, worth[rows], -np.inf)

    def _finish(
        self,
        automaton: Automaton,
        prefixes: Prefixes,
        nodes: np.ndarray,
        words: np.ndarray,
        children: Beginnings,
        finished: list[Finished],
        limit: np.ndarray,
    ) -> None:
        """Takes the readings out of `children`: those that end, and those that are as long as the model's longest."""
        complete = children.length >= self._num_steps
        complete[:, END] = True
        if not automaton.may_be_cut:
            complete[:, :END] = complete[:, FIRST:] = False
        worth = np.where(complete, children.worth, -np.inf)
        children.worth[complete | (children.length >= self._num_steps)] = -np.inf
        rows, tokens = np.nonzero(worth > -np.inf)
        for index in np.argsort(-worth[rows, tokens], kind="stable"):
            row, token = rows[index], int(tokens[index])
            word, node = words[row], int(nodes[row])
            if worth[row, token] <= limit[word]:
                continue
            text = prefixes.texts[node] + (self._characters[token - FIRST] if token >= FIRST else "")
            text = automaton.spelling(int(children.state[row, token]), text)
            log_probability = float(children.log_probability[row, token])
            limit[word] = finished[word].add(Ending(float(worth[row, token]), text, node, token, log_probability))

    def _wait(self, pool: Waiting, words: np.ndarray, children: Beginnings) -> None:
        """Puts what may follow into the pool: of each word one row, filled up."""
        different, word_of_row, counts = np.unique(words, return_inverse=True, return_counts=True)
        rank = np.arange(len(words)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (len(different), int(counts.max()), children.worth.shape[1])

        def by_word(field: np.ndarray, fill: float) -> np.ndarray:
            filled = np.full(shape, fill, field.dtype)
            filled[word_of_row, rank] = field
            return filled.reshape(len(different), -1)

        pool.put(different, Beginnings(by_word(children.worth, -np.inf), *(by_word(f, 0) for f in children[1:])))
