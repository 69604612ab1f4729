"""From TFRecords to batches with tf.data."""

from __future__ import annotations

from typing import Any

import numpy as np
from absl import logging

from spin_tf._extras import require
from spin_tf.charset import LabelError, Tokenizer
from spin_tf.config import DataConfig
from spin_tf.data.augmentation import relight, warp_and_resize
from spin_tf.data.preprocessing import decode_tensor, preprocess_tensor
from spin_tf.data.sampler import Sampler
from spin_tf.data.tfrecord import RecordIndex


class TrainingWords:
    """The words of all training sources, and the batch of any step.

    Words whose label the tokenizer refuses are left out before training starts, counted by reason in `rejected`.

    Args:
        config: sources and their weights.
        tokenizer: of the model.
        batch_size: global, over all replicas.
        steps: of the run.
        seed: of order and augmentation.

    Raises:
        ValueError: no source, or a source without a single usable word.
    """

    def __init__(self, config: DataConfig, tokenizer: Tokenizer, batch_size: int, steps: int, seed: int) -> None:
        if not config.train:
            raise ValueError("data.train must name at least one source. Received: {}")
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.seed = seed
        self.names = list(config.train)
        self.rejected: dict[str, dict[str, int]] = {}
        self._indices: list[RecordIndex] = []
        self._usable: list[np.ndarray] = []
        for name, source in config.train.items():
            index = RecordIndex(source.files, on_corrupt=config.on_corrupt)
            usable, rejected = usable_records(index, tokenizer)
            if not len(usable):
                raise ValueError(
                    f"data.train.{name} has no usable word; rejected: {rejected}. Received: {source.files}"
                )
            if rejected:
                logging.warning("data.train.%s: %d words left out: %s", name, sum(rejected.values()), rejected)
            self._indices.append(index)
            self._usable.append(usable)
            self.rejected[name] = rejected
        sources = list(config.train.values())
        self._augmentation = np.asarray([source.augmentation for source in sources], np.float32)
        self._sampler = Sampler(
            self.sizes,
            [source.weight for source in sources],
            [source.weight if source.final_weight is None else source.final_weight for source in sources],
            batch_size,
            steps,
            seed,
        )

    @property
    def sizes(self) -> list[int]:
        """Usable words of each source."""
        return [len(usable) for usable in self._usable]

    def read(self, step: int, part: slice) -> tuple[list[bytes], np.ndarray, np.ndarray, list[bytes]]:
        """Part of the batch of a step: encoded images, token rows, strengths of augmentation, source ids."""
        sources, positions = self._sampler.batch(step)
        sources, positions = sources[part], positions[part]
        examples = [
            self._indices[source].read_example(int(self._usable[source][position]))
            for source, position in zip(sources, positions, strict=True)
        ]
        rows = np.stack([self.tokenizer.encode(example.text) for example in examples])
        ids = [f"{self.names[s]}:{example.source_id}".encode() for s, example in zip(sources, examples, strict=True)]
        return [example.encoded for example in examples], rows, self._augmentation[sources], ids

    def dataset(
        self,
        image_size: tuple[int, int],
        first_step: int,
        steps: int,
        worker: int = 0,
        num_workers: int = 1,
        replicas: int = 1,
    ) -> Any:
        """tf.data of dicts image (b, h, w, 1), tokens (b, max_length + 2) int32, ids (b,), b = batch / all replicas.

        A worker's replicas get their parts of a step's batch one after the other.

        Raises:
            ValueError: the batch does not divide evenly among the replicas.
        """
        tf = require("tensorflow", "Training", "train")
        if self.batch_size % (num_workers * replicas):
            raise ValueError(
                f"training.batch_size must divide evenly among {num_workers * replicas} replicas. "
                f"Received: batch_size={self.batch_size}"
            )
        share = self.batch_size // num_workers
        part = slice(worker * share, (worker + 1) * share)
        seed = self.seed & 0x7FFFFFFF

        def read(step: np.int64) -> tuple[Any, ...]:
            encoded, rows, strengths, ids = self.read(int(step), part)
            return np.asarray(encoded, object), rows, strengths, np.asarray(ids, object)

        def load(step: Any) -> dict[str, Any]:
            encoded, rows, strengths, ids = tf.numpy_function(
                read, [step], (tf.string, tf.int32, tf.float32, tf.string)
            )
            return {
                "encoded": tf.ensure_shape(encoded, (share,)),
                "tokens": tf.ensure_shape(rows, (share, self.tokenizer.max_length + 2)),
                "strength": tf.ensure_shape(strengths, (share,)),
                "ids": tf.ensure_shape(ids, (share,)),
                "number": step * self.batch_size + part.start + tf.range(share, dtype=tf.int64),
            }

        def resize(word: dict[str, Any]) -> dict[str, Any]:
            encoded = word.pop("encoded")

            def warped() -> Any:
                grey = tf.image.rgb_to_grayscale(tf.cast(decode_tensor(encoded), tf.float32))
                number_seed = tf.stack([seed, tf.cast(word["number"] % 2**31, tf.int32)])
                return (warp_and_resize(grey, image_size, word["strength"], number_seed) - 127.5) / 127.5

            image = tf.cond(word["strength"] > 0.0, warped, lambda: preprocess_tensor(encoded, image_size))
            return {**word, "image": image}

        def finish(batch: dict[str, Any]) -> dict[str, Any]:
            batch_seed = tf.stack([seed ^ 0x5F17, tf.cast(batch["number"][0] % 2**31, tf.int32)])
            image = relight(batch["image"], batch["strength"], batch_seed)
            untouched = batch["strength"][:, None, None, None] <= 0.0
            return {
                "image": tf.where(untouched, batch["image"], image),
                "tokens": batch["tokens"],
                "ids": batch["ids"],
            }

        # The sampler counts on, so the steps are read in turn, by one call at a time; decoding runs in parallel.
        words = tf.data.Dataset.range(first_step, steps).map(load, num_parallel_calls=1).prefetch(4).unbatch()
        words = words.map(resize, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        batches = words.batch(share // replicas, drop_remainder=True)
        return batches.map(finish, num_parallel_calls=2, deterministic=True).prefetch(4)


def usable_records(index: RecordIndex, tokenizer: Tokenizer) -> tuple[np.ndarray, dict[str, int]]:
    """Indices of the records whose label the tokenizer takes, and how many it refuses, by reason."""
    usable = []
    rejected: dict[str, int] = {}
    for i in range(len(index)):
        try:
            tokenizer.check(index.read_example(i).text)
            usable.append(i)
        except LabelError as error:
            rejected[error.reason] = rejected.get(error.reason, 0) + 1
    return np.asarray(usable, np.int64), rejected
