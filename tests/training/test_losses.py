from __future__ import annotations

import numpy as np
import pytest

from spin_tf.training.losses import token_cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_against_numpy(smoothing: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 5, 7)).astype("float32") * 3
    targets = np.array([[2, 3, 1, 0, 0], [6, 1, 0, 0, 0], [2, 2, 2, 2, 1]], "int32")
    expected, count = 0.0, 0
    for row, ids in zip(logits.astype(float), targets, strict=True):
        for values, token in zip(row, ids, strict=True):
            if token == 0:
                continue
            logs = values - np.log(np.exp(values).sum())
            expected -= (1 - smoothing) * logs[token] + smoothing * logs.mean()
            count += 1
    loss, counted = token_cross_entropy(logits, targets, smoothing)
    assert float(counted) == count == 10
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_padding_alone_counts_nothing() -> None:
    loss, count = token_cross_entropy(np.ones((1, 2, 3), "float32"), np.zeros((1, 2), "int32"))
    assert float(loss) == 0 and float(count) == 0
