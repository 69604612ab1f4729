"""Models whose encoder and decoder step can be called one by one, so that decoding can be done outside of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict, runtime_checkable

import numpy as np

from spin_tf._types import JsonObject
from spin_tf.charset import Tokenizer


class Encoded(TypedDict):
    """What a model makes of n images before it decodes: states (n, T, features), projected (n, T, units), and centres
    (n, T), where across the crop each time step looks, 0..1."""

    states: np.ndarray
    projected: np.ndarray
    centres: np.ndarray


class Stepped(TypedDict):
    """One step of k rows: probabilities (k, classes), attention (k, T), output and cell (k, units)."""

    probabilities: np.ndarray
    attention: np.ndarray
    output: np.ndarray
    cell: np.ndarray


@runtime_checkable
class SteppingModel(Protocol):
    """What decoding needs of a model; LiteRT files with the signatures `encode` and `step`, `.keras` and ONNX files.

    All arrays are float32 but `previous`, which is int32; any number of images n and of rows k. A row is one reading in
    progress: a word starts with `START_ID` as the previous token and zeros as output and cell. `predict_words` is what
    greedy decoding gives: see `read_stepwise`.

    Attributes:
        metadata: dict of charset, image_size, max_length and more.
        can_step: whether `encode` and `step` work: LiteRT files written before spin_tf had them only read greedily.
    """

    @property
    def metadata(self) -> JsonObject: ...

    @property
    def can_step(self) -> bool: ...

    def encode(self, images: np.ndarray) -> Encoded:
        """What (n, height, width, 1) images in [-1, 1] become."""
        ...

    def step(
        self,
        states: np.ndarray,
        projected: np.ndarray,
        previous: np.ndarray,
        output: np.ndarray,
        cell: np.ndarray,
    ) -> Stepped:
        """One step of k rows.

        Args:
            states, projected: (k, T, features) and (k, T, units), each row that of its image.
            previous: int32 (k,), the tokens of the step before.
            output, cell: (k, units), of the step before.
        """
        ...


def require_stepping(model: object, name: str) -> SteppingModel:
    """The model itself, where it can step.

    Args:
        model: what `load_word_model` returns.
        name: of the model, for the message.

    Raises:
        ValueError: it can only read greedily.
    """
    if isinstance(model, SteppingModel) and model.can_step:
        return model
    raise ValueError(
        "Decoding options need a model whose decoder can be called step by step: a .keras or ONNX file, a model_dir, "
        f"or a .tflite file exported anew by bin/export_tflite.py. Received: model={name!r}"
    )


def fill_rows(values: np.ndarray, size: int) -> np.ndarray:
    """Repeats the last row up to `size` rows: a copy of a word ends when the word does, an empty image may never."""
    if len(values) == size:
        return values
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])


def walk_steps(
    model: SteppingModel, images: np.ndarray, num_steps: int, tokens: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leads a model along its own readings, or along given ones; shows how `encode` and `step` belong together.

    Args:
        model: any that can step.
        images: float32 (n, height, width, 1) in [-1, 1], n at least 1.
        num_steps: how far.
        tokens: (num_steps,), along which all words are led; without, each goes along its most probable ones.

    Returns:
        probabilities (n, num_steps, classes), attention (n, num_steps, T) and centres (n, T), float32.
    """
    encoded = model.encode(images)
    states, projected, centres = encoded["states"], encoded["projected"], encoded["centres"]
    previous = np.full(len(images), Tokenizer.START_ID, np.int32)
    output = cell = np.zeros((len(images), projected.shape[-1]), np.float32)
    probabilities, attention = [], []
    for i in range(num_steps):
        result = model.step(states=states, projected=projected, previous=previous, output=output, cell=cell)
        output, cell = result["output"], result["cell"]
        probabilities.append(result["probabilities"])
        attention.append(result["attention"])
        best = result["probabilities"].argmax(axis=-1)
        previous = (best if tokens is None else np.full(len(images), tokens[i])).astype(np.int32)
    return np.stack(probabilities, axis=1), np.stack(attention, axis=1), centres


def read_stepwise(
    model: SteppingModel, images: np.ndarray, max_length: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Reads greedily by `encode` and `step`: the same as `predict_words`, slower.

    Args:
        model, images: see `walk_steps`.
        max_length: of words; None is that of the model's metadata.

    Returns:
        probabilities (n, steps, classes) and positions (n, steps), float32.
    """
    num_steps = int(model.metadata["max_length"] if max_length is None else max_length) + 1
    probabilities, attention, centres = walk_steps(model, images, num_steps)
    return probabilities, np.clip((attention * centres[:, None]).sum(axis=-1), 0, 1)
