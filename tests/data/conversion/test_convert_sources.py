"""Every source converted to shards; what real data sets are known to hold that is broken."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spin_tf.data.conversion.sources import SOURCES
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordWriter, WordExample
from spin_tf.data.records.word_example import encode_features
from tests.data import samples
from tests.data.samples import CHECKS, run, words_of


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_converts(source, tmp_path):
    path, expected = samples.make(source, tmp_path / "in")
    any_text = dataclasses.replace(CHECKS, charset=None)
    report = run(source, [path], tmp_path / "out" / "words", checks=any_text)
    outside = ["8/ballet_1.jpg#word4"] if source == "synthtext" else []
    words = {word.source_id: word for word in words_of(tmp_path / "out" / "words")}
    assert report["kept"] == len(words) == len(expected) - len(outside)
    assert {name for name, _ in expected} - set(words) == set(outside)
    assert report["read"] == len(expected)
    for name, text in expected:
        if name in words and text is not None:
            assert words[name].text == text
    if source in ("tsv", "csv", "jsonl", "svtp", "cute80", "icdar", "mjsynth", "iiit5k"):
        for name, word in words.items():
            assert word.encoded == (tmp_path / "in" / name).read_bytes()
    assert {word.format for word in words.values()} <= {"png", "jpeg"}


def test_whole_real_data_set(shared, tmp_path):
    """Street View Text's 257 training words, four of them with spaces; or as many made ones."""
    path = shared / "data" / "real" / "svt" / "labels.txt"
    if not path.exists():
        lines = [f"images/{i}.jpg\t{'TWO WORDS' if i < 4 else 'LIVING'}\n" for i in range(257)]
        path = samples.write(tmp_path / "labels.txt", "".join(lines))
        for i in range(257):
            samples.write(tmp_path / "images" / f"{i}.jpg", samples.picture(seed=i, format="JPEG"))
    report = run("tsv", [str(path)], tmp_path / "svt")
    assert (report["read"], report["kept"]) == (257, 253)
    assert report["rejected"]["character_outside_charset"]["count"] == 4
    assert report["characters_outside_charset"][" "] == 4
    for word in words_of(tmp_path / "svt"):
        assert word.encoded == (path.parent / word.source_id).read_bytes()


def test_crops_keep_their_pixels(tmp_path):
    path, _ = samples.make("born_digital", tmp_path / "in")
    run("born_digital", [path], tmp_path / "w", checks=dataclasses.replace(CHECKS, charset=None))
    word = next(w for w in words_of(tmp_path / "w") if w.text == '"q"')
    picture = decode_image((tmp_path / "in" / word.source_id.split("#")[0]).read_bytes())
    np.testing.assert_array_equal(decode_image(word.encoded), picture[10:20, 20:30])
    assert word.format == "png"


def test_broken_pictures_of_mjsynth_are_reported(tmp_path):
    path, _ = samples.make("mjsynth", tmp_path / "in")
    whole = samples.picture(100, 31, format="JPEG")
    samples.write(tmp_path / "in" / "9" / "1_empty_1.jpg", b"")
    samples.write(tmp_path / "in" / "9" / "2_cut_2.jpg", whole[: len(whole) // 2])
    with open(path, "a") as file:
        file.write("./9/1_empty_1.jpg 1\n./9/2_cut_2.jpg 2\n./9/3_absent_3.jpg 3\n")
    report = run("mjsynth", [path], tmp_path / "w")
    assert report["kept"] == 3
    found = report["rejected"]["unreadable_image"]
    details = {example["source_id"]: example["detail"] for example in found["examples"]}
    assert found["count"] == 2
    assert "empty" in details["9/1_empty_1.jpg"] and "truncated" in details["9/2_cut_2.jpg"]
    assert report["rejected"]["missing_file"]["count"] == 1


def test_holes_in_an_lmdb_are_reported(tmp_path):
    import lmdb

    path = str(tmp_path / "lmdb")
    with lmdb.open(path, map_size=1 << 20) as database, database.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"4")
        transaction.put(b"label-000000001", b"no picture")
        transaction.put(b"image-000000002", samples.picture())
        transaction.put(b"label-000000003", b"\xff")
        transaction.put(b"label-000000004", b"good")
        transaction.put(b"image-000000004", samples.picture())
    report = run("lmdb", [path], tmp_path / "w", checks=dataclasses.replace(CHECKS, charset=None))
    assert {reason: found["count"] for reason, found in report["rejected"].items()} == {
        "bad_line": 1,
        "label_not_utf8": 1,
        "missing_file": 1,
    }
    assert [word.text for word in words_of(tmp_path / "w")] == ["good"]


def test_foreign_tfrecords_convert_and_say_what_they_miss(tmp_path):
    good = {"image/encoded": samples.picture(), "text/string": b"Word", "image/filename": b"a.png"}
    with RecordWriter(tmp_path / "foreign.tfrecord") as writer:
        for features in (good, {"image/encoded": b"x", "caption": b"y"}, {**good, "image/encoded": b"no image"}):
            writer.write(encode_features(features))
    report = run("tfrecord", [str(tmp_path / "foreign*")], tmp_path / "w")
    (example,) = report["rejected"]["bad_record"]["examples"]
    assert "misses the key image/text or text/string or image/class/text" in example["detail"]
    assert "keys=caption, image/encoded" in example["detail"]
    assert report["rejected"]["unreadable_image"]["count"] == 1
    assert words_of(tmp_path / "w") == [WordExample(samples.picture(), "Word", "a.png", "png")]
