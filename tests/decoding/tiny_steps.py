"""An attention decoder of a few weights in numpy, and every word that it can read with its probability."""

from __future__ import annotations

import itertools
from typing import cast

import numpy as np

from spin_tf.decoding.stepping import Encoded, Stepped


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


class TinySteps:
    """What the search needs of a model; `images` seed the states.

    Args:
        num_characters: of the model.
        seed: of the weights.
        sharpness: of the answers: higher ones are surer.
    """

    units, features, time = 5, 4, 3

    def __init__(self, num_characters: int, seed: int = 0, sharpness: float = 3.0) -> None:
        rng = np.random.default_rng(seed)
        self.classes = num_characters + 2
        self._query = rng.normal(size=(self.units, self.units))
        self._score = rng.normal(size=self.units)
        self._kernel = rng.normal(size=(self.features + self.units, 4 * self.units))
        self._token = rng.normal(size=(self.classes, 4 * self.units)) * 2
        self._generator = rng.normal(size=(self.units, self.classes)) * sharpness
        self._generator[:, 0] = 0
        self._project = rng.normal(size=(self.features, self.units))
        self.rows = 0

    def encode(self, images: np.ndarray) -> Encoded:
        rng = np.random.default_rng(7)
        mix = rng.normal(size=(images[0].size, self.time * self.features)) / 10
        states = np.tanh(images.reshape(len(images), -1) @ mix).reshape(-1, self.time, self.features)
        centres = np.tile(np.linspace(0.1, 0.9, self.time), (len(images), 1))
        return {
            "states": states.astype(np.float32),
            "projected": (states @ self._project).astype(np.float32),
            "centres": centres.astype(np.float32),
        }

    def step(
        self, states: np.ndarray, projected: np.ndarray, previous: np.ndarray, output: np.ndarray, cell: np.ndarray
    ) -> Stepped:
        assert previous.dtype == np.int32 and output.dtype == cell.dtype == np.float32
        self.rows += len(previous)
        energy = np.tanh(projected + (output @ self._query)[:, None]) @ self._score
        attention = np.exp(energy - energy.max(1, keepdims=True))
        attention /= attention.sum(1, keepdims=True)
        context = (attention[..., None] * states).sum(1)
        i, f, g, o = np.split(np.concatenate([context, output], 1) @ self._kernel + self._token[previous], 4, axis=1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
        output = _sigmoid(o) * np.tanh(cell)
        logits = output @ self._generator
        logits[:, 0] = -20
        probabilities = np.exp(logits - logits.max(1, keepdims=True))
        probabilities /= probabilities.sum(1, keepdims=True)
        values = {"probabilities": probabilities, "attention": attention, "output": output, "cell": cell}
        return cast(Stepped, {name: value.astype(np.float32) for name, value in values.items()})


def log_probability(model: TinySteps, encoded: Encoded, word: int, tokens: tuple[int, ...]) -> float:
    """Of exactly these tokens of one word, one after the other; written without the search."""
    output = cell = np.zeros((1, model.units), np.float32)
    total, previous = 0.0, 0
    for token in tokens:
        result = model.step(
            encoded["states"][[word]], encoded["projected"][[word]], np.array([previous], np.int32), output, cell
        )
        total += float(np.log(result["probabilities"][0, token]))
        output, cell, previous = result["output"], result["cell"], token
    return total


def all_words(model: TinySteps, encoded: Encoded, word: int, characters: str, max_length: int) -> dict[str, float]:
    """The log probability of every word of up to `max_length` characters, and of those that are cut, by text."""
    result = {}
    for length in range(max_length + 2):
        for tokens in itertools.product(range(2, model.classes), repeat=length):
            text = "".join(characters[token - 2] for token in tokens)
            ended = tokens if length > max_length else (*tokens, 1)
            result[text] = log_probability(model, encoded, word, ended)
    return result


def images(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, 2, 3, 1)).astype(np.float32)
