from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from spin_tf.layers.separable_block import gelu


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-7), ("float32", 1e-6), ("bfloat16", 0.02)])
def test_training_has_the_same_values_and_gradients(dtype: str, tolerance: float) -> None:
    x = tf.cast(tf.linspace(-6.0, 6.0, 241), dtype)
    results = []
    for training in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = gelu(x, training)
        gradient = tape.gradient(y, x)
        assert y.dtype == gradient.dtype == x.dtype
        results.append((y, gradient))
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(tf.cast(ours, "float64"), tf.cast(expected, "float64"), atol=tolerance)
