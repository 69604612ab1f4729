"""Batches for training under JAX: generated words and augmented real ones, from a pool of processes; no TensorFlow."""

from __future__ import annotations

import collections
import itertools
import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from spin_tf._processes import ignore_interrupts, without_interrupts
from spin_tf._types import JsonObject
from spin_tf.charset import Charset, LabelError, Tokenizer
from spin_tf.config import Config
from spin_tf.contract.errors import ImageError
from spin_tf.data.feeding.augmentation import augment
from spin_tf.data.records.word_example import WordExample
from spin_tf.synthesis import WordSynthesizer
from spin_tf.training.run_state import TrainingError

# Steps whose words are made before they are asked for.
_AHEAD = 4
_synthesizer: WordSynthesizer | None = None
_tokenizer: Tokenizer | None = None


def _start(settings: JsonObject, model: tuple[str, int]) -> None:
    global _synthesizer, _tokenizer
    ignore_interrupts()
    _synthesizer = WordSynthesizer(**settings)
    _tokenizer = Tokenizer(Charset.from_spec(model[0]), model[1])


def _make(seed: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Words `first` to `first + count` of a run: uint8 (count, height, width) and token rows."""
    if _synthesizer is None or _tokenizer is None:
        raise RuntimeError("The worker process was not started through _start.")
    images, rows = [], []
    for index in range(first, first + count):
        for attempt in range(1000):
            # Another word where the charset lacks a character of this one.
            image, label = _synthesizer.word((seed << 62) + (attempt << 48) + index)
            try:
                rows.append(_tokenizer.encode(label))
            except LabelError:
                continue
            images.append(image)
            break
        else:
            raise ValueError(f"no generated word fits the charset. Received: {_tokenizer.charset.characters!r}")
    return np.stack(images), np.stack(rows)


def _prepare(
    words: list[WordExample], size: tuple[int, int], strengths: np.ndarray, seed: int, first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Real words, `first` being the number of the first in the run: the same as from `_make`."""
    if _tokenizer is None:
        raise RuntimeError("The worker process was not started through _start.")
    images = []
    for i, (word, strength) in enumerate(zip(words, strengths, strict=True)):
        try:
            image = augment(word.encoded, size, float(strength), seed, first + i)
        except ImageError as error:
            raise ValueError(f"a training image cannot be read: {error}. Received: {word.source_id}") from error
        # Whole greys, as generated words have: a quarter of the bytes to send.
        images.append(np.rint(image[..., 0] * 127.5 + 127.5).astype(np.uint8))
    return np.stack(images), np.stack([_tokenizer.encode(word.text) for word in words])


class WordStream:
    """The batch of any step, a function of the configuration's seed and the step.

    Args:
        config: of the run; `data.train` gives the real words, with their weights.
        settings: arguments of `WordSynthesizer`.
        generated: share of generated words in a batch.
        workers: processes that make them.

    Raises:
        ValueError: real words are wanted and `data.train` names none, or a source without a usable word.
    """

    def __init__(self, config: Config, settings: JsonObject, generated: float = 1.0, workers: int = 1) -> None:
        t = config.training
        self._seed = t.seed
        self._size = (config.model.image_size[0], config.model.image_size[1])
        self._num_generated = round(t.batch_size * generated)
        self._words = self._sampler = None
        model = config.model.charset, config.model.max_length
        if self._num_generated < t.batch_size:
            from spin_tf.data.feeding.pipeline import TrainingWords

            tokenizer = Tokenizer(Charset.from_spec(model[0]), model[1])
            self._words = TrainingWords(config.data, tokenizer, t.batch_size - self._num_generated, t.steps, t.seed)
            self._sampler = self._words.make_sampler()
        # Spawned, not forked: safe beside libraries that hold threads.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, context, _start, (settings, model))
        with without_interrupts():
            # The first order starts the processes.
            self._pool.submit(os.getpid)
        self._workers = workers
        self._orders: collections.OrderedDict[int, list[Future[Any]]] = collections.OrderedDict()

    def _order(self, step: int) -> None:
        """Has the words of a step made, in as many parts as there are processes."""
        if step in self._orders:
            return
        first = step * self._num_generated
        orders = [self._pool.submit(_make, self._seed, first + a, b - a) for a, b in self._parts(self._num_generated)]
        if self._words is not None and self._sampler is not None:
            words, sources = self._words.read(self._sampler, step)
            strengths, first = self._words.augmentation[sources], step * len(words)
            orders += [
                self._pool.submit(_prepare, words[a:b], self._size, strengths[a:b], self._seed, first + a)
                for a, b in self._parts(len(words))
            ]
        self._orders[step] = orders

    def _parts(self, count: int) -> list[tuple[int, int]]:
        edges = np.linspace(0, count, min(self._workers, count) + 1).astype(int).tolist()
        return list(itertools.pairwise(edges))

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Images float32 (batch, height, width, 1) in [-1, 1] and token rows int32 (batch, max_length + 2).

        Raises:
            TrainingError: a process that makes words has ended: it was killed, or the memory did not suffice.
        """
        try:
            for ahead in range(_AHEAD):
                self._order(step + ahead)
            pixels, rows = zip(*(order.result() for order in self._orders.pop(step)), strict=True)
        except BrokenProcessPool as error:
            raise TrainingError(f"step {step + 1}: a process that makes words has ended") from error
        return (np.concatenate(pixels).astype(np.float32)[..., None] - 127.5) / 127.5, np.concatenate(rows)

    def __enter__(self) -> WordStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
