from __future__ import annotations

import functools
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
        """
        self._shipped.update(batches)
        score, values = self._score()
        if score.words:
            watcher.log(step, **values)
            watcher.images(step, pictures.draw(self._shipped.model, self._validator.sample(8), self._tokenizer))
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
        scores = self._validator.score(self._shipped.read)
        total = scores["all"]
        if not total.words:
            return total, {}
        values = {f"{name}_accuracy": score.word_accuracy for name, score in scores.items() if score.words}
        return total, {**values, "one_minus_ned": total.one_minus_ned}

    def _keep(self, step: int, score: Score, values: dict[str, float], averaged: bool) -> None:
        self.accuracy = score.word_accuracy if score.words else None
        record = json.dumps({"step": step, "averaged": averaged, **values}, indent=1)
        write_atomically(os.path.join(self._model_dir, "best.keras"), self._shipped.save)
        write_atomically(os.path.join(self._model_dir, "best.json"), lambda path: _write_text(path, record))


def _tell(values: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.4f}" for key, value in values.items())


def _write_text(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
