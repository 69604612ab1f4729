"""The best weights of a run: best.keras, and best.json, which says what it reads of which words."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from absl import logging

from spin_tf._files import write_atomically, write_text
from spin_tf._types import JsonObject, Variable
from spin_tf.charset import Tokenizer
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.training.averaging import ShippedModel, architecture
from spin_tf.training.run_state import Interrupted
from spin_tf.training.validation import Validator
from spin_tf.training.watching import Progress, Watcher, draw_words


class BestRecord:
    """best.json: what best.keras reads, of which words, and of which file that is said.

    Args:
        model_dir: where both lie.
    """

    def __init__(self, model_dir: str) -> None:
        self.model_path = os.path.join(model_dir, "best.keras")
        self._path = os.path.join(model_dir, "best.json")

    @property
    def _values(self) -> JsonObject:
        try:
            with open(self._path, encoding="utf-8") as stream:
                values = json.load(stream)
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    @property
    def origin(self) -> JsonObject:
        """Step and averaging of the model, where they are known of this very file."""
        values = self._values
        is_of_it = values.get("sha256") in (None, _digest(self.model_path))
        return {key: values[key] for key in ("step", "averaged") if is_of_it and key in values}

    @property
    def was_measured(self) -> bool:
        """Whether an accuracy was ever told of it."""
        return "all_accuracy" in self._values

    def accuracy(self, words: str) -> float | None:
        """The accuracy, where it is one of this file on these words, given by their digest."""
        values = self._values
        known = values.get("all_accuracy")
        if not isinstance(known, float) or not math.isfinite(known) or values.get("measured_on") != words:
            return None
        return known if values.get("sha256") == _digest(self.model_path) else None

    def write(self, values: JsonObject, words: str | None) -> None:
        """Writes what is told of best.keras as it lies there now.

        Args:
            values: step, averaging and accuracies.
            words: digest of the words that they were measured on, if any.

        Raises:
            OSError: it cannot be written.
        """
        if words is not None:
            values = {**values, "measured_on": words, "sha256": _digest(self.model_path)}
        write_text(self._path, json.dumps(values, indent=1))

    def keep_aside(self, reason: str) -> None:
        """Gives best.keras and best.json another name, under which no training touches them."""
        number = 1
        while os.path.exists(other := os.path.join(os.path.dirname(self.model_path), f"best-before-{number}.keras")):
            number += 1
        os.replace(self.model_path, other)
        if os.path.exists(self._path):
            os.replace(self._path, other.removesuffix(".keras") + ".json")
        logging.warning("%s is kept as %s: %s", self.model_path, other, " ".join(reason.split()))


def _digest(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class BestModel:
    """Validates the weights that would be shipped, and keeps the best of them as best.keras.

    Args:
        model_dir: where best.keras and best.json go.
        model: the model in training.
        averages: of its trainable weights, or none.
        validator: the validation words.
        tokenizer: of the model.
        should_stop: asked between batches; once it says so, validation is given up.

    Attributes:
        accuracy: the best word accuracy so far; None before the first validation, or without words to validate on.
    """

    def __init__(
        self,
        model_dir: str,
        model: SPINRecognizer,
        averages: list[Variable],
        validator: Validator,
        tokenizer: Tokenizer,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.accuracy: float | None = None
        self._model_dir = model_dir
        self._model = model
        self._averages = averages
        self._validator = validator
        self._tokenizer = tokenizer
        self._should_stop = should_stop
        self._words: str | None = None

    @functools.cached_property
    def _shipped(self) -> ShippedModel:
        return ShippedModel(self._model, self._averages)

    def validate(
        self, step: int, watcher: Watcher, progress: Progress, batches: Iterable[Any] = (), last: bool = False
    ) -> Score:
        """Scores the present weights and writes them where none were better; without words, the latest are the best.

        Args:
            step: steps done.
            watcher, progress: where the scores go.
            batches: see `ShippedModel.update`.
            last: nothing comes after; weights that are averaged until now are scored as they are, too. Where the rate
                has come down to nothing, averages only remember what it was before.

        Returns:
            the better score.

        Raises:
            OSError: best.keras cannot be written; an older one stays.
            Interrupted: the run was asked to stop meanwhile.
        """
        self._shipped.update(self._until_stopped(batches))
        score, values = self._score()
        if score.words:
            watcher.log(step, **values)
            watcher.images(step, draw_words(self._shipped.model, self._validator.sample(8), self._tokenizer))
            progress.say(f"step {step}: {_tell(values)}")
        if not score.words or self.accuracy is None or score.word_accuracy >= self.accuracy:
            self._keep(step, score, values, averaged=bool(self._averages))
        if not (last and self._averages and score.words):
            return score
        self._shipped.update(averaged=False)
        unaveraged, values = self._score()
        watcher.log(step, **{f"unaveraged_{name}": value for name, value in values.items()})
        progress.say(f"step {step}, not averaged: {_tell(values)}")
        # At a tie the averaged ones stay.
        if self.accuracy is None or unaveraged.word_accuracy > self.accuracy:
            self._keep(step, unaveraged, values, averaged=False)
        return max(score, unaveraged, key=lambda score: score.word_accuracy)

    def _score(self) -> tuple[Score, dict[str, float]]:
        """Of all words, and what is told of it: nothing without words."""
        scores = self._validator.score(self._read)
        return scores["all"], _values(scores)

    def _read(self, images: np.ndarray) -> np.ndarray:
        if self._should_stop():
            raise Interrupted
        return self._shipped.read(images)

    def _until_stopped(self, batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            if self._should_stop():
                raise Interrupted
            yield batch

    def _keep(self, step: int, score: Score, values: dict[str, float], averaged: bool) -> None:
        self.accuracy = score.word_accuracy if score.words else None
        write_atomically(os.path.join(self._model_dir, "best.keras"), self._shipped.model.save)
        self._record.write({"step": step, "averaged": averaged, **values}, self._words if score.words else None)

    @property
    def _record(self) -> BestRecord:
        return BestRecord(self._model_dir)

    def take_over(self, has_checkpoint: bool) -> None:
        """Before the first step: what a best.keras that is there reads of the words of today.

        One that was measured on other words, or on none, is measured anew. Where that is impossible (no words; another
        model; a broken file), the file is kept aside, unless it is the latest of this very run.

        Args:
            has_checkpoint: the run goes on.

        Raises:
            OSError: the folder cannot be written.
        """
        self.accuracy = None
        self._words = self._validator.digest
        record = self._record
        if not os.path.exists(record.model_path):
            return
        known = record.accuracy(self._words)
        if known is not None:
            self.accuracy = known
            return
        if not self._validator.counts:
            if not has_checkpoint or record.was_measured:
                record.keep_aside("there are no words to compare it by")
            return
        try:
            model = load_model(record.model_path)
        except (ValueError, OSError) as error:
            record.keep_aside(str(error))
            return
        if _reads(model) != _reads(self._model):
            record.keep_aside("it is another model")
            return

        def read(images: np.ndarray) -> np.ndarray:
            return model.predict_words(images, len(images))[0].argmax(-1)

        scores = self._validator.score(read)
        self.accuracy = scores["all"].word_accuracy
        logging.info("best.keras was not measured on these words: it reads %.4f of them", self.accuracy)
        record.write({**record.origin, **_values(scores)}, self._words)


def _reads(model: SPINRecognizer) -> tuple[Any, ...]:
    return architecture(model), model.charset.characters, model.charset.fold_case


def _values(scores: dict[str, Score]) -> dict[str, float]:
    """What is told of scores: nothing without words."""
    total = scores["all"]
    if not total.words:
        return {}
    values = {f"{name}_accuracy": score.word_accuracy for name, score in scores.items() if score.words}
    return {**values, "one_minus_ned": total.one_minus_ned}


def _tell(values: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.4f}" for key, value in values.items())
