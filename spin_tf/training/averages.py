from __future__ import annotations

from typing import Any

import keras
import numpy as np


def make_averages(variables: list[Any]) -> list[Any]:
    """Float32 variables for the moving averages of weights, which start from the present values; one each, in order."""
    return [
        keras.Variable(
            np.asarray(variable),
            trainable=False,
            dtype="float32",
            name=f"average_{i}",
            # Every replica computes the same.
            aggregation="only_first_replica",
        )
        for i, variable in enumerate(variables)
    ]
