"""A run that is small in every way, on words that this module draws itself."""

from __future__ import annotations

import io
import pathlib
import random
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from spin_tf import config as config_module
from spin_tf._locks import FileLock
from spin_tf.config import Config
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from spin_tf.training import folder

VALUES: dict[str, Any] = {
    "model": {
        "name": "tiny",
        "charset": "36",
        "image_size": [32, 32],
        "max_length": 8,
        "transformation": {"name": "ga_spin", "localization_width": 4},
        "backbone": {"width": 16, "num_blocks": [1, 1, 1, 1]},
        "encoder": {"units": 16, "features": [16]},
        "decoder": {"units": 16},
    },
    "training": {
        "steps": 6,
        "batch_size": 8,
        "validate_every": 100,
        "checkpoint_every": 2,
        "log_every": 1,
        "optimizer": {"learning_rate": 1e-3, "warmup_steps": 2, "weight_decay": 0.01, "ema": 0.9},
    },
}

# Half the operations, and half the time, where the transformation tells nothing.
PLAIN = "model.transformation.name=none"


class StillStep:
    """Stands for `TrainingStep` where what is around it is tested: no graph is made, and no weight changes."""

    def __init__(self, *_: Any) -> None:
        pass

    def __call__(self, images: Any, tokens: Any, stop: bool) -> tuple[float, float, float]:
        assert len(images) == len(tokens) == VALUES["training"]["batch_size"]
        return 1.0, 1.0, float(stop)


def draw(text: str) -> bytes:
    """A PNG of a word."""
    image = Image.new("L", (70, 24), 220)
    ImageDraw.Draw(image).text((3, 2), text, fill=20, font=ImageFont.load_default(14))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def write_words(prefix: pathlib.Path, count: int, seed: int = 0, num_shards: int = 2) -> str:
    """Writes `count` words and returns the pattern of the files."""
    rng = random.Random(seed)
    with ShardWriter(str(prefix), num_shards) as writer:
        for i in range(count):
            text = "".join(rng.choices("abcdefgh0123", k=rng.randint(1, 8)))
            writer.write(WordExample(draw(text), text, f"{prefix.name}/{i}", "png"))
    return f"{prefix}-*.tfrecord"


def config(folder: pathlib.Path, *overrides: str, augmentation: float = 0.5) -> Config:
    """The configuration of a tiny run on 40 words in `folder`, which are written on the first call."""
    return config_module.load(write_config(folder, augmentation), overrides)


def write_config(folder: pathlib.Path, augmentation: float = 0.5) -> str:
    """The same as a file."""
    if not (folder / "words-00000-of-00002.tfrecord").exists():
        write_words(folder / "words", 40)
        write_words(folder / "more", 24, seed=1)
        write_words(folder / "check", 12, seed=2)
    data = {
        "train": {
            "words": {"files": [f"{folder}/words-*.tfrecord"], "weight": 0.7, "augmentation": augmentation},
            "more": {
                "files": [f"{folder}/more-*.tfrecord"],
                "weight": 0.3,
                "final_weight": 0.6,
                "augmentation": 0.0,
            },
        },
        "validation": {"check": [f"{folder}/check-*.tfrecord"]},
    }
    path = folder / f"config-{augmentation}.yaml"
    # Written once: of two workers one may be reading it.
    if not path.exists():
        config_module.save(config_module.from_dict(Config, {**VALUES, "data": data}), str(path))
    return str(path)


def claimed(model_dir: str, config: Config) -> FileLock:
    """The lock of a folder in which a run starts."""
    lock = folder.claim(model_dir, config)
    folder.settle(model_dir, config)
    return lock
