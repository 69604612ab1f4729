"""One case for every public layer: how it is made and what it is called with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from spin_tf import layers


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer, its inputs, and the shape of what it returns."""

    make: Callable[..., Any]
    inputs: Callable[[np.random.Generator], list[np.ndarray]]
    output_shape: tuple[int, ...]


def _images(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.uniform(-1, 1, shape).astype("float32")


CASES: dict[str, Case] = {
    "AttentionDecoder": Case(
        lambda **k: layers.AttentionDecoder(9, units=6, num_steps=5, **k),
        lambda rng: [_images(rng, 2, 7, 4), rng.integers(2, 9, (2, 5)).astype("int32")],
        (2, 5, 9),
    ),
    "BatchNorm": Case(lambda **k: layers.BatchNorm(**k), lambda rng: [_images(rng, 4, 5, 6, 3)], (4, 5, 6, 3)),
    "BidirectionalLSTM": Case(
        lambda **k: layers.BidirectionalLSTM(5, **k), lambda rng: [_images(rng, 2, 6, 3)], (2, 6, 10)
    ),
    "ConvNorm": Case(
        lambda **k: layers.ConvNorm(4, kernel_size=2, strides=(2, 1), padding=((0, 0), (1, 1)), **k),
        lambda rng: [_images(rng, 3, 4, 6, 2)],
        (3, 2, 7, 4),
    ),
    "GridSample": Case(
        lambda **k: layers.GridSample(align_corners=True, **k),
        lambda rng: [_images(rng, 2, 6, 9, 1), _images(rng, 2, 4, 5, 2)],
        (2, 4, 5, 1),
    ),
    "InnerOffset": Case(
        lambda **k: layers.InnerOffset((8, 12), filters=3, **k), lambda rng: [_images(rng, 2, 4, 6, 5)], (2, 8, 12, 1)
    ),
    "ResidualBlock": Case(
        lambda **k: layers.ResidualBlock(5, **k), lambda rng: [_images(rng, 3, 6, 7, 4)], (3, 6, 7, 5)
    ),
    "SeparableBlock": Case(
        lambda **k: layers.SeparableBlock(32, squeezes=True, **k),
        lambda rng: [_images(rng, 2, 5, 6, 32)],
        (2, 5, 6, 32),
    ),
    "StructurePreservingTransform": Case(
        lambda **k: layers.StructurePreservingTransform(3, **k),
        lambda rng: [
            _images(rng, 2, 6, 8, 1),
            _images(rng, 2, 7),
            _images(rng, 2, 1),
            rng.uniform(0, 1, (2, 6, 8, 1)).astype("float32"),
        ],
        (2, 6, 8, 1),
    ),
    "ThinPlateSpline": Case(
        lambda **k: layers.ThinPlateSpline((8, 10), 6, extra_rows=True, **k),
        lambda rng: [_images(rng, 2, 6, 2)],
        (2, 8, 10, 2),
    ),
}
