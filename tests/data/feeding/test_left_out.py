"""Labels that a run leaves out name their characters, and the way to take them."""

from __future__ import annotations

import pathlib

import pytest

from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import DataConfig, SourceConfig
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from tests.training import tiny


def words_of(folder: pathlib.Path, charset: str) -> TrainingWords:
    with ShardWriter(str(folder / "set"), 1) as writer:
        for i, label in enumerate(["abc", "Abc", "ÄbA", "a-c", "größe"]):
            writer.write(WordExample(tiny.draw("x"), label, str(i), "png"))
    config = DataConfig(train={"mine": SourceConfig(files=[f"{folder}/set-*.tfrecord"])})
    return TrainingWords(config, Tokenizer(Charset.from_spec(charset), 8), 2, 10, 0)


def test_characters_of_labels_that_are_left_out(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    assert words_of(tmp_path, "chars:abcä").rejected == {"mine": {"character": 4}}
    assert "outside the charset: 'A' in 2 words" in caplog.text and "'-' in 1 words" in caplog.text
    assert "'ß' in 1 words" in caplog.text and "A Ä would be read as small letters with" in caplog.text


def test_a_charset_that_folds_case_takes_them(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    assert words_of(tmp_path, "fold:chars:abcä").rejected == {"mine": {"character": 2}}
    assert "would be read as small letters" not in caplog.text
