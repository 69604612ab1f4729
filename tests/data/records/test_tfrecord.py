"""TFRecords: written without TensorFlow, read by TensorFlow, and the other way round."""

from __future__ import annotations

import pathlib
import pickle
import shutil

import numpy as np
import pytest

from spin_tf.data.records.tfrecord import (
    RecordError,
    RecordIndex,
    RecordWriter,
    ShardWriter,
    WordExample,
    find_shards,
    parse_example,
    serialize_example,
    shard_path,
)
from spin_tf.data.records.word_example import decode_bytes_features


def words(count: int) -> list[WordExample]:
    random = np.random.default_rng(3)
    return [
        WordExample(random.bytes(int(random.integers(0, 500))), f"Wörd {i}", f"a/{i}.png", "png") for i in range(count)
    ]


def tensorflow_example(features: dict[str, list]) -> bytes:
    import tensorflow as tf

    def feature(values: list) -> tf.train.Feature:
        if values and isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        if values and isinstance(values[0], int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    message = tf.train.Example(features=tf.train.Features(feature={k: feature(v) for k, v in features.items()}))
    return message.SerializeToString(deterministic=True)


@pytest.fixture
def shards(tmp_path):
    prefix = str(tmp_path / "set" / "words")
    with ShardWriter(prefix, 3) as writer:
        for word in words(100):
            writer.write(word)
    return prefix


def test_bytes_are_those_that_tensorflow_writes(tmp_path):
    import tensorflow as tf

    example = WordExample(bytes(300), "Grüße, 東京", "x.jpg", "jpeg")
    data = serialize_example(example)
    assert data == tensorflow_example(
        {
            "image/encoded": [example.encoded],
            "image/text": [example.text.encode()],
            "image/format": [b"jpeg"],
            "image/source_id": [b"x.jpg"],
        }
    )
    ours, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    with RecordWriter(ours) as writer, tf.io.TFRecordWriter(theirs) as reference:
        for record in (data, b"", bytes(70_000)):
            writer.write(record)
            reference.write(record)
    assert pathlib.Path(ours).read_bytes() == pathlib.Path(theirs).read_bytes()


def test_tensorflow_reads_the_shards(shards):
    import tensorflow as tf

    files = find_shards(shards)
    assert files == [shard_path(shards, i, 3) for i in range(3)]
    assert files[1].endswith("words-00001-of-00003.tfrecord")
    records = [record.numpy() for record in tf.data.TFRecordDataset(files)]
    assert [parse_example(r) for r in records] == words(100)[0::3] + words(100)[1::3] + words(100)[2::3]


def test_index_reads_at_random(shards, tmp_path):
    index = RecordIndex(f"{shards}-*.tfrecord")
    assert len(index) == 100 and len(index.files) == 3
    expected = words(100)[0::3] + words(100)[1::3] + words(100)[2::3]
    for i in np.random.default_rng(0).permutation(100):
        assert parse_example(index.read(int(i), check=True)) == expected[i]
        assert index.read_example(int(i)) == expected[i]
    assert [parse_example(r) for r in pickle.loads(pickle.dumps(index))] == expected
    with pytest.raises(IndexError, match="i=100"):
        index.read(100)
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        RecordIndex([f"{shards}-*", str(tmp_path / "nothing-here*")])


def test_index_handles_more_files_than_may_be_open(tmp_path, monkeypatch):
    monkeypatch.setattr("spin_tf.data.records.tfrecord._MAX_OPEN_FILES", 2)
    with ShardWriter(str(tmp_path / "w"), 5) as writer:
        for word in words(10):
            writer.write(word)
    index = RecordIndex(str(tmp_path / "w*"))
    assert {parse_example(r).text for r in index} == {w.text for w in words(10)}
    assert len(index._descriptors) == 2
    index.close()
    assert parse_example(index.read(0)) == words(1)[0]


def test_empty_shards_are_fine(tmp_path):
    with ShardWriter(str(tmp_path / "w"), 4) as writer:
        writer.write(words(1)[0])
    assert len(RecordIndex(str(tmp_path / "w*"))) == 1


def test_a_file_appears_only_when_complete(tmp_path):
    with pytest.raises(RuntimeError), ShardWriter(str(tmp_path / "w"), 2) as writer:
        writer.write(words(1)[0])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "kept", "match"),
    [
        (lambda data, starts: data[: starts[20] + 5], 20, "inside the header of the record at offset {20}"),
        (lambda data, starts: data[: starts[21] - 1], 20, "inside the record at offset {20}"),
        (
            lambda data, starts: data[: starts[7]] + b"\x01" + data[starts[7] + 1 :],
            7,
            "offset {7} has a wrong checksum",
        ),
        (lambda data, starts: data[: starts[9] + 8] + bytes(4) + data[starts[9] + 12 :], 9, "offset {9} has a wrong"),
        (lambda data, starts: data + bytes(50_000), 34, "offset {34} has a wrong checksum"),
        (lambda data, starts: b"\xff" * 64, 0, "offset 0 has a wrong checksum"),
    ],
)
def test_corrupt_files_name_file_and_offset(shards, damage, kept, match):
    path = shard_path(shards, 0, 3)
    intact = RecordIndex(path)
    starts = [intact.locate(i)[1] - 12 for i in range(34)]
    data = pathlib.Path(path).read_bytes()
    starts.append(len(data))
    with open(path, "wb") as file:
        file.write(damage(data, starts))
    for i, start in enumerate(starts):
        match = match.replace(f"{{{i}}}", str(start))
    with pytest.raises(RecordError, match=match) as caught:
        RecordIndex(f"{shards}-*")
    assert path in str(caught.value) and f"after {kept} records" in str(caught.value)
    index = RecordIndex(f"{shards}-*", on_corrupt="skip")
    assert len(index) == kept + 33 + 33
    assert [(s.file, s.num_records, s.offset) for s in index.skipped] == [(path, kept, starts[kept])]
    assert [parse_example(index.read(i, check=True)) for i in range(kept)] == words(100)[0::3][:kept]


def test_payload_checksum_is_checked_when_asked(shards):
    path = shard_path(shards, 2, 3)
    offset = RecordIndex(path).locate(4)[1]
    with open(path, "r+b") as file:
        file.seek(offset + 60)
        file.write(b"\x00\x01\x02")
    index = RecordIndex(path)
    index.read(4)
    with pytest.raises(RecordError, match=f"offset {offset - 12} has a wrong checksum"):
        index.read(4, check=True)
    shutil.copy(path, f"{path}.copy")
    with open(path, "r+b") as file:
        file.truncate(offset)
    with pytest.raises(RecordError, match="shorter"):
        index.read(4)


@pytest.mark.parametrize("key", ["image/text", "text/string", "image/class/text"])
def test_foreign_records_are_read(key):
    data = tensorflow_example(
        {"image/encoded": [b"abc"], key: ["Ünï".encode()], "width": [3], "box": [0.5, 2.0], "empty": [], "n": [1, -2]}
    )
    assert parse_example(data) == WordExample(b"abc", "Ünï", "", "")
    assert decode_bytes_features(data)["width"] is None


def test_missing_keys_are_named_with_the_keys_found():
    data = tensorflow_example({"image/encoded": [b"abc"], "caption": [b"x"], "image/height": [3]})
    with pytest.raises(RecordError, match=r"image/text or text/string .*keys=caption, image/encoded, image/height"):
        parse_example(data)
    with pytest.raises(RecordError, match=r"misses the key image/encoded and the key image/text .*Received: keys=none"):
        parse_example(b"")
    with pytest.raises(RecordError, match="not UTF-8"):
        parse_example(tensorflow_example({"image/encoded": [b"abc"], "image/text": [b"\xff"]}))


def test_noise_is_no_example():
    random = np.random.default_rng(0)
    for _ in range(300):
        with pytest.raises(RecordError):
            parse_example(random.bytes(60))
    whole = serialize_example(words(1)[0])
    for end in range(1, len(whole)):
        with pytest.raises(RecordError):
            parse_example(whole[:end])
