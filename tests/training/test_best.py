"""Which weights of a run are kept as its best."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import keras
import numpy as np
import pytest

from spin_tf.charset import Charset, Tokenizer
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.training.averaging import make_averages
from spin_tf.training.best import BestModel
from spin_tf.training.run_state import Interrupted
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


class Words(Validated):
    """Validation words that are known by a digest, as those of a run are."""

    def __init__(self, digest: str, *correct: int, counts: bool = True) -> None:
        super().__init__(*correct)
        self.digest, self.counts = digest, counts


def best_of(folder: pathlib.Path, model: SPINRecognizer, words: Words, has_checkpoint: bool) -> BestModel:
    """A run that starts in the folder, as the loop does it."""
    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    best = BestModel(str(folder), model, [], words, tokenizer)  # type: ignore[arg-type]
    best.take_over(has_checkpoint)
    return best


def validated(best: BestModel, step: int) -> dict[str, object]:
    best.validate(step, Silent(), Silent())  # type: ignore[arg-type]
    return json.loads((pathlib.Path(best._model_dir) / "best.json").read_text())


@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_a_finished_model_is_not_replaced_by_a_worse_one(
    model: SPINRecognizer, tmp_path: pathlib.Path, has_checkpoint: bool
) -> None:
    """Whatever became of its checkpoints, and however old the one is with which the run goes on."""
    assert validated(best_of(tmp_path, model, Words("a", 7), False), 30)["step"] == 30
    again = best_of(tmp_path, model, Words("a", 5, 7, 8), has_checkpoint)
    assert again.accuracy == 0.7
    assert [validated(again, step)["step"] for step in (10, 20, 30)] == [30, 20, 30]


def test_with_other_words_it_is_measured_anew(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    validated(best_of(tmp_path, model, Words("a", 9), False), 30)
    # 0.9 of the old words are 0.4 of the new ones, which 0.5 is better than.
    again = best_of(tmp_path, model, Words("b", 4, 5), True)
    record = json.loads((tmp_path / "best.json").read_text())
    assert again.accuracy == 0.4 and (record["step"], record["all_accuracy"]) == (30, 0.4)
    assert validated(again, 40)["step"] == 40
    # So is a file of which nothing is said, or that is another one than the one of which it is said.
    (tmp_path / "best.json").unlink()
    assert best_of(tmp_path, model, Words("b", 3), True).accuracy == 0.3
    model.save(tmp_path / "best.keras")
    assert best_of(tmp_path, model, Words("b", 6), True).accuracy == 0.6
    (tmp_path / "best.json").write_text("{")
    assert best_of(tmp_path, model, Words("b", 2), True).accuracy == 0.2


def test_what_cannot_be_compared_is_kept_aside(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    def aside() -> list[str]:
        return sorted(path.name for path in tmp_path.glob("best-before-*.keras"))

    # Measured once, and now there are no words; the latest of a run without words may go.
    validated(best_of(tmp_path, model, Words("a", 7), False), 30)
    assert best_of(tmp_path, model, Words("none", counts=False), True).accuracy is None
    assert aside() == ["best-before-1.keras"] and (tmp_path / "best-before-1.json").exists()
    model.save(tmp_path / "best.keras")
    best_of(tmp_path, model, Words("none", counts=False), True)
    assert aside() == ["best-before-1.keras"] and (tmp_path / "best.keras").exists()
    # A new run over a finished one without words.
    best_of(tmp_path, model, Words("none", counts=False), False)
    assert aside()[-1] == "best-before-2.keras"
    # Another model, and no model at all.
    SPINRecognizer({**tiny.VALUES["model"], "charset": "94"}).save(tmp_path / "best.keras")
    assert best_of(tmp_path, model, Words("a"), False).accuracy is None
    (tmp_path / "best.keras").write_bytes(b"cut off")
    assert best_of(tmp_path, model, Words("a"), True).accuracy is None
    assert aside()[-1] == "best-before-4.keras" and not (tmp_path / "best.keras").exists()


def test_a_best_model_that_was_taken_away_counts_no_more(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    validated(best_of(tmp_path, model, Words("a", 7), False), 30)
    (tmp_path / "best.keras").unlink()
    again = best_of(tmp_path, model, Words("a", 2), True)
    assert again.accuracy is None and validated(again, 40)["step"] == 40


def test_a_signal_ends_validation_between_batches(model: SPINRecognizer, tmp_path: pathlib.Path) -> None:
    class Reading(Words):
        def score(self, read: Any) -> dict[str, Score]:
            read(np.zeros((1, 32, 32, 1), "float32"))
            raise AssertionError("it went on after the signal")

    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    best = BestModel(str(tmp_path), model, [], Reading("a"), tokenizer, lambda: True)  # type: ignore[arg-type]
    with pytest.raises(Interrupted):
        best.validate(3, Silent(), Silent())  # type: ignore[arg-type]
    with pytest.raises(Interrupted):
        best.validate(3, Silent(), Silent(), batches=[None])  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
