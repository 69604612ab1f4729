from __future__ import annotations

import collections
import functools
import hashlib
import unicodedata
from collections.abc import Callable

import numpy as np
from absl import logging

from spin_tf.charset import Tokenizer
from spin_tf.config import DataConfig
from spin_tf.contract.errors import ImageError
from spin_tf.contract.preprocessing import Preprocessing, prepare, same_size
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.metrics import Score, normalize


class Validator:
    """The validation words of a run, decoded once, and their score.

    Words of which the protocol leaves nothing are excluded and counted as such; unreadable images count as wrong. What
    the protocol does not compare is told in `notes` and logged, as a warning where it is a whole set.

    Args:
        sets: paths or glob patterns of TFRecords by name.
        tokenizer: of the model.
        preprocessing: of the model.
        on_corrupt: "raise" or "skip", see `RecordIndex`.
        protocol: what counts as right, see `data.validation_protocol`.

    Attributes:
        notes: a line for each set of which the protocol leaves out words, or characters that the charset lacks.

    Raises:
        FileNotFoundError: files that are not there; names the key.
        RecordError: (a ValueError) a broken file.
    """

    def __init__(
        self,
        sets: dict[str, list[str]],
        tokenizer: Tokenizer,
        preprocessing: Preprocessing,
        on_corrupt: str = "raise",
        protocol: str = "charset",
    ) -> None:
        self._tokenizer = tokenizer
        self._protocol = protocol
        self.notes: list[str] = []
        self._sets: dict[str, tuple[list[str], list[np.ndarray], np.ndarray]] = {}
        for name, patterns in sets.items():
            try:
                index = RecordIndex(patterns, on_corrupt)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"data.validation.{name}: {error}") from error
            texts: list[str] = []
            images: list[np.ndarray] = []
            readable = []
            for i in range(len(index)):
                example = index.read_example(i)
                texts.append(example.text)
                try:
                    images.append(prepare(decode_image(example.encoded), preprocessing))
                    readable.append(True)
                except ImageError as error:
                    logging.warning("validation word %s cannot be read: %s", example.source_id, error)
                    images.append(np.zeros((*preprocessing.image_size, 1), "float32"))
                    readable.append(False)
            self._sets[name] = (texts, images, np.asarray(readable))
            self._tell(name, texts)

    def _tell(self, name: str, texts: list[str]) -> None:
        excluded = [text for text in texts if not self._compared(text)]
        if texts and len(excluded) == len(texts):
            note = f"no word of it counts under the protocol {self._protocol}, for example {texts[0]!r}"
        elif excluded:
            note = f"{len(excluded)} of {len(texts)} words do not count, for example {excluded[0]!r}"
        else:
            note = ""
        lost = collections.Counter(c for text in texts for c in self._not_compared(text))
        if lost:
            shown = ", ".join(f"{c!r} {count}" for c, count in lost.most_common(20))
            note += f"{'; ' if note else ''}not compared, since the charset lacks them: {shown}"
        if note:
            self.notes.append(f"data.validation.{name}: {note}")
            logging.log(logging.WARNING if len(excluded) == len(texts) else logging.INFO, "%s", self.notes[-1])

    def _compared(self, text: str) -> str:
        if self._protocol == "charset":
            return self._tokenizer.charset.writable(text)
        return normalize(text, self._protocol)

    def _not_compared(self, text: str) -> list[str]:
        """Under the protocol charset, the characters of a label that no reading can have."""
        if self._protocol != "charset":
            return []
        return [c for c in unicodedata.normalize("NFC", text) if not self._compared(c)]

    @classmethod
    def of(cls, data: DataConfig, tokenizer: Tokenizer, preprocessing: Preprocessing) -> Validator:
        """What a configuration's `data` says."""
        return cls(data.validation, tokenizer, preprocessing, data.on_corrupt, data.validation_protocol)

    @property
    def sizes(self) -> dict[str, int]:
        """Words of each set."""
        return {name: len(texts) for name, (texts, _, _) in self._sets.items()}

    @functools.cached_property
    def digest(self) -> str:
        """Tells whether an accuracy was measured on these words, under this protocol."""
        digest = hashlib.sha256(repr((self._protocol, self._tokenizer.charset.spec)).encode())
        for name, (texts, images, readable) in self._sets.items():
            shapes = [image.shape for image in images]
            digest.update(repr((name, texts, readable.tolist(), shapes)).encode(errors="surrogatepass"))
            for image in images:
                digest.update(np.ascontiguousarray(image).data)
        return digest.hexdigest()[:32]

    @property
    def counts(self) -> bool:
        """Whether any word counts."""
        return any(self._compared(text) for texts, _, _ in self._sets.values() for text in texts)

    def sample(self, count: int) -> np.ndarray:
        """The same few images each time, from all sets in turn: float32 (at most `count`, height, width, 1)."""
        taken = [images[i] for i in range(count) for _, images, _ in self._sets.values() if i < len(images)]
        for _, narrow in same_size(taken):
            return narrow[:count]
        return np.zeros((0, 32, 1, 1), "float32")

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
            for places, group in same_size(images):
                for start in range(0, len(group), batch_size):
                    batch = group[start : start + batch_size]
                    missing = batch_size - len(batch)
                    tokens = read(np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0))))
                    for place, row in zip(places[start:], tokens[: len(batch)], strict=False):
                        read_text = self._compared(self._tokenizer.decode(row)) if readable[place] else None
                        score.add(self._compared(texts[place]), read_text, "exact")
        scores["all"] = sum(scores.values(), Score())
        return scores
