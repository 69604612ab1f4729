from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spin_tf.charset import Tokenizer
from spin_tf.models import SPINRecognizer
from spin_tf.training.initialize import transfer_weights
from tests.training import tiny


def make(charset: str, **model: Any) -> SPINRecognizer:
    return SPINRecognizer({**tiny.VALUES["model"], "charset": charset, **model})


def rows(model: SPINRecognizer) -> dict[str, np.ndarray]:
    """What the decoder knows of each character."""
    kernel, generator, bias = (
        np.asarray(getattr(model.decoder, name)) for name in ("token_kernel", "generator", "generator_bias")
    )
    first = Tokenizer.FIRST_CHARACTER_ID
    names = ["start", "end", *model.charset.characters]
    assert first == 2
    return {name: np.concatenate([kernel[i], generator[:, i], bias[i : i + 1]]) for i, name in enumerate(names)}


@pytest.mark.parametrize(("old", "new"), [("36", "94"), ("94", "36")])
def test_characters_keep_their_rows(old: str, new: str) -> None:
    source, target = make(old), make(new)
    before = rows(target)
    assert transfer_weights(source, target) == []
    for name in ("backbone", "encoder", "transformation"):
        for ours, theirs in zip(getattr(target, name).variables, getattr(source, name).variables, strict=True):
            np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    known, now = rows(source), rows(target)
    for name in ("start", "end", "a", "7"):
        np.testing.assert_array_equal(now[name], known[name])
    if new == "94":
        # Upper case starts from lower case; punctuation is new.
        np.testing.assert_array_equal(now["A"], known["a"])
        np.testing.assert_array_equal(now["!"], before["!"])


def test_what_does_not_fit_starts_afresh_and_is_named() -> None:
    fresh = transfer_weights(make("36"), make("36", encoder={"units": 8, "features": [16]}))
    assert fresh and all(path.startswith("encoder/") for path in fresh)


def test_a_deeper_backbone_begins_as_the_shallower_one() -> None:
    source = make("36")
    width, blocks = source.config["backbone"]["width"], source.config["backbone"]["num_blocks"]
    target = make("36", backbone={"width": width, "num_blocks": [n + 1 for n in blocks]})
    fresh = transfer_weights(source, target)
    assert len({path.split("/")[1] for path in fresh}) == 4
    images = np.random.default_rng(0).uniform(-1, 1, (2, *source.image_size, 1)).astype("float32")
    for ours, theirs in zip(target.predict_words(images), source.predict_words(images), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_accented_letters_start_as_their_letters_and_far_less_likely() -> None:
    source, target = make("36"), make("chars:aéÉ€")
    before = rows(target)
    transfer_weights(source, target)
    known, now = rows(source), rows(target)
    for accented in "éÉ":
        np.testing.assert_array_equal(now[accented][:-1], known["e"][:-1])
        assert now[accented][-1] == pytest.approx(known["e"][-1] - 4.0)
    np.testing.assert_array_equal(now["a"], known["a"])
    np.testing.assert_array_equal(now["€"], before["€"])
