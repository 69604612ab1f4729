"""A `.keras` model behind the `Recognizer`; also whatever else `spin_tf.models.load_model` loads."""

from __future__ import annotations

from typing import cast

import keras
import numpy as np

from spin_tf._types import JsonObject, Tensor
from spin_tf.decoding.stepping import Encoded, Stepped, fill_rows
from spin_tf.models import SPINRecognizer


class _Start(keras.Model):
    """`start_words` as a model of its own: Keras compiles what `predict_on_batch` runs, on either backend."""

    def __init__(self, recognizer: SPINRecognizer) -> None:
        super().__init__(name="start")
        self.recognizer = recognizer

    def call(self, images: Tensor) -> dict[str, Tensor]:
        return self.recognizer.start_words(images)


class _Step(keras.Model):
    """A step of the decoder, in the same way."""

    def __init__(self, recognizer: SPINRecognizer) -> None:
        super().__init__(name="step")
        self.recognizer = recognizer

    def call(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return self.recognizer.decoder.step(**inputs)


class KerasModel:
    """A trained model that reads words: what `Recognizer` needs, with the arrays of numpy.

    `SPINRecognizer.encode` is a stage inside the graph; `encode` and `step` here are those of `SteppingModel`.

    Args:
        recognizer: the trained model.

    Attributes:
        recognizer: the same.
        can_step: True.
    """

    can_step = True

    def __init__(self, recognizer: SPINRecognizer) -> None:
        self.recognizer = recognizer
        # One for each width: Keras would make one graph of unknown width for all.
        self._starts: dict[int, _Start] = {}
        self._steps: dict[int, _Step] = {}

    @property
    def metadata(self) -> JsonObject:
        return self.recognizer.metadata

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads greedily; see `SPINRecognizer.predict_words`."""
        return self.recognizer.predict_words(images)

    can_rectify = True

    def rectify(self, images: np.ndarray) -> dict[str, Tensor]:
        """See `SPINRecognizer.rectify`."""
        return self.recognizer.rectify(images)

    def encode(self, images: np.ndarray) -> Encoded:
        """See `SteppingModel.encode`."""
        start = self._starts.setdefault(images.shape[2], _Start(self.recognizer))
        return cast(Encoded, _compiled_once_a_size(start, images, len(images)))

    def step(
        self,
        states: np.ndarray,
        projected: np.ndarray,
        previous: np.ndarray,
        output: np.ndarray,
        cell: np.ndarray,
    ) -> Stepped:
        """See `SteppingModel.step`."""
        inputs = {"states": states, "projected": projected, "previous": previous, "output": output, "cell": cell}
        step_ = self._steps.setdefault(states.shape[1], _Step(self.recognizer))
        return cast(Stepped, _compiled_once_a_size(step_, inputs, len(previous)))


def _compiled_once_a_size(model: keras.Model, inputs: Tensor, num_rows: int) -> dict[str, np.ndarray]:
    """Runs a model on a number of rows that is a power of two: every other number would be compiled anew."""
    size = 1 << (num_rows - 1).bit_length()
    outputs = model.predict_on_batch(keras.tree.map_structure(lambda value: fill_rows(value, size), inputs))
    return {key: np.asarray(value)[:num_rows] for key, value in outputs.items()}
