"""Which words make up which batch: a pure function of the seed and the step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Sampler:
    """Mixes sources by weight; within a source, every word comes once before any comes again.

    The batch of a step depends on nothing but the arguments, the seed and the step, so that a run can go on from any
    step, and any worker can make its part of a batch, with nothing saved but the step. The order of an epoch is a
    uniformly random permutation of the whole source: no shuffle buffer bounds its quality.

    Args:
        sizes: words of each source.
        weights: share of each source at the first step.
        final_weights: share at the last step; between them the shares change linearly.
        batch_size: words of a batch.
        steps: number of steps of the run.
        seed: of everything.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        weights: Sequence[float],
        final_weights: Sequence[float],
        batch_size: int,
        steps: int,
        seed: int,
    ) -> None:
        if min(sizes) < 1:
            raise ValueError(f"every source needs at least one word. Received: sizes={list(sizes)}")
        self._sizes = list(sizes)
        self._weights = np.asarray(weights, float), np.asarray(final_weights, float)
        self._batch_size = batch_size
        self._steps = steps
        self._seed = seed
        self._drawn = np.zeros(len(self._sizes), np.int64)
        self._next_step = 0
        self._epochs = [-1] * len(self._sizes)
        self._orders: list[np.ndarray] = [np.zeros(0, np.int64)] * len(self._sizes)

    def shares(self, step: int) -> np.ndarray:
        """The share of each source in the batch of a step, float64 (sources,)."""
        done = min(step / max(self._steps - 1, 1), 1.0)
        weights = self._weights[0] * (1 - done) + self._weights[1] * done
        return weights / weights.sum()

    def _sources(self, step: int) -> np.ndarray:
        rng = np.random.Generator(np.random.Philox(key=[self._seed, step]))
        return rng.choice(len(self._sizes), self._batch_size, p=self.shares(step))

    def _position(self, source: int, count: int) -> int:
        epoch, within = divmod(count, self._sizes[source])
        if self._epochs[source] != epoch:
            key = np.random.SeedSequence([self._seed, source, epoch])
            self._orders[source] = np.random.Generator(np.random.Philox(key)).permutation(self._sizes[source])
            self._epochs[source] = epoch
        return int(self._orders[source][within])

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the source number and the index within its source of each word of a step's batch, int64 (batch,).

        Cheapest when steps are asked for in turn; any other step replays the shares of the steps before it.
        """
        if step < self._next_step:
            self._drawn[:] = 0
            self._next_step = 0
        while self._next_step < step:
            self._drawn += np.bincount(self._sources(self._next_step), minlength=len(self._sizes))
            self._next_step += 1
        sources = self._sources(step)
        drawn = self._drawn.copy()
        indices = np.empty(len(sources), np.int64)
        for i, source in enumerate(sources):
            indices[i] = self._position(source, drawn[source])
            drawn[source] += 1
        self._drawn, self._next_step = drawn, step + 1
        return sources.astype(np.int64), indices
