"""Finite automata with empty moves, and how they become deterministic."""

from __future__ import annotations

import numpy as np

from spin_tf.decoding.automaton import END, FORBIDDEN

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
