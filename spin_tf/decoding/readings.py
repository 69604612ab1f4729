"""What a search finds, and what it remembers on the way."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from spin_tf.decoding.automaton import END


@dataclasses.dataclass(frozen=True, slots=True)
class FoundReading:
    """A word that was found.

    Args:
        text: as the automaton spells it.
        log_probability: that the model gives to exactly what it reads, and to the end after them unless truncated.
        probabilities, positions: of each character, and of the end last.
        truncated: whether the word reached the model's longest without an end.
        worth: the log probability and what the automaton adds.
    """

    text: str
    log_probability: float
    probabilities: tuple[float, ...]
    positions: tuple[float, ...]
    truncated: bool
    worth: float


class Ending(NamedTuple):
    """A reading as the search meets it: a prefix and the last token."""

    worth: float
    text: str
    node: int
    token: int
    log_probability: float


class Finished:
    """The best readings of one word so far.

    Args:
        num_best: how many are kept.
    """

    def __init__(self, num_best: int) -> None:
        self._num_best = num_best
        self._endings: list[Ending] = []

    def add(self, ending: Ending) -> float:
        """Adds a reading, if it is one of the best; returns what one more has to exceed."""
        same = next((known for known in self._endings if known.text == ending.text), None)
        if same is None or same.worth < ending.worth:
            if same is not None:
                self._endings.remove(same)
            self._endings = sorted([*self._endings, ending], key=lambda known: -known.worth)[: self._num_best]
        return self._endings[-1].worth if len(self._endings) == self._num_best else -math.inf

    def readings(self, prefixes: Prefixes) -> tuple[FoundReading, ...]:
        """The readings, the best first."""
        return tuple(prefixes.reading(ending) for ending in self._endings)


class Prefixes:
    """Every beginning that the model has taken whole, as a tree; node 0 stands before all words.

    Attributes:
        texts, parent, log_probability, position: by node; the position is that of the token behind the beginning.
        output, cell: (nodes, units) of the decoder.
    """

    def __init__(self, units: int) -> None:
        self.texts = [""]
        self.parent = [0]
        self.log_probability = [0.0]
        self.position = [0.0]
        self.output = np.zeros((1, units), np.float32)
        self.cell = np.zeros((1, units), np.float32)

    def append(self, output: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Takes what the decoder gave for k beginnings; returns their nodes."""
        first = len(self.output)
        self.output = np.concatenate([self.output, output])
        self.cell = np.concatenate([self.cell, cell])
        return np.arange(first, len(self.output), dtype=np.int32)

    def reading(self, ending: Ending) -> FoundReading:
        """A reading with what the model said on the way to it."""
        probabilities, positions = [], []
        after, node = ending.log_probability, ending.node
        while node:
            probabilities.append(math.exp(after - self.log_probability[node]))
            positions.append(self.position[node])
            after = self.log_probability[node]
            node = self.parent[node]
        return FoundReading(
            ending.text,
            ending.log_probability,
            tuple(reversed(probabilities)),
            tuple(reversed(positions)),
            ending.token != END,
            ending.worth,
        )
