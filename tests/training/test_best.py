"""Which weights of a run are kept as its best."""

from __future__ import annotations

import json
import pathlib

import keras
import numpy as np
import pytest

from spin_tf.charset import Charset, Tokenizer
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.training.averages import make_averages
from spin_tf.training.best import BestModel
from tests.training import tiny


class Validated:
    """Stands for validation words of which a number, told beforehand, is read right each time."""

    def __init__(self, *correct: int) -> None:
        self._correct = list(correct)

    def sample(self, count: int) -> np.ndarray:
        return np.zeros((1, 32, 32, 1), "float32")

    def score(self, read: object) -> dict[str, Score]:
        score = Score()
        correct = self._correct.pop(0)
        for i in range(10):
            score.add("word", "word" if i < correct else "other")
        return {"check": score, "all": score}


class Silent:
    """Takes what is logged."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def log(self, step: int, **values: float) -> None:
        self.names += values

    def images(self, step: int, pictures: object) -> None:
        pass

    def say(self, line: str) -> None:
        pass


@pytest.fixture(scope="module")
def model() -> SPINRecognizer:
    return SPINRecognizer(tiny.VALUES["model"])


def kept(folder: pathlib.Path, name: str) -> float:
    """A weight of best.keras."""
    variables = load_model(str(folder / "best.keras")).trainable_variables
    return float(np.ravel(next(np.asarray(v) for v in variables if v.path.endswith(name)))[0])


@pytest.mark.parametrize(
    ("correct", "last", "averaged"),
    [((5,), False, True), ((5, 6), True, False), ((5, 5), True, True), ((5, 4), True, True)],
)
def test_the_last_weights_are_also_tried_as_they_are(
    model: SPINRecognizer, tmp_path: pathlib.Path, correct: tuple[int, ...], last: bool, averaged: bool
) -> None:
    averages = make_averages(model.trainable_variables)
    bias = max(i for i, v in enumerate(model.trainable_variables) if v.path.endswith("bias"))
    path = "/".join(model.trainable_variables[bias].path.split("/")[1:])
    averages[bias].assign(np.full(averages[bias].shape, 3.0))
    model.trainable_variables[bias].assign(np.full(averages[bias].shape, 4.0))
    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    watcher = Silent()
    best = BestModel(str(tmp_path), model, averages, Validated(*correct), tokenizer)  # type: ignore[arg-type]

    score = best.validate(7, watcher, Silent(), last=last)  # type: ignore[arg-type]

    assert score.correct == max(correct) and best.accuracy == max(correct) / 10
    record = json.loads((tmp_path / "best.json").read_text())
    assert (record["step"], record["averaged"], record["all_accuracy"]) == (7, averaged, max(correct) / 10)
    assert kept(tmp_path, path) == (3.0 if averaged else 4.0)
    assert ("unaveraged_all_accuracy" in watcher.names) == last


def test_without_words_the_latest_averages_are_kept(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    class Nothing(Validated):
        def score(self, read: object) -> dict[str, Score]:
            return {"all": Score()}

    averages = make_averages(model.trainable_variables)
    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    best = BestModel(str(tmp_path), model, averages, Nothing(), tokenizer)  # type: ignore[arg-type]
    for step in (3, 5):
        best.validate(step, Silent(), Silent(), last=step == 5)  # type: ignore[arg-type]
    assert json.loads((tmp_path / "best.json").read_text()) == {"step": 5, "averaged": True}


def test_a_better_one_stays(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    best = BestModel(str(tmp_path), model, [], Validated(5, 4, 5), tokenizer)  # type: ignore[arg-type]
    steps = []
    for step in (1, 2, 3):
        best.validate(step, Silent(), Silent(), last=True)  # type: ignore[arg-type]
        steps.append(json.loads((tmp_path / "best.json").read_text())["step"])
    assert steps == [1, 1, 3]
    assert not json.loads((tmp_path / "best.json").read_text())["averaged"]


def test_the_model_in_training_stays(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    before = [np.array(v) for v in model.variables]
    policy = keras.mixed_precision.dtype_policy().name
    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    averages = make_averages(model.trainable_variables)
    best = BestModel(str(tmp_path), model, averages, Validated(5, 6), tokenizer)  # type: ignore[arg-type]
    best.validate(1, Silent(), Silent(), last=True)  # type: ignore[arg-type]
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)
    assert keras.mixed_precision.dtype_policy().name == policy
