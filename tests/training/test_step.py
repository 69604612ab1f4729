from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from spin_tf.config import OptimizerConfig
from spin_tf.training.optimizer import AdamWOrMuon
from spin_tf.training.step import TrainingStep


class Lookup(keras.Model):
    """Logits straight from a table: its gradient comes as slices."""

    def build(self, *_: Any) -> None:
        self.table = self.add_weight(shape=(5, 5), initializer="glorot_uniform", name="table")
        self.built = True

    def call(self, images: Any, previous: Any, training: bool = False) -> Any:
        return tf.gather(tf.convert_to_tensor(self.table), previous)


def test_a_token_that_occurs_twice_counts_in_norm_and_slots() -> None:
    model = Lookup()
    model.build()
    before = np.asarray(model.table)
    optimizer = AdamWOrMuon(OptimizerConfig(warmup_steps=0, clip_norm=1e9), 10)
    optimizer.build(model.trainable_variables)
    tokens = np.array([[2, 2, 2, 3], [2, 2, 2, 4]], "int32")
    step = TrainingStep(tf.distribute.get_strategy(), model, optimizer, [], 0.0, 0.0)
    norm = float(step(tf.zeros((2, 1)), tf.constant(tokens), False)[1])

    previous, targets = tokens[:, :-1], tokens[:, 1:]
    probabilities = np.exp(before) / np.exp(before).sum(1, keepdims=True)
    gradient = np.zeros_like(before)
    for row, target in zip(previous.ravel(), targets.ravel(), strict=True):
        gradient[row] += (probabilities[row] - np.eye(5)[target]) / targets.size
    np.testing.assert_allclose(norm, np.linalg.norm(gradient), rtol=1e-5)
    velocity = next(v for v in optimizer.variables if v.path.endswith("velocity"))
    np.testing.assert_allclose(np.asarray(velocity), 0.001 * gradient**2, rtol=1e-4, atol=1e-10)
