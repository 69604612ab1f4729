"""The proof behind an import: the written file, read again, against the published network in plain numpy."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spin_tf.charset import Tokenizer
from spin_tf.data.preprocessing import preprocess
from spin_tf.importers.reference import ReferenceNetwork
from spin_tf.models import load_model

# The transformation is steep where an image is nearly flat: one rounding of the input moves it by 2e-4.
IMAGE_TOLERANCE = 2e-3
PROBABILITY_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Verification:
    """How far a model is from the published network.

    Args:
        image: largest difference of the transformed images, which lie in [-1, 1].
        probabilities: largest difference of the probabilities of any character at any step.
        same_ids: every greedy token id is the same.
        words: what both read on the drawn words.
    """

    image: float
    probabilities: float
    same_ids: bool
    words: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.image < IMAGE_TOLERANCE and self.probabilities < PROBABILITY_TOLERANCE and self.same_ids


def drawn_words(words: tuple[str, ...] = ("spin", "2021")) -> np.ndarray:
    """Words drawn with Pillow's own font, as a reader would take them from a file: (n, 32, 100, 1) in [-1, 1]."""
    images = []
    for i, word in enumerate(words):
        font = ImageFont.load_default(size=40)
        left, top, right, bottom = font.getbbox(word)
        image = Image.new("L", (int(right - left) + 24, int(bottom - top) + 24), 60 + 40 * i)
        ImageDraw.Draw(image).text((12 - left, 12 - top), word, fill=230, font=font)
        images.append(preprocess(np.asarray(image)))
    return np.stack(images)


def verify(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> Verification:
    """Loads an imported model from its file and compares it with the state dict that it was made of.

    Args:
        path: the `.keras` file.
        arrays: the state dict.
    """
    model, network, images = load_model(path), ReferenceNetwork(arrays), drawn_words()
    theirs = network.transform(images.transpose(0, 3, 1, 2))
    logits = network.decode(network.encode(network.backbone(theirs)))
    expected = np.exp(logits - logits.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    transformed = np.asarray(model.rectify(images)["image"])
    probabilities = np.asarray(model(images)["probabilities"])
    tokenizer = Tokenizer(model.charset, model.config["max_length"])
    return Verification(
        image=float(np.abs(transformed - theirs.transpose(0, 2, 3, 1)).max()),
        probabilities=float(np.abs(probabilities - expected).max()),
        same_ids=bool((probabilities.argmax(-1) == expected.argmax(-1)).all()),
        words=tuple(tokenizer.decode(ids) for ids in expected.argmax(-1)),
    )
