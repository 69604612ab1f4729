"""What comes out of bulk reading, by the readers of others."""

from __future__ import annotations

import dataclasses
import json

import pytest
import tensorflow as tf

from spin_tf.bulk.rows import row, to_example, to_json
from spin_tf.data.records.word_example import encode_features
from spin_tf.recognizer import Character, ReadError, Word

WORD = Word("hé", 0.25, (Character("h", 0.5, 0.125), Character("é", 0.5, 0.75)), -90)


def test_lines_are_those_of_recognize() -> None:
    expected = {"path": "a.png", **json.loads(json.dumps(dataclasses.asdict(WORD)))}
    assert not expected.pop("alternatives") and not expected.pop("reason")
    assert json.loads(to_json(row({"path": "a.png"}, WORD))) == expected
    assert "hé" in to_json(row({}, WORD))
    broken = {"path": "caf\udce9.png", "reason": "no", "kind": "broken_image"}
    line = to_json(row({"path": "caf\udce9.png"}, ReadError("no", "broken_image")))
    assert line.isascii()
    assert json.loads(line) == broken


def test_examples() -> None:
    example = tf.train.Example.FromString(to_example(row({"path": "é.png"}, WORD)))
    features = example.features.feature
    assert features["image/source_id"].bytes_list.value[0].decode() == "é.png"
    assert features["word/text"].bytes_list.value[0].decode() == "hé"
    assert list(features["word/confidence"].float_list.value) == [0.25]
    assert list(features["word/turned"].int64_list.value) == [-90]
    assert list(features["word/truncated"].int64_list.value) == [0]
    assert list(features["word/characters/confidence"].float_list.value) == [0.5, 0.5]
    assert list(features["word/characters/x"].float_list.value) == [0.125, 0.75]
    bad = tf.train.Example.FromString(to_example(row({"path": "a\udce9"}, ReadError("why\udce9", "broken_image"))))
    assert bad.features.feature["image/source_id"].bytes_list.value[0] == b"a\xe9"
    assert bad.features.feature["error/reason"].bytes_list.value[0] == b"why\\udce9"
    assert bad.features.feature["error/kind"].bytes_list.value[0] == b"broken_image"


@pytest.mark.parametrize("values", [[], [b"", b"\0\xff"], [0.0, -1.5], [0, -1, 2**63 - 1, -(2**63)], [b"x" * 300]])
def test_features_of_every_type(values: list[bytes] | list[float] | list[int]) -> None:
    example = tf.train.Example.FromString(encode_features({"b": values, "a": [b"1"]}))
    feature = example.features.feature["b"]
    kind = feature.WhichOneof("kind")
    assert (list(getattr(feature, kind).value) if kind else []) == values
    assert example.SerializeToString(deterministic=True) == encode_features({"a": [b"1"], "b": values})
