"""Tiny models and their LiteRT files, which a file takes longest to make: each is made once for all workers."""

from __future__ import annotations

import fcntl
import functools
import pathlib
from typing import Any

import keras
import numpy as np
import pytest

from spin_tf.export import tflite
from spin_tf.models import SPINRecognizer
from tests.backbones import SMALL_BACKBONES, sharpen, wake

# A transformation that moves pixels, one that only changes them, and none.
VARIANTS = [("none", "resnet32"), ("spin", "resnet32"), ("ga_spin", "resnet32"), ("ga_spin", "lcnet")]


@functools.cache
def tiny_model(transformation: str, backbone: str) -> SPINRecognizer:
    """The same in every process. Whoever changes it takes a copy: `SPINRecognizer.from_config(model.get_config())`."""
    keras.utils.set_random_seed(4)
    config: dict[str, Any] = {
        "name": "tiny",
        "charset": "chars:abcDé",
        "max_length": 5,
        "image_size": [32, 40],
        "transformation": {"name": transformation, "localization_width": 2},
        "backbone": SMALL_BACKBONES[backbone],
        "encoder": {"units": 8, "features": [12]},
        "decoder": {"units": 16},
    }
    model = SPINRecognizer(config, temperature=1.3)
    sharpen(model)
    wake(model)
    model.decoder.generator_bias.assign([-9.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    return model


def tiny_images() -> np.ndarray:
    """21 images for it; blocks, not noise: to a model that was never trained all noise is the same."""
    blocks = np.random.default_rng(2).uniform(-1, 1, (21, 4, 5, 1)).astype("float32")
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


def tiny_file(factory: pytest.TempPathFactory, transformation: str, backbone: str) -> pathlib.Path:
    """The path of its float32 LiteRT file, not to be changed; exported, and compared with the model, by whoever asks
    first."""
    base = factory.getbasetemp()
    # The workers of pytest-xdist have folders of their own in one of the session.
    folder = (base.parent if base.name.startswith("popen-") else base) / "exports"
    folder.mkdir(exist_ok=True)
    path = folder / f"{transformation}-{backbone}.tflite"
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            parity = tflite.export(tiny_model(transformation, backbone), path, "none", tiny_images())
            assert parity.agreement == 1 and parity.words == 21 and parity.probability_difference < 2e-4
    return path
