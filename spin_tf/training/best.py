from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from spin_tf.charset import Tokenizer
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer
from spin_tf.training import pictures
from spin_tf.training.checkpoints import write_atomically
from spin_tf.training.shipped import ShippedModel
from spin_tf.training.validation import Validator
from spin_tf.training.watching import Progress, Watcher


class BestModel:
    """Validates the weights that would be shipped, and keeps the best of them as best.keras.

    Args:
        model_dir: where best.keras and best.json go.
        model: the model in training.
        averages: of its trainable weights, or none.
        validator: the validation words.
        tokenizer: of the model.

    Attributes:
        accuracy: the best word accuracy so far; None before the first validation, or without words to validate on.
    """

    def __init__(
        self, model_dir: str, model: SPINRecognizer, averages: list[Any], validator: Validator, tokenizer: Tokenizer
    ) -> None:
        self.accuracy: float | None = None
        self._model_dir = model_dir
        self._model = model
        self._averages = averages
        self._validator = validator
        self._tokenizer = tokenizer
        self._shipped: ShippedModel | None = None

    def validate(self, step: int, watcher: Watcher, progress: Progress, batches: Iterable[Any] = ()) -> Score:
        """Scores the present weights and writes them where none were better; without words, the latest are the best.

        Args:
            step: steps done.
            watcher, progress: where the scores go.
            batches: see `ShippedModel.update`.

        Raises:
            OSError: best.keras cannot be written; an older one stays.
        """
        if self._shipped is None:
            self._shipped = ShippedModel(self._model, self._averages)
        self._shipped.update(batches)
        scores = self._validator.score(self._shipped.read)
        total = scores["all"]
        values: dict[str, float] = {}
        if total.words:
            values = {f"{name}_accuracy": score.word_accuracy for name, score in scores.items() if score.words}
            values["one_minus_ned"] = total.one_minus_ned
            watcher.log(step, **values)
            watcher.images(step, pictures.draw(self._shipped.model, self._validator.sample(8), self._tokenizer))
            progress.say(f"step {step}: " + ", ".join(f"{key} {value:.4f}" for key, value in values.items()))
        if not total.words or self.accuracy is None or total.word_accuracy >= self.accuracy:
            self.accuracy = total.word_accuracy if total.words else None
            record = json.dumps({"step": step, **values}, indent=1)
            write_atomically(os.path.join(self._model_dir, "best.keras"), self._shipped.save)
            write_atomically(os.path.join(self._model_dir, "best.json"), lambda path: _write_text(path, record))
        return total


def _write_text(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
