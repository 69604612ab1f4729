from __future__ import annotations

import hashlib
import json
import math
import os
from typing import Any

from absl import logging

from spin_tf._files import write_text


class BestRecord:
    """best.json: what best.keras reads, of which words, and of which file that is said.

    Args:
        model_dir: where both lie.
    """

    def __init__(self, model_dir: str) -> None:
        self.model_path = os.path.join(model_dir, "best.keras")
        self._path = os.path.join(model_dir, "best.json")

    @property
    def _values(self) -> dict[str, Any]:
        try:
            with open(self._path, encoding="utf-8") as stream:
                values = json.load(stream)
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    @property
    def origin(self) -> dict[str, Any]:
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

    def write(self, values: dict[str, Any], words: str | None) -> None:
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
