"""What a run counts as right is all that its charset can write, in every script."""

from __future__ import annotations

import pathlib
import unicodedata
from collections.abc import Callable

import numpy as np
import pytest

from spin_tf import config as config_module
from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from spin_tf.evaluation.metrics import Score, normalize
from spin_tf.training.validation import Validator
from tests.training import tiny

LOWER = "chars:abcdefghijklmnopqrstuvwxyzäöüß"


def validator(folder: pathlib.Path, charset: str, labels: list[str], protocol: str = "charset") -> Validator:
    with ShardWriter(str(folder / "set"), 1) as writer:
        for i, label in enumerate(labels):
            writer.write(WordExample(tiny.draw("x"), label, str(i), "png"))
    tokenizer = Tokenizer(Charset.from_spec(charset), 12)
    return Validator({"set": [f"{folder}/set-*.tfrecord"]}, tokenizer, Preprocessing((32, 32)), protocol=protocol)


def score(validator: Validator, charset: str, readings: list[str]) -> Score:
    tokenizer = Tokenizer(Charset.from_spec(charset), 12)
    rows = np.stack([tokenizer.encode(reading)[1:] for reading in readings])
    return validator.score(lambda images: np.pad(rows, ((0, len(images) - len(rows)), (0, 0))))["all"]


@pytest.mark.parametrize(
    ("charset", "labels", "wrong"),
    [
        ("chars:0123456789.,", ["12.5", "3,75"], lambda t: t.replace(".", "").replace(",", "")),
        (LOWER, ["größe", "müll"], lambda t: t.replace("ö", "o").replace("ü", "u")),
        ("chars:ABab12", ["Ab1", "aB2"], str.swapcase),
        ("chars:AB 12", ["A 12", "B 21"], lambda t: t.replace(" ", "")),
        ("chars:абвдезиклмнопрст", ["мост", "дом"], lambda t: t[::-1]),
        ("chars:αβγδε", ["αβγ", "δε"], lambda t: t[::-1]),
        ("chars:東京都大阪", ["東京", "大阪"], lambda t: t[::-1]),
        ("chars:กข\u0e34\u0e49", ["ก\u0e34", "ข\u0e49"], lambda t: t[0]),
        ("94", ["A.b", "it's"], lambda t: t.replace(".", "").replace("'", "")),
        ("94", ["Ab", "cD"], str.swapcase),
        ("68", ["a.b", "(x)"], lambda t: t.strip("()").replace(".", "")),
    ],
)
def test_what_the_charset_can_write_counts(
    tmp_path: pathlib.Path, charset: str, labels: list[str], wrong: Callable[[str], str]
) -> None:
    validation = validator(tmp_path, charset, labels)
    assert validation.notes == []
    assert (score(validation, charset, labels).correct, score(validation, charset, labels).words) == (2, 2)
    assert score(validation, charset, [wrong(label) for label in labels]).correct == 0


@pytest.mark.parametrize(
    ("charset", "label", "reading"),
    [
        # Folded where the charset folds, or knows only the other case.
        ("36", "Don't", "dont"),
        ("68", "DON'T", "don't"),
        (LOWER, "GRÖßE", "größe"),
        ("chars:ABC12", "abc1", "ABC1"),
        ("chars:STRAE", "straße", "STRASSE"),
        # Composed or not, an accent is an accent.
        ("chars:cafeé", unicodedata.normalize("NFD", "café"), "café"),
        ("chars:cafe\u0301", "café", "cafe\u0301"),
        # What the charset lacks cannot be asked for.
        ("chars:abc", "a-b c", "abc"),
    ],
)
def test_what_it_cannot_write_is_not_asked_for(tmp_path: pathlib.Path, charset: str, label: str, reading: str) -> None:
    validation = validator(tmp_path, charset, [label])
    assert score(validation, charset, [reading]).correct == 1


def test_what_does_not_count_is_told_at_the_start(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "none").mkdir()
    assert score(validator(tmp_path / "none", "36", ["мост", "дом"]), "36", ["a", "b"]).excluded == 2
    assert "data.validation.set: no word of it counts" in caplog.text and "'мост'" in caplog.text
    some = validator(tmp_path, "36", ["мост", "ab-c"])
    (note,) = some.notes
    assert "1 of 2 words do not count, for example 'мост'" in note and "'-' 1" in note and "'м' 1" in note


@pytest.mark.parametrize(("protocol", "correct"), [("alphanumeric", 2), ("letters", 1), ("exact", 0), ("charset", 0)])
def test_another_protocol_can_be_asked_for(tmp_path: pathlib.Path, protocol: str, correct: int) -> None:
    charset = "chars:ABabcé."
    validation = validator(tmp_path, charset, ["A.b", "cé"], protocol)
    assert score(validation, charset, ["ab", "c"]).correct == correct


def test_the_configuration_says_which(tmp_path: pathlib.Path) -> None:
    config = tiny.config(tmp_path, "data.validation_protocol=exact")
    of = Validator.of(config.data, Tokenizer(Charset.from_spec("36"), 8), Preprocessing((32, 32)))
    assert of._protocol == "exact" and of.sizes == {"check": 12}
    with pytest.raises(ValueError, match=r"data\.validation_protocol must be one of charset, alphanumeric, letters"):
        tiny.config(tmp_path, "data.validation_protocol=loose")


def test_letters_are_those_of_every_script() -> None:
    assert normalize("Straße, ÉTÉ-2!", "letters") == normalize("STRASSE été 2", "letters") == "strasseété2"
    assert normalize(unicodedata.normalize("NFD", "Café"), "letters") == "café"
    assert normalize("Дж №5", "letters") == "дж5"
    assert normalize("ก\u0e34", "letters") == "ก\u0e34"


@pytest.mark.parametrize("name", ["spin_words", "spin_small", "ga_spin_r32", "paper_ga_spin"])
def test_recipes_of_published_tables_count_as_those_do(repository: pathlib.Path, name: str) -> None:
    config = config_module.load(str(repository / "configs" / f"{name}.yaml"))
    assert config.data.validation_protocol == "alphanumeric"
