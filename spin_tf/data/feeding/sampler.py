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

    def is_wide(self, step: int) -> bool:
        """Words of one width are none of them wide; see `WidthSampler`."""
        return False

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


class WidthSampler:
    """As `Sampler`, for words that are read at two widths: all words of a batch are of one.

    Wide batches come at even distances and as often as the mixture has wide words; within either width, the sources
    keep their shares of it.

    Args:
        is_wide: of each source, bool (words,).
        weights, final_weights, batch_size, steps, seed: see `Sampler`.
    """

    def __init__(
        self,
        is_wide: Sequence[np.ndarray],
        weights: Sequence[float],
        final_weights: Sequence[float],
        batch_size: int,
        steps: int,
        seed: int,
    ) -> None:
        # Of each width the places of its words in their sources, and the numbers of the sources that have any.
        self._places = [[np.flatnonzero(wide == kind) for wide in is_wide] for kind in (False, True)]
        self._sources = [[i for i, places in enumerate(all_places) if len(places)] for all_places in self._places]
        counts = [len(wide) for wide in is_wide]
        self._all = Sampler(counts, weights, final_weights, batch_size, steps, seed)
        mean = (self.shares(0) + self.shares(steps - 1)) / 2
        self.wide_share = float(sum(share * wide.mean() for share, wide in zip(mean, is_wide, strict=True)))
        self._samplers: list[Sampler | None] = []
        for kind, sources in enumerate(self._sources):
            sizes = [len(self._places[kind][i]) for i in sources]
            first, last = (
                [every[i] * size / counts[i] for i, size in zip(sources, sizes, strict=True)]
                for every in (weights, final_weights)
            )
            steps_of_kind = self._before(steps) if kind else steps - self._before(steps)
            # Another order for each: the first words of a source are no more often wide than others.
            own_seed = seed + (kind << 40)
            sampler = Sampler(sizes, first, last, batch_size, max(steps_of_kind, 1), own_seed) if sources else None
            self._samplers.append(sampler)

    def shares(self, step: int) -> np.ndarray:
        """The share of each source in the words around a step, float64 (sources,)."""
        return self._all.shares(step)

    def _before(self, step: int) -> int:
        """How many of the steps before this one are of wide words."""
        return int(step * self.wide_share)

    def is_wide(self, step: int) -> bool:
        """Whether the words of a step are wide."""
        return self._before(step + 1) > self._before(step)

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Sampler.batch`."""
        kind = int(self.is_wide(step))
        sampler = self._samplers[kind]
        if sampler is None:
            raise ValueError(f"there are no words of the width of this step. Received: step={step}")
        sources, places = sampler.batch(self._before(step) if kind else step - self._before(step))
        sources = np.asarray(self._sources[kind])[sources]
        indices = [self._places[kind][source][place] for source, place in zip(sources, places, strict=True)]
        return sources, np.asarray(indices, np.int64)
