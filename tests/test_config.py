"""Configuration files: every mistake is one line that names the key, the value and what is allowed."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from spin_tf import config as config_module
from spin_tf.config import Config

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TEXT = """
model:
  backbone: {width: 32}
data:
  train:
    a: {files: [a-*.tfrecord], weight: 0.5}
    b: {files: [b-*.tfrecord], weight: 0.5, final_weight: 0.1}
  validation:
    c: [c.tfrecord]
    d: [d.tfrecord]
training:
  optimizer: {learning_rate: 1e-3, boundaries: [0.5]}
"""


@pytest.fixture
def file(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return str(path)


@pytest.mark.parametrize("path", sorted((REPOSITORY / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_loads_and_survives_a_round_trip(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = config_module.load(str(path))
    config_module.save(config, str(tmp_path / "resolved.yaml"))
    assert config_module.load(str(tmp_path / "resolved.yaml")) == config


def test_numbers_and_derived_values(file: str) -> None:
    config = config_module.load(file)
    assert config.training.optimizer.learning_rate == 1e-3
    assert (config.model.encoder.units, config.model.encoder.features, config.model.decoder.units) == (16, [16, 32], 16)


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("training.stpes=3", ["training.stpes", "allowed here", "steps", "=3"]),
        ("data.train.a.wieght=3", ["data.train.a.wieght", "weight"]),
        ("nonsense.deep=1", ["nonsense", "model, data, training"]),
        ("training.steps=many", ["training.steps", "Integer", "many"]),
        ("training.steps=0", ["training.steps", "positive", "0"]),
        ("training.steps.x=1", ["training.steps", "Integer", "x"]),
        ("training.dtype=mixed_float16", ["training.dtype", "float32, mixed_bfloat16", "mixed_float16"]),
        ("training.label_smoothing=1.5", ["training.label_smoothing", "[0, 1)", "1.5"]),
        ("training.optimizer.learning_rate=.nan", ["training.optimizer.learning_rate", "positive", "nan"]),
        (
            "training.optimizer.schedule=linear",
            ["training.optimizer.schedule", "cosine, piecewise, constant", "linear"],
        ),
        ("training.optimizer.decay_from=10", ["decay_from", "schedule constant", "10 with schedule=cosine"]),
        ("training.optimizer.boundaries=[0.5,2.0]", ["training.optimizer.boundaries", "[0, 1)", "2.0"]),
        ("training.freeze=[head]", ["training.freeze[0]", "backbone", "head"]),
        ("training.freeze=[transformation,backbone,encoder,decoder]", ["training.freeze", "leave a stage"]),
        ("model.charset=greek", ["model.charset", "36", "greek"]),
        ("model.backbone.width=100", ["model.backbone.width", "multiple of 16", "100"]),
        ("model.transformation=ga_spin", ["TransformationConfig", "ga_spin"]),
        ("model.transformation.preset=paddle", ["model.transformation.preset", "paddle_parity", "'paddle'"]),
        ("data.on_corrupt=ignore", ["data.on_corrupt", "raise, skip", "ignore"]),
        ("data.train.a.weight=-1", ["data.train.a.weight", "-1"]),
        ("data.train.a.files=[]", ["data.train.a.files", "[]"]),
        ("training.batch_size=[1", ["training.batch_size", "no YAML"]),
        ("training.batch_size", ["key=value", "training.batch_size"]),
    ],
)
def test_mistakes_name_key_value_and_what_is_allowed(file: str, override: str, parts: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        config_module.load(file, [override])
    for part in parts:
        assert part in str(caught.value)


def test_sources_may_not_all_have_weight_zero_at_the_end(file: str) -> None:
    with pytest.raises(ValueError, match=r"data\.train\.\*\.final_weight"):
        config_module.load(file, ["data.train.a.final_weight=0", "data.train.b.final_weight=0"])


def test_an_override_replaces(file: str) -> None:
    assert config_module.load(file, ["data.validation={}"]).data.validation == {}
    assert list(config_module.load(file, ["data.train.b=null"]).data.train) == ["a"]
    assert config_module.load(file, ["data.train.b.final_weight=null"]).data.train["b"].final_weight is None
    assert config_module.load(file, ["training.optimizer.boundaries=[0.1,0.2]"]).training.optimizer.boundaries == [
        0.1,
        0.2,
    ]
    added = config_module.load(file, ["data.train.e.files=[x=y.tfrecord]", "model.charset=36"])
    assert added.data.train["e"].files == ["x=y.tfrecord"]
    assert added.model.charset == "36"


@pytest.mark.parametrize("text", ["a: [1", "- a\n- b\n", ""])
def test_files_that_are_no_configuration(tmp_path: pathlib.Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    if not text:
        assert config_module.load(str(path)) == config_module.validate(Config())
        return
    with pytest.raises(ValueError, match=r"config\.yaml"):
        config_module.load(str(path))


def test_missing_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such configuration"):
        config_module.load(str(tmp_path / "config.yaml"))


def test_validation_leaves_its_argument_alone() -> None:
    config = Config()
    before = dataclasses.asdict(config)
    config_module.validate(config)
    assert dataclasses.asdict(config) == before


@pytest.mark.parametrize(
    "text",
    [
        *("abc ", " abc", "ab c", "a#b", "a #b", "a: b", "'ab", '"ab', "a'b\"", "[ab", "{a}", "a,b", "&a", "*a", "!a"),
        *(
            "a|b",
            "a>b",
            "%a",
            "@a",
            "a\\b",
            "a\\nb",
            "~",
            "${a}",
            "a${",
            "a\tb",
            "\u00a0a",
            "\u2028a",
            "\U0001f600 ",
            "-",
        ),
    ],
)
def test_a_text_is_taken_as_it_stands(file: str, text: str, tmp_path: pathlib.Path) -> None:
    """Whatever YAML makes of it: a charset loses no character, a path no part."""
    overrides = [f"model.charset=chars:{text}", f"training.init_from={text}", f"model.name={text}"]
    config = config_module.load(file, overrides)
    assert (config.model.charset, config.training.init_from, config.model.name) == (f"chars:{text}", text, text)
    # It comes back from the file that the run writes, too.
    config_module.save(config, str(tmp_path / "saved.yaml"))
    assert config_module.load(str(tmp_path / "saved.yaml")) == config


@pytest.mark.parametrize("text", ["1e-3", "007", "true", "2026-11-29", "12:30", "0x10", ".5", "1_000"])
def test_a_text_that_looks_like_something_else(file: str, text: str) -> None:
    config = config_module.load(file, [f"model.name={text}", f"training.init_from={text}"])
    assert (config.model.name, config.training.init_from) == (text, text)


def test_null_and_nothing(file: str) -> None:
    assert config_module.load(file, ["model.name=null", "training.init_from=null"]).model.name == "spin"
    with pytest.raises(ValueError, match=r"training\.init_from is empty; training\.init_from=null takes the default"):
        config_module.load(file, ["training.init_from="])
