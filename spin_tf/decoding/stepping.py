"""What the search needs of a model: the states of an image once, then one step for many beginnings at a time."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class SteppingModel(Protocol):
    """A model whose decoder can be driven step by step; everything is float32 unless said."""

    def encode(self, images: np.ndarray) -> dict[str, np.ndarray]: ...

    def step(
        self,
        states: np.ndarray,
        projected: np.ndarray,
        previous: np.ndarray,
        output: np.ndarray,
        cell: np.ndarray,
    ) -> dict[str, np.ndarray]: ...
