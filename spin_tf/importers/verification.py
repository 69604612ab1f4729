"""The proof behind an import: the written file, read again, against the published network in plain numpy."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import Config, ModelConfig, TrainingConfig, from_dict, save
from spin_tf.contract.preprocessing import Size, preprocess
from spin_tf.importers.checkpoint import model_from_state_dict
from spin_tf.importers.reference import ReferenceNetwork
from spin_tf.models import SPINRecognizer, load_model

# The transformation is steep where an image is nearly flat: one rounding of the input moves it by 2e-4.
IMAGE_TOLERANCE = 2e-3
FEATURE_TOLERANCE = 1e-3
PROBABILITY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Verification:
    """How far a model is from the published network, stage by stage.

    Args:
        image: largest difference of the transformed images, which lie in [-1, 1].
        features: largest difference of the backbone's features, in parts of the largest feature.
        states: the same for the encoder's states.
        probabilities: largest difference of the probabilities of any character at any step.
        same_ids: every greedy token id is the same.
        words: what both read on the drawn words.
    """

    image: float
    features: float
    states: float
    probabilities: float
    same_ids: bool
    words: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return (
            self.image < IMAGE_TOLERANCE
            and max(self.features, self.states) < FEATURE_TOLERANCE
            and self.probabilities < PROBABILITY_TOLERANCE
            and self.same_ids
        )

    def __str__(self) -> str:
        return (
            f"image within {self.image:.1e}, features {self.features:.1e}, states {self.states:.1e}, "
            f"probabilities {self.probabilities:.1e}, token ids {'equal' if self.same_ids else 'DIFFERENT'}"
        )


def drawn_words(image_size: Size) -> np.ndarray:
    """Two words in Pillow's own font, as a reader would take them from a file: (2, *image_size, 1) in [-1, 1]."""
    images = []
    for i, word in enumerate(("spin", "2021")):
        font = ImageFont.load_default(size=40)
        left, top, right, bottom = font.getbbox(word)
        image = Image.new("L", (int(right - left) + 24, int(bottom - top) + 24), 60 + 40 * i)
        ImageDraw.Draw(image).text((12 - left, 12 - top), word, fill=230, font=font)
        images.append(preprocess(np.asarray(image), image_size))
    return np.stack(images)


def verify(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> Verification:
    """Loads an imported model from its file and compares it with the state dict that it was made of.

    Args:
        path: the `.keras` file.
        arrays: the state dict.
    """
    model, network = load_model(path), ReferenceNetwork(arrays)
    images = drawn_words(model.image_size)
    # What reads words reads noise too; it moves units that clean words leave alone.
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, (1, *images.shape[1:]))
    images = np.concatenate([images, noise.astype(np.float32)])
    image = network.transform(images.transpose(0, 3, 1, 2))
    features = network.backbone(image)
    states = network.encode(features)
    logits = network.decode(states)
    expected = np.exp(logits - logits.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)

    # Each stage is given what the published one was given: an early difference would hide a later one.
    image, features = image.transpose(0, 2, 3, 1), features[:, :, 0].transpose(0, 2, 1)
    probabilities = np.asarray(model(images)["probabilities"])
    tokenizer = Tokenizer(model.charset, model.config["max_length"])
    return Verification(
        image=_difference(model.rectify(images)["image"], image),
        features=_difference(model.backbone(image), features) / float(np.abs(features).max() or 1),
        states=_difference(model.encoder(features), states) / float(np.abs(states).max() or 1),
        probabilities=_difference(probabilities, expected),
        same_ids=bool((probabilities.argmax(-1) == expected.argmax(-1)).all()),
        words=tuple(tokenizer.decode(ids) for ids in expected[:-1].argmax(-1)),
    )


def _difference(ours: Any, theirs: np.ndarray) -> float:
    return float(np.abs(np.asarray(ours) - theirs).max())


def import_model(
    arrays: dict[str, np.ndarray], output: str | os.PathLike[str], charset: Charset | None = None
) -> tuple[SPINRecognizer, Verification]:
    """Writes a state dict as a `.keras` file, which appears only after `verify` has passed.

    Beside it a `.yaml` of the same name shows the configuration; `bin/train.py` starts from it once it is given data.

    Args:
        arrays: the state dict.
        output: the file to write; one that is there already is replaced.
        charset: see `model_from_state_dict`.

    Raises:
        ValueError: the arrays do not fit, or the written file does not do what they do.
    """
    output = pathlib.Path(output)
    model = model_from_state_dict(arrays, charset)
    with written_when_proven(model, output) as unproven:
        result = verify(unproven, arrays)
        if not result.passed:
            raise ValueError(
                f"the imported model does not do what the checkpoint does; not written. Received: {result}"
            )
    training = TrainingConfig(init_from=os.path.abspath(output))
    save(Config(model=from_dict(ModelConfig, model.config), training=training), os.fspath(output.with_suffix(".yaml")))
    return model, result


@contextlib.contextmanager
def written_when_proven(model: SPINRecognizer, output: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives the path of a saved copy to look at; it becomes `output` unless the look raises."""
    unproven = output.with_name(f".{output.stem}.unproven.keras")
    try:
        model.save(unproven)
        yield unproven
        os.replace(unproven, output)
    finally:
        unproven.unlink(missing_ok=True)
