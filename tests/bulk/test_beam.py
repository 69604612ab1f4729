"""bin/recognize_beam.py: with Beam installed, what `Recognizer.read_many` says; without, one line that says so."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
import tensorflow as tf

from spin_tf import Recognizer
from spin_tf.bulk.rows import row, summary, to_example
from spin_tf.data.records.tfrecord import RecordIndex, RecordWriter, ShardWriter, WordExample
from spin_tf.data.records.word_example import encode_features
from tests.reading.remote import files

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Beam may live in an environment of its own.
PYTHON = os.environ.get("SPIN_TF_BEAM_PYTHON", sys.executable)
WITHOUT_BEAM = sys.executable == PYTHON and importlib.util.find_spec("apache_beam") is None


def recognize_beam(*arguments: object, runner: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, str(REPOSITORY / "bin" / "recognize_beam.py"), *map(str, arguments), *runner]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)


def told_what_is_missing(result: subprocess.CompletedProcess[str]) -> bool:
    """Without Beam: whether that is what the command says."""
    if not WITHOUT_BEAM:
        return False
    assert result.returncode == 2
    assert 'Reading on many machines needs apache_beam: pip install "spin-tf[beam]"' in result.stderr
    return True


def rows_of(prefix: pathlib.Path) -> list[dict[str, Any]]:
    lines = [line for path in sorted(prefix.parent.glob(f"{prefix.name}-*.jsonl")) for line in path.open("rb")]
    return [json.loads(line) for line in lines]


def by_place(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["path"], row.get("record", 0)))


PROCESSES = ("--", "--direct_num_workers=2", "--direct_running_mode=multi_processing")


def test_images_in_two_processes_and_in_one(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """More than one group of files, unreadable ones among them, and a name that is no UTF-8."""
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    (folder / "folder.png").mkdir()
    for name, data in {**files.encoded(), **files.broken()}.items():
        for i in (1, 2):
            (folder / f"{name}_{i}.png").write_bytes(data)
    with open(os.fsencode(folder) + b"/more/caf\xe9.png", "wb") as file:
        file.write(files.encoded()["png_grey"])
    paths = [str(path) for path in [*folder.glob("*.png"), *folder.glob("more/*")] if not path.is_dir()]
    model = f"--model={strip_model}"
    inputs = (f"--input={folder}/*.png", f"--input={folder}/more/*")
    result = recognize_beam(*inputs, f"--output={tmp_path}/two/w", model, runner=PROCESSES)
    if told_what_is_missing(result):
        return
    assert result.returncode == 0, result.stderr
    expected = [row({"path": p}, w) for p, w in zip(paths, Recognizer(strip_model).read_many(paths), strict=True)]
    assert len(expected) > 100
    assert by_place(rows_of(tmp_path / "two" / "w")) == by_place(expected)
    kinds = [r["kind"] for r in expected if "kind" in r]
    assert f"read {len(expected)}, words {len(expected) - len(kinds)}, unreadable {len(kinds)} (" in result.stdout
    assert "empty_file 2" in result.stdout
    assert kinds.count("empty_file") == 2
    one = recognize_beam(*inputs, f"--output={tmp_path}/one/w", model, "--threads=2", "--num_shards=3")
    assert one.stdout == result.stdout
    assert len(list((tmp_path / "one").glob("w-*-of-00003.jsonl"))) == 3
    assert by_place(rows_of(tmp_path / "one" / "w")) == by_place(expected)
    # Nothing of two runs may mix.
    again = recognize_beam(*inputs, f"--output={tmp_path}/one/w", model)
    assert again.returncode == 2
    assert "files of an earlier run" in again.stderr.splitlines()[-1]


def test_records_to_lines_and_to_records(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Two shards with a picture that cannot be read, a damaged record, a shard that is cut off, foreign records."""
    pictures = [*files.encoded().values(), b""] * 3
    with ShardWriter(str(tmp_path / "in"), num_shards=2) as writer:
        for i, picture in enumerate(pictures):
            writer.write(WordExample(picture, f"label{i}", f"id-{i}" if i else "", "png"))
    damaged, whole = tmp_path / "in-00001-of-00002.tfrecord", tmp_path / "in-00000-of-00002.tfrecord"
    count = len(RecordIndex(str(damaged)))
    assert count > 70
    content = bytearray(damaged.read_bytes())
    content[RecordIndex(str(damaged)).locate(66)[1] + 9] ^= 1
    damaged.write_bytes(content[:-5])
    with RecordWriter(str(tmp_path / "in-foreign")) as foreign:
        foreign.write(encode_features({"image/encoded": pictures[0]}))
        foreign.write(encode_features({"image/text": b"word"}))
        foreign.write(b"no example")
    arguments = (f"--input={tmp_path}/in-*", "--tfrecords", f"--model={strip_model}")
    result = recognize_beam(*arguments, f"--output={tmp_path}/lines", runner=PROCESSES)
    if told_what_is_missing(result):
        return
    assert result.returncode == 0, result.stderr
    rows = by_place(rows_of(tmp_path / "lines"))
    local = list(Recognizer(strip_model).read_many(pictures))
    expected = []
    for i, word in enumerate(local):
        place = {"path": str(damaged if i % 2 else whole), "record": i // 2}
        expected.append(row({**place, "source_id": f"id-{i}" if i else "", "label": f"label{i}"}, word))
    theirs = {(r["path"], r["record"]): r for r in rows if not r["path"].endswith("foreign")}
    assert len(theirs) == len(expected)
    for ours in expected:
        got = theirs[ours["path"], ours["record"]]
        if ours["path"] == str(damaged) and ours["record"] in (66, count - 1):
            assert got["kind"] == ("bad_record" if ours["record"] == 66 else "corrupt_tfrecord")
            assert f"{damaged}: the " in got["reason"]
        else:
            assert got == ours
    first, second, third = (r for r in rows if r["path"].endswith("foreign"))
    assert first == row({"path": str(tmp_path / "in-foreign"), "record": 0}, local[0])
    assert (second["label"], second["kind"]) == ("word", "bad_record")
    assert second["reason"] == "The record misses the key image/encoded. Received: keys=image/text"
    assert third["kind"] == "bad_record"
    assert "corrupt_tfrecord 1" in result.stdout

    result = recognize_beam(*arguments, f"--output={tmp_path}/records", "--format=tfrecord")
    assert result.returncode == 0, result.stderr
    examples = [tf.train.Example.FromString(r) for r in RecordIndex(f"{tmp_path}/records-*.tfrecord")]
    assert sorted(e.SerializeToString(deterministic=True) for e in examples) == sorted(map(to_example, rows))
    by_id = {e.features.feature["image/source_id"].bytes_list.value[0].decode(): e.features.feature for e in examples}
    assert len(by_id) == len(rows)
    one = next(r for r in rows if r.get("source_id") == "id-20")
    features = by_id["id-20"]
    assert features["word/text"].bytes_list.value[0].decode() == one["text"]
    assert features["image/text"].bytes_list.value[0] == b"label20"
    assert features["word/confidence"].float_list.value == pytest.approx([one["confidence"]])
    for name in ("confidence", "x"):
        assert features[f"word/characters/{name}"].float_list.value == pytest.approx(
            [c[name] for c in one["characters"]]
        )
    turned = [feature["word/turned"].int64_list.value[0] for feature in by_id.values() if "word/turned" in feature]
    assert set(turned) == {r["turned"] for r in rows if "turned" in r}
    unnamed = next(r for r in rows if r["path"] == str(whole) and r["record"] == 0)
    assert by_id[f"{whole}#0"]["word/text"].bytes_list.value[0].decode() == unnamed["text"]
    assert by_id[f"{tmp_path}/in-foreign#2"]["error/kind"].bytes_list.value[0] == b"bad_record"


def test_summary() -> None:
    counts = {"images": 5, "words": 2, "unreadable: empty_file": 1, "unreadable: broken_image": 2}
    assert summary(counts) == "read 5, words 2, unreadable 3 (broken_image 2, empty_file 1)"
    assert summary({"images": 2, "words": 2}) == "read 2, words 2, unreadable 0"
    assert summary({}) == "the runner tells no counts"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--input and --output are needed"),
        (("--input=setup.cfg", "--output=x", "--model=absent.tflite"), "no such model"),
        (("--input=setup.cfg", "--output=x", "--num_shards=-1"), "num_shards"),
        (("--input=absent/*.png", "--output=x"), "No file matches. Received: input='absent/*.png'"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], message: str) -> None:
    result = recognize_beam(*arguments)
    assert result.returncode == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last or (WITHOUT_BEAM and "needs apache_beam" in last)
