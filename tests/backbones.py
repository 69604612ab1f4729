"""The backbones at their smallest, for tests that are to hold for each of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spin_tf.models import SPINRecognizer
from spin_tf.models.lcnet import LCNet

SMALL_BACKBONES: dict[str, dict[str, Any]] = {
    "resnet32": {"width": 16, "num_blocks": [1, 1, 1, 1]},
    # Two blocks in the first stage, so that one squeezes.
    "lcnet": {"name": "lcnet", "width": 16, "num_blocks": [2, 1, 1]},
}


def sharpen(model: SPINRecognizer) -> None:
    """Sharper answers than fresh weights give, so that reading the same means something."""
    rng = np.random.default_rng(6)
    for variable in model.variables:
        if "decoder/" in variable.path or "encoder/" in variable.path:
            variable.assign(rng.normal(0, 1.0, variable.shape))


def wake(model: SPINRecognizer) -> None:
    """Lets a fresh model tell one image from another, which the light backbone, without normalisation, hardly does.

    The encoder gets its features as a batch norm would pass them on: centred, and three times their spread.
    """
    if not isinstance(model.backbone, LCNet):
        return
    rng = np.random.default_rng(3)
    height, width = model.image_size
    noise = rng.uniform(-1, 1, (16, height, width, 1))
    blocks = rng.uniform(-1, 1, (16, height // 8, width // 4, 1)).repeat(8, axis=1).repeat(4, axis=2)
    features = np.asarray(model.backbone(np.concatenate([noise, blocks]).astype("float32")))
    mean, gain = features.mean(axis=(0, 1)), 3.0 / (features.std(axis=(0, 1)) + 1e-9)
    first = model.encoder.recurrent[0]
    for direction in ("forward", "backward"):
        kernel, bias = (getattr(first, f"{direction}_{name}") for name in ("kernel", "bias"))
        scaled = np.asarray(kernel) * gain[:, None]
        kernel.assign(scaled)
        bias.assign(np.asarray(bias) - mean @ scaled)
