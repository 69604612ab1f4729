"""What a trace says is what the model did, whatever kind of file it comes from."""

from __future__ import annotations

import pathlib
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from spin_tf import Recognizer
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.contract.turning import turned_views
from spin_tf.contract.word import Word
from spin_tf.explanation.trace import NUM_BEST, Trace, spread, tokens_of, trace
from spin_tf.models import SPINRecognizer
from spin_tf.reading.keras_model import KerasModel
from tests import strip_model as strips
from tests.exports import tiny_file, tiny_images, tiny_model
from tests.known_words import pictures_of


def draw(text: str, tall: bool = False) -> np.ndarray:
    pixels = pictures_of(text)[0]
    return np.rot90(pixels, -1).copy() if tall else pixels


def whole_word(recognizer: Recognizer) -> np.ndarray:
    """A picture in which a tiny model reads some characters and an end."""
    for image in tiny_images():
        pixels = ((image[..., 0] + 1) * 127.5).round().astype(np.uint8)
        word = recognizer.read(pixels)
        if len(word.text) > 1 and not word.truncated and not word.turned:
            return pixels
    raise AssertionError("every word of the tiny model is too long, or empty")


def explain(recognizer: Recognizer, image: np.ndarray) -> Trace:
    return trace(recognizer, image, recognizer.read(image), "drawn")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """A tiny file that steps and shows its stages."""
    return Recognizer(tiny_file(tmp_path_factory, "ga_spin", "resnet32"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """The model that it was exported from."""
    path = tmp_path_factory.mktemp("built") / "tiny.keras"
    tiny_model("ga_spin", "resnet32").save(path)
    return Recognizer(path)


@pytest.fixture(scope="module")
def reader(known_words: pathlib.Path) -> Recognizer:
    """What reads drawn words."""
    return Recognizer(known_words)


def assert_tells_of_the_word(shown: Trace) -> None:
    assert shown.follows_word
    assert "".join(step.character for step in shown.steps) == shown.word.text
    assert shown.steps[-1].character == "" and len(shown.steps) == len(shown.word.text) + 1
    assert np.prod([step.probability for step in shown.steps]) == pytest.approx(shown.word.confidence, abs=0.01)
    for step, character in zip(shown.steps, shown.word.characters, strict=False):
        assert step.probability == pytest.approx(character.confidence, abs=0.01)
        assert step.position == pytest.approx(character.x, abs=0.01)
        assert len(step.best) == NUM_BEST and step.best[0] == (step.character, step.probability)
        assert [share for _, share in step.best] == sorted((share for _, share in step.best), reverse=True)


@pytest.mark.parametrize("kind", ["built", "exported"])
def test_a_model_shows_its_stages_and_where_it_looks(kind: str, request: pytest.FixtureRequest) -> None:
    recognizer: Recognizer = request.getfixturevalue(kind)
    image = whole_word(recognizer)
    shown = explain(recognizer, image)
    assert_tells_of_the_word(shown)
    assert shown.size == (32, 40) and shown.crop.size == (40, 32) and shown.prepared.shape == recognizer.image_size
    stages = shown.stages
    assert stages is not None and stages.control_points is not None and stages.control_points.shape == (20, 2)
    np.testing.assert_allclose((stages.rectified + 1) * 127.5, recognizer.rectify(image), atol=0.51)
    assert stages.gate is not None and 0 < stages.gate < 1
    if kind == "built":
        # What an exported file does not tell.
        assert stages.offset is not None and stages.offset.shape == recognizer.image_size
        assert 0 <= stages.offset.min() < stages.offset.max() <= 1
    width = recognizer.image_size[1]
    across = (np.arange(width) + 0.5) / width
    for step in shown.steps:
        assert step.light is not None and step.light.shape == recognizer.image_size
        light = step.light.sum(axis=0)
        assert (light * across).sum() / light.sum() == pytest.approx(step.position, abs=0.08)


def test_a_trained_model_looks_from_left_to_right() -> None:
    """Where the light is brightest is where the character stands."""
    shown = explain(Recognizer("spin_small"), draw("House"))
    assert shown.word.text.lower() == "house"
    columns = [step.light.sum(axis=0).argmax() for step in shown.steps if step.light is not None]
    assert len(columns) == 6 and columns == sorted(columns)
    assert np.abs(np.array(columns) / 100 - [step.position for step in shown.steps]).max() < 0.2


def test_exported_model_that_cannot_step_shows_positions(strip_model: pathlib.Path) -> None:
    recognizer = Recognizer(strip_model)
    shown = trace(recognizer, strips.draw("a1z"), recognizer.read(strips.draw("a1z")), "strips", "label")
    assert_tells_of_the_word(shown)
    assert shown.truth == "label"
    assert [step.position for step in shown.steps] == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert all(step.light is None for step in shown.steps)


def test_steps_are_led_along_the_word_of_a_lexicon(known_words: pathlib.Path) -> None:
    recognizer = Recognizer(known_words, lexicon=["Mouse", "Horse"], min_probability=0.0, case="exact")
    word = recognizer.read(draw("House"))
    shown = trace(recognizer, draw("House"), word, "drawn")
    assert shown.follows_word and "".join(step.character for step in shown.steps) == word.text
    assert word.text in {"Mouse", "Horse"}
    assert np.prod([step.probability for step in shown.steps]) == pytest.approx(word.confidence, rel=0.05)
    best = "".join(step.best[0][0] for step in shown.steps)
    assert best != word.text


def test_refused_word_shows_what_the_model_read(known_words: pathlib.Path) -> None:
    recognizer = Recognizer(known_words, min_probability=0.999999)
    shown = explain(recognizer, draw("House"))
    assert shown.word.reason and not shown.word.text
    assert not shown.follows_word
    assert "".join(step.character for step in shown.steps).lower() == "house"


@pytest.mark.parametrize("turned", [False, True])
def test_turned_crops_are_shown_as_they_were_read(reader: Recognizer, turned: bool) -> None:
    image = draw("House", tall=turned)
    shown = explain(reader, image)
    assert shown.word.text.lower() == "house" and (shown.word.turned != 0) == turned
    views = turned_views(image, reader.preprocessing)
    np.testing.assert_array_equal(shown.prepared, views[shown.word.turned][0][..., 0])
    assert shown.size == image.shape[:2]


def test_large_crop_is_shown_small(reader: Recognizer) -> None:
    large = np.asarray(Image.fromarray(draw("House")).resize((3200, 880)))
    shown = explain(reader, large)
    assert shown.size == (880, 3200) and max(shown.crop.size) == 400


@pytest.mark.parametrize(
    ("name", "present"),
    [
        ("none", set()),
        ("tps", {"control_points"}),
        ("spn", {"chromatic"}),
        ("spin", {"offset", "gate", "chromatic"}),
        ("ga_spin", {"offset", "gate", "chromatic", "control_points"}),
    ],
)
def test_every_variant_shows_what_it_has(name: str, present: set[str], strip_model: pathlib.Path) -> None:
    keras.utils.set_random_seed(0)
    config: dict[str, Any] = {
        "charset": "chars:abcd",
        "max_length": 3,
        "transformation": {"name": name, "localization_width": 2},
        "backbone": {"width": 16, "num_blocks": [1, 1, 1, 1]},
        "encoder": {"units": 8, "features": [12]},
        "decoder": {"units": 16},
    }
    model = SPINRecognizer(config)
    recognizer = Recognizer(strip_model)
    recognizer.model, recognizer.metadata, recognizer.charset = KerasModel(model), model.metadata, model.charset
    recognizer.preprocessing = Preprocessing.of(model.metadata)
    stages = explain(recognizer, draw("cab")).stages
    assert stages is not None
    optional = ("offset", "gate", "chromatic", "control_points")
    assert {key for key in optional if getattr(stages, key) is not None} == present
    if name == "none":
        np.testing.assert_array_equal(stages.rectified, explain(recognizer, draw("cab")).prepared)


def identity(height: int = 8, width: int = 24) -> np.ndarray:
    x, y = (np.arange(width) + 0.5) / width * 2 - 1, (np.arange(height) + 0.5) / height * 2 - 1
    return np.stack(np.meshgrid(x, y), axis=-1)


def test_attention_follows_the_grid() -> None:
    attention = np.eye(7)[2]
    centres = np.linspace(0, 1, 7)
    upright = spread(attention, centres, (8, 24))
    straight = spread(attention, centres, (8, 24), identity())
    assert upright.shape == straight.shape == (8, 24)
    assert abs(int(upright[0].argmax()) - 8) <= 1 and abs(int(straight[4].argmax()) - 8) <= 1
    mirrored = spread(attention, 1 - centres, (8, 24), identity() * [-1, 1])
    np.testing.assert_allclose(mirrored, straight[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(spread(attention, 1 - centres, (8, 24)), upright[:, ::-1], atol=1e-6)
    # Half as far: every second pixel of the crop lies between two samples, and the rest of it is not looked at.
    half = spread(np.full(7, 1 / 7), centres, (8, 24), identity() * [0.5, 1] - [0.5, 0])
    assert half[:, :11].min() > 0.14 and half[:, 14:].max() == 0
    wide = spread(np.full(7, 1 / 7), centres, (8, 24), identity() * [2, 1])
    np.testing.assert_allclose(wide, 1 / 7, atol=1e-6)


def test_grid_beside_the_crop_gives_no_light() -> None:
    assert spread(np.full(7, 1 / 7), np.linspace(0, 1, 7), (8, 24), identity() + [5.0, -9.0]).max() == 0


def test_tokens_of_words() -> None:
    charset = strips.CHARSET
    assert tokens_of(charset, Word("0A", 1.0, ())) == [2, 12, 1]
    assert tokens_of(charset, Word("0", 1.0, (), truncated=True)) == [2]
    assert tokens_of(charset, Word("", 1.0, ())) == [1]
    assert tokens_of(charset, Word("é", 1.0, ())) is None
