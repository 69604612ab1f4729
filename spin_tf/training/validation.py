from __future__ import annotations

from collections.abc import Callable

import numpy as np
from absl import logging

from spin_tf.charset import Tokenizer
from spin_tf.data.preprocessing import ImageError, decode_image, preprocess
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.metrics import Score


class Validator:
    """The validation words of a run, decoded once, and their score under the lower-case alphanumeric protocol.

    Words without a letter or digit are excluded by the protocol and counted as such; unreadable images count as wrong.

    Args:
        sets: paths or glob patterns of TFRecords by name.
        tokenizer: of the model.
        image_size: (height, width) of the model's input.
        on_corrupt: "raise" or "skip", see `RecordIndex`.

    Raises:
        FileNotFoundError: files that are not there; names the key.
        RecordError: (a ValueError) a broken file.
    """

    def __init__(
        self,
        sets: dict[str, list[str]],
        tokenizer: Tokenizer,
        image_size: tuple[int, int],
        on_corrupt: str = "raise",
    ) -> None:
        self._tokenizer = tokenizer
        self._sets: dict[str, tuple[list[str], np.ndarray, np.ndarray]] = {}
        for name, patterns in sets.items():
            try:
                index = RecordIndex(patterns, on_corrupt)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"data.validation.{name}: {error}") from error
            texts, images, readable = [], [], []
            for i in range(len(index)):
                example = index.read_example(i)
                texts.append(example.text)
                try:
                    images.append(preprocess(decode_image(example.encoded), image_size))
                    readable.append(True)
                except ImageError as error:
                    logging.warning("validation word %s cannot be read: %s", example.source_id, error)
                    images.append(np.zeros((*image_size, 1), "float32"))
                    readable.append(False)
            self._sets[name] = (texts, np.asarray(images, "float32"), np.asarray(readable))

    @property
    def sizes(self) -> dict[str, int]:
        """Words of each set."""
        return {name: len(texts) for name, (texts, _, _) in self._sets.items()}

    def sample(self, count: int) -> np.ndarray:
        """The same few images each time, from all sets in turn: float32 (at most `count`, height, width, 1)."""
        taken = [images[i] for i in range(count) for _, images, _ in self._sets.values() if i < len(images)]
        return np.asarray(taken[:count], "float32")

    def score(self, read: Callable[[np.ndarray], np.ndarray], batch_size: int = 128) -> dict[str, Score]:
        """Scores every set.

        Args:
            read: takes float32 (batch_size, height, width, 1), returns token ids (batch_size, steps).
            batch_size: images of a call; the last call is filled up with black ones.

        Returns:
            a score a set, and "all", their sum.
        """
        scores: dict[str, Score] = {}
        for name, (texts, images, readable) in self._sets.items():
            score = scores[name] = Score()
            for start in range(0, len(texts), batch_size):
                batch = images[start : start + batch_size]
                missing = batch_size - len(batch)
                tokens = read(np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0))))
                for text, row, good in zip(texts[start:], tokens[: len(batch)], readable[start:], strict=False):
                    score.add(text, self._tokenizer.decode(row) if good else None)
        scores["all"] = sum(scores.values(), Score())
        return scores
