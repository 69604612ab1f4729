"""From TFRecords to batches with tf.data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import logging

from spin_tf._extras import require
from spin_tf._types import Tensor
from spin_tf.charset import Tokenizer
from spin_tf.config import DataConfig
from spin_tf.contract import tensorflow_twin as twin
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.data.feeding.augmentation import NUM_LIGHT_DRAWS, NUM_SHAPE_DRAWS, relight, warp_tensor
from spin_tf.data.feeding.record_labels import LabelCounts, usable_records
from spin_tf.data.feeding.record_sizes import wide_records
from spin_tf.data.feeding.sampler import Sampler, WidthSampler
from spin_tf.data.plain_images import as_both_read
from spin_tf.data.records.record_file import RecordError
from spin_tf.data.records.tfrecord import RecordIndex, WordExample

# Batches that the input pipeline may be ahead of the model.
LOOK_AHEAD = 12


@dataclasses.dataclass(frozen=True)
class BrokenWord:
    """A word that cannot be read: its source, its place among the source's usable words, where it lies, and why."""

    source: int
    position: int
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def _as_read(word: WordExample) -> bytes:
    """The picture as reading sees it; records of others may hold what TensorFlow reads otherwise, or not at all."""
    return as_both_read(word.encoded, compress_level=1)


class TrainingWords:
    """The words of all training sources, and the batch of any step.

    Words whose label the tokenizer refuses are left out before training starts, counted by reason in `rejected`.

    Args:
        config: sources and their weights.
        tokenizer: of the model.
        batch_size: global, over all replicas.
        steps: of the run.
        seed: of order and augmentation.
        by_width: sort the words by width, so that `dataset` can give batches of wide ones; needs a look at the start of
            every picture.

    Attributes:
        augmentation: the strength for the words of each source, float32 (sources,).
        rejected: labels left out, counted by source and reason.

    Raises:
        ValueError: no source, or a source without a single usable word; a corrupt shard unless those are skipped.
        FileNotFoundError: files that are not there; names the key.
    """

    def __init__(
        self,
        config: DataConfig,
        tokenizer: Tokenizer,
        batch_size: int,
        steps: int,
        seed: int,
        by_width: bool = False,
    ) -> None:
        if not config.train:
            raise ValueError("data.train must name at least one source. Received: {}")
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.seed = seed
        self.names = list(config.train)
        self.rejected: dict[str, dict[str, int]] = {}
        self.label_counts = LabelCounts()
        self._indices: list[RecordIndex] = []
        self._usable: list[np.ndarray] = []
        self._is_wide: list[np.ndarray] = []
        self._broken: set[tuple[int, int]] = set()
        for name, source in config.train.items():
            try:
                index = RecordIndex(source.files, on_corrupt=config.on_corrupt)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"data.train.{name}.files: {error}") from error
            except RecordError as error:
                raise RecordError(f"data.train.{name}: {error} (data.on_corrupt=skip goes on without)") from error
            usable, rejected = usable_records(index, tokenizer, self.label_counts, name)
            if not len(usable):
                raise ValueError(
                    f"data.train.{name} has no usable word; rejected: {rejected}. Received: {source.files}"
                )
            if rejected:
                logging.warning("data.train.%s: %d words left out: %s", name, sum(rejected.values()), rejected)
            self._indices.append(index)
            self._usable.append(usable)
            if by_width:
                self._is_wide.append(wide_records(index, usable, name))
            self.rejected[name] = rejected
        unknown = self.label_counts.unknown
        if unknown:
            shown = ", ".join(f"{c!r} in {count} words" for c, count in unknown.most_common(20))
            more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
            hint = tokenizer.charset.hint(unknown)
            logging.warning("outside the charset: %s%s%s", shown, more, f"; {hint}" if hint else "")
        sources = list(config.train.values())
        self.augmentation = np.asarray([source.augmentation for source in sources], np.float32)
        self._weights = [source.weight for source in sources]
        self._final_weights = [s.weight if s.final_weight is None else s.final_weight for s in sources]
        self._steps = steps

    @property
    def sizes(self) -> list[int]:
        """Usable words of each source."""
        return [len(usable) for usable in self._usable]

    @property
    def wide_share(self) -> float:
        """The share of steps whose words are wide."""
        sampler = self.make_sampler()
        return sampler.wide_share if isinstance(sampler, WidthSampler) else 0.0

    def make_sampler(self) -> Sampler | WidthSampler:
        """A sampler of its own for each reader: it remembers the last step."""
        mixture = self._weights, self._final_weights, self.batch_size, self._steps, self.seed
        return WidthSampler(self._is_wide, *mixture) if self._is_wide else Sampler(self.sizes, *mixture)

    def _read_word(self, source: int, position: int) -> WordExample:
        while (source, position) in self._broken:
            position = (position + 1) % len(self._usable[source])
        return self._indices[source].read_example(int(self._usable[source][position]), check=True)

    def read(
        self, sampler: Sampler | WidthSampler, step: int, part: slice = slice(None)
    ) -> tuple[list[WordExample], np.ndarray]:
        """Part of the batch of a step: words, and the numbers of their sources, int64 (words,)."""
        sources, positions = sampler.batch(step)
        sources, positions = sources[part], positions[part]
        return [self._read_word(int(s), int(p)) for s, p in zip(sources, positions, strict=True)], sources

    def source_ids(self, step: int) -> list[str]:
        """SOURCE:ID of each word of a step's batch; replays the sampler."""
        words, sources = self.read(self.make_sampler(), step)
        return [f"{self.names[s]}:{word.source_id}" for s, word in zip(sources, words, strict=True)]

    def find_broken(self, first_step: int) -> list[BrokenWord]:
        """Reads and decodes the words of the next steps one by one, and says which of them fail."""
        tf = require("tensorflow", "Training", "train")
        sampler = self.make_sampler()
        broken: dict[tuple[int, int], BrokenWord] = {}
        for step in range(first_step, min(first_step + LOOK_AHEAD, self._steps)):
            for source, position in zip(*sampler.batch(step), strict=True):
                key = int(source), int(position)
                if key in self._broken or key in broken:
                    continue
                index, record = self._indices[source], int(self._usable[source][position])
                file, offset, _ = index.locate(record)
                place = f"data.train.{self.names[source]}, {file}, offset {offset}"
                try:
                    example = self._read_word(*key)
                    place += f", source id {example.source_id}"
                    self.tokenizer.encode(example.text)
                    twin.decode_tensor(tf.constant(_as_read(example)))
                except (ValueError, OSError, tf.errors.OpError) as error:
                    reason = " ".join(str(error).split())[:200]
                    broken[key] = BrokenWord(*key, place, reason)
        return list(broken.values())

    def skip(self, broken: list[BrokenWord]) -> None:
        """From now on the word after a broken one is read in its place.

        Raises:
            ValueError: nothing of a source is left.
        """
        self._broken |= {(word.source, word.position) for word in broken}
        for number, name in enumerate(self.names):
            if sum(source == number for source, _ in self._broken) == self.sizes[number]:
                raise ValueError(f"data.train.{name}: every word is broken. Received: {broken[0]}")

    def dataset(
        self,
        preprocessing: Preprocessing,
        first_step: int,
        steps: int,
        worker: int = 0,
        num_workers: int = 1,
        replicas: int = 1,
    ) -> Any:
        """tf.data of dicts image (b, h, w, 1) and tokens (b, max_length + 2) int32, with b = batch / all replicas.

        The images of a batch are of one size: the `image_size` of `preprocessing`, or its `wide_image_size` where it
        has one, the words were sorted by width, and those of the step are wide.

        Every number is a function of the seed and the word's place in the run, however the batch is split. A worker's
        replicas get their parts of a step's batch one after the other.

        Raises:
            ValueError: the batch does not divide evenly among the replicas.
        """
        tf = require("tensorflow", "Training", "train")
        ops = require("keras", "Training", "train").ops
        if self.batch_size % (num_workers * replicas):
            raise ValueError(
                f"training.batch_size must divide evenly among {num_workers * replicas} replicas. "
                f"Received: batch_size={self.batch_size}"
            )
        share = self.batch_size // num_workers
        part = slice(worker * share, (worker + 1) * share)
        seed = self.seed & 0x7FFFFFFF
        sampler = self.make_sampler()
        augmented = bool(self.augmentation.max() > 0)

        sizes = [preprocessing.image_size]
        if preprocessing.wide_image_size is not None and self._is_wide:
            sizes.append(preprocessing.wide_image_size)

        def read(step: np.int64) -> tuple[Any, ...]:
            words, sources = self.read(sampler, int(step), part)
            rows = np.stack([self.tokenizer.encode(word.text) for word in words])
            encoded = np.asarray([_as_read(word) for word in words], object)
            is_wide = np.full(share, sampler.is_wide(int(step)) and len(sizes) > 1)
            return encoded, rows, self.augmentation[sources], is_wide

        def load(step: Tensor) -> dict[str, Tensor]:
            kinds = tf.string, tf.int32, tf.float32, tf.bool
            encoded, rows, strengths, is_wide = tf.numpy_function(read, [step], kinds)
            return {
                "encoded": tf.ensure_shape(encoded, (share,)),
                "tokens": tf.ensure_shape(rows, (share, self.tokenizer.max_length + 2)),
                "strength": tf.ensure_shape(strengths, (share,)),
                "is_wide": tf.ensure_shape(is_wide, (share,)),
                "number": step * self.batch_size + part.start + tf.range(share, dtype=tf.int64),
            }

        def of_size(is_wide: Tensor, make: Callable[[tuple[int, int]], Tensor]) -> Tensor:
            if len(sizes) == 1:
                return make(sizes[0])
            return tf.cond(is_wide, lambda: make(sizes[1]), lambda: make(sizes[0]))

        def resize(word: dict[str, Tensor]) -> dict[str, Tensor]:
            encoded, number = word["encoded"], tf.cast(word["number"] % 2**31, tf.int32)

            def plain(size: tuple[int, int]) -> tuple[Tensor, ...]:
                pixels = twin.decode_tensor(encoded)
                # All of it: what stands in wide ground is learnt, too.
                view = tf.ensure_shape(twin.scaled(twin.view_of(pixels, twin.whole(pixels), size)), (*size, 1))
                return view, tf.zeros(NUM_LIGHT_DRAWS), tf.zeros((*size, 1))

            def warped(size: tuple[int, int]) -> tuple[Tensor, ...]:
                values = twin.values_of(twin.decode_tensor(encoded)[None])[0, ..., None]
                draws = tf.random.stateless_normal((NUM_SHAPE_DRAWS,), tf.stack([seed, number]))
                image = twin.scaled(warp_tensor(values, size, word["strength"], draws))
                # A word at a time, so that no split of a batch changes them.
                key = tf.stack([seed ^ 0x5F17, number])
                uniform = tf.random.stateless_uniform((NUM_LIGHT_DRAWS,), key)
                return image, uniform, tf.random.stateless_normal((*size, 1), key + 1)

            def make(size: tuple[int, int]) -> Tensor:
                return tf.cond(word["strength"] > 0.0, lambda: warped(size), lambda: plain(size))

            image, uniform, noise = of_size(word["is_wide"], make)
            result = {"image": image, "tokens": word["tokens"]}
            return {**result, "strength": word["strength"], "uniform": uniform, "noise": noise} if augmented else result

        def finish(batch: dict[str, Tensor]) -> dict[str, Tensor]:
            def make(size: tuple[int, int]) -> Tensor:
                image, noise = (tf.ensure_shape(batch[key], (None, *size, 1)) for key in ("image", "noise"))
                return relight(ops, image, batch["strength"], batch["uniform"], noise)

            image = of_size(tf.shape(batch["image"])[2] > sizes[0][1], make)
            untouched = batch["strength"][:, None, None, None] <= 0.0
            return {"image": tf.where(untouched, batch["image"], image), "tokens": batch["tokens"]}

        # Nothing here is Python control flow for AutoGraph to convert.
        load, resize, finish = map(tf.autograph.experimental.do_not_convert, (load, resize, finish))
        # The sampler counts on, so the steps are read in turn, by one call at a time; decoding runs in parallel.
        words = tf.data.Dataset.range(first_step, steps).map(load, num_parallel_calls=1).prefetch(4).unbatch()
        words = words.map(resize, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        batches = words.batch(share // replicas, drop_remainder=True)
        if augmented:
            batches = batches.map(finish, num_parallel_calls=2, deterministic=True)
        return batches.prefetch(4)
