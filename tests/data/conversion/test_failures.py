"""Conversions that come to nothing, and what must survive them."""

# ruff: noqa: RUF001 (letters of other alphabets are what is tested)
from __future__ import annotations

import json
import os
import pathlib
import sys

import pytest

from spin_tf.charset import Charset
from spin_tf.data.conversion.convert import convert, publish
from spin_tf.data.conversion.entry import EntryError, resolve
from spin_tf.data.conversion.hints import explain_rejects, guess_encoding
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.sources import entries
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.records.tfrecord import RecordError, RecordIndex, RecordWriter, ShardWriter, WordExample, find_shards
from tests.data import samples
from tests.data.samples import CHECKS


def label_file(folder, name, content):
    samples.write(folder / "a.png", samples.picture())
    return str(samples.write(folder / name, content))


@pytest.mark.parametrize("prefix", ["d", "./d", "x//r", "x/../d", "{here}/y/d", "{here}//y//d", "link/d"])
def test_a_second_conversion_keeps_its_own_shards(tmp_path, monkeypatch, prefix):
    """Other shards of the prefix are stale, in whatever spelling the prefix comes; those of longer prefixes are not."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("x")
    os.symlink(tmp_path, "link")
    prefix = prefix.format(here=tmp_path)
    path = label_file(tmp_path, "l.txt", "a.png\tabc\n")
    os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    other = f"{prefix}-val-00000-of-00001.tfrecord"
    RecordWriter(other).close()
    for num_shards in (1, 1, 3, 2, 2):
        made = publish_all(path, prefix, num_shards)
        assert sorted(map(os.path.realpath, find_shards(prefix))) == sorted(map(os.path.realpath, made))
        assert len(RecordIndex(f"{prefix}-*-of-0000{num_shards}.tfrecord")) == 1
    assert os.path.exists(other)


def contents(prefix):
    """The shards of a prefix, byte for byte."""
    return {path: pathlib.Path(path).read_bytes() for path in find_shards(prefix)}


def publish_all(path, prefix, num_shards, source="tsv"):
    conversion = Conversion(source, [path], prefix, CHECKS, num_shards)
    convert(conversion)
    return publish(conversion)


def test_shards_are_not_converted_into_their_own_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    publish_all(label_file(tmp_path, "l.txt", "a.png\tabc\n"), "d", 2)
    before = contents("d")
    for output in ("d", "./d", str(tmp_path / "d")):
        with pytest.raises(ValueError, match="replace its own input"):
            publish_all("d-*.tfrecord", output, 1, "tfrecord")
    assert contents("d") == before
    publish_all("d-*.tfrecord", "other", 1, "tfrecord")


def test_one_file_in_two_spellings_counts_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ShardWriter("w", 1) as writer:
        writer.write(WordExample(samples.picture(), "a"))
    name = "w-00000-of-00001.tfrecord"
    assert RecordIndex([name, f"./{name}", str(tmp_path / "w-*"), f".//{name}"]).files == [name]


NOTHING_KEPT = {
    "spaces": ("tsv", b"a.png abc\nb.png def\n", "bad_line", "--source=svtp"),
    "json": ("tsv", b'{"image": "a.png", "text": "abc"}\n', "bad_line", "--source=jsonl"),
    "quotes": ("tsv", b'a.png, "abc"\n', "bad_line", "--source=icdar"),
    "tab": ("icdar", b"a.png\tabc\n", "bad_line", "--source=tsv"),
    "latin-1": ("tsv", "a.png\tcafé\n".encode("latin-1"), "label_not_utf8", "cp1252"),
    "utf-16": ("tsv", "a.png\tabc\nb.png\tdef\n".encode("utf-16"), "", "utf-16"),
    "shift_jis": ("tsv", "a.png\t東京駅前\nb.png\t出口案内\n".encode("shift_jis"), "label_not_utf8", "shift_jis"),
    "backslashes": ("tsv", b"b\\c.png\tabc\n", "missing_file", "backslashes"),
    "other folder": ("tsv", b"absent/a.png\tabc\n", "missing_file", "--image_root"),
    "characters": ("tsv", "a.png\tпривет\n".encode(), "character_outside_charset", "--charset"),
    "too long": ("tsv", b"a.png\t" + b"x" * 26, "too_long", "--max_length"),
    "semicolons": ("tsv", b"a.png;abc\n", "bad_line", "--source=csv"),
    "bars": ("tsv", b"a.png|abc\n", "bad_line", "--source=csv"),
    "document": ("tsv", b'{\n "a.png": "abc"\n}\n', "bad_line", "--source=jsonl"),
    "list": ("csv", b'[{"image": "a.png", "text": "abc"}]', "", "--source=jsonl"),
    "quoted path": ("tsv", b'"a.png"\t"abc"\n', "missing_file", "paths are in quotes"),
    "third column": ("tsv", b"a.png\tabc\t0.98\n", "character_outside_charset", "cut -f1,2"),
    "capitals": ("tsv", b"a.png\tABC\n", "character_outside_charset", "fold:chars:"),
    "empty": ("tsv", b"", "", "no word in the input"),
}


@pytest.mark.parametrize("kind", NOTHING_KEPT)
def test_a_conversion_that_keeps_nothing_fails_and_leaves_the_old_shards(tmp_path, kind):
    source, content, reason, hint = NOTHING_KEPT[kind]
    prefix = str(tmp_path / "x" / "d")
    publish_all(label_file(tmp_path, "good.txt", "a.png\tabc\n"), prefix, 2)
    before = contents(prefix)
    charset = {"capitals": "chars:abc", "third column": "94"}.get(kind)
    checks = Checks(Charset.from_spec(charset).to_dict()) if charset else CHECKS
    conversion = Conversion(source, [label_file(tmp_path, "bad.txt", content)], prefix, checks, 1)
    statistics = convert(conversion)
    assert statistics.kept == 0
    with pytest.raises(ValueError, match="No word was kept"):
        publish(conversion)
    assert contents(prefix) == before
    told = "\n".join(explain_rejects(statistics, conversion))
    assert hint in told and reason in told


def test_the_command_fails_when_nothing_is_kept(tmp_path, repository):
    import subprocess

    prefix = tmp_path / "d"
    publish_all(label_file(tmp_path, "good.txt", "a.png\tabc\n"), str(prefix), 1)
    before = prefix.with_name("d-00000-of-00001.tfrecord").read_bytes()
    path = label_file(tmp_path, "bad.txt", "a.png\tcafé\n".encode("latin-1"))
    line = [sys.executable, str(repository / "bin" / "create_tfrecords.py"), "--source=tsv", f"--input={path}"]
    result = subprocess.run([*line, f"--output={prefix}", "--workers=1"], capture_output=True, text=True)
    assert result.returncode == 1
    assert "error: no word was kept; no shards were written; those of an earlier" in result.stderr
    assert "label_not_utf8 1, first: bad.txt#line1" in result.stderr and "cp1252" in result.stderr
    assert prefix.with_name("d-00000-of-00001.tfrecord").read_bytes() == before
    assert json.loads(prefix.with_name("d.report.json").read_text())["kept"] == 0
    assert not prefix.with_name("d.work").exists()


def test_encodings_are_told_apart():
    for text, encoding in (("größe\tÜber", "cp1252"), ("привет мир", "cp1251"), ("가나다라 마바사", "euc_kr")):
        found = guess_encoding(text.encode(encoding))
        assert found is not None
        # Of the one-byte encodings none can be told from another by its bytes; a readable one must come out.
        assert found == encoding or found in ("cp1252", "gb18030", "big5", "shift_jis")
    assert guess_encoding("ab\tc\n".encode("utf-16-le")) == "utf-16-le"


def test_backslashes_of_label_files_separate_folders(tmp_path):
    samples.write(tmp_path / "img" / "1.png", samples.picture())
    path = str(
        samples.write(tmp_path / "l.txt", "img\\1.png\tabc\n.\\img\\1.png\tabc\n..\\l.txt\tx\nC:\\img\\1.png\tx\n")
    )
    found = list(entries("tsv", [path]))
    assert [os.path.relpath(entry.path, tmp_path) if entry.path else "" for entry in found[:2]] == ["img/1.png"] * 2
    assert [entry.problem for entry in found] == ["", "", "path_outside_folder", "path_outside_folder"]
    # A file that is really called so is the one that is meant.
    samples.write(tmp_path / "a\\b.png", samples.picture())
    assert resolve(str(tmp_path), "a\\b.png") == str(tmp_path / "a\\b.png")
    with pytest.raises(EntryError):
        resolve(str(tmp_path), "x\\..\\..\\l.txt")
    assert (
        next(entries("mjsynth", [str(samples.write(tmp_path / "m.txt", ".\\2\\6\\466_MON_1.jpg 1\n"))])).text == "MON"
    )


@pytest.mark.parametrize("kind", ["gzip", "zlib"])
def test_compressed_tfrecords_are_named_as_such(tmp_path, kind):
    import gzip
    import zlib

    with RecordWriter(tmp_path / "w.tfrecord") as writer:
        writer.write(b"x" * 300)
    path = tmp_path / "w.tfrecord"
    path.write_bytes((gzip if kind == "gzip" else zlib).compress(path.read_bytes()))
    with pytest.raises(RecordError, match=f"compressed with {kind.upper()}"):
        RecordIndex(str(path))
    (entry,) = entries("tfrecord", [str(path)])
    assert kind.upper() in entry.detail
    # Lengths that begin with the same bytes are no compression.
    for length in (0x8B1F, 0x9C78):
        with RecordWriter(path) as writer:
            writer.write(b"x" * length)
        assert len(RecordIndex(str(path))) == 1


def test_a_huge_number_of_samples_ends_the_plan(tmp_path):
    import lmdb

    with lmdb.open(str(tmp_path / "db"), map_size=1 << 20) as database, database.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"999999999999999999")
        transaction.put(b"image-000000001", samples.picture())
        transaction.put(b"label-000000001", b"a")
    found = list(entries("lmdb", [str(tmp_path / "db")]))
    assert [entry.text for entry in found if not entry.problem] == ["a"]
    assert "the database holds 3 keys" in found[-1].detail
    with lmdb.open(str(tmp_path / "db"), map_size=1 << 20) as database, database.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"9" * 5000)
    with pytest.raises(ValueError, match="no number under num-samples"):
        list(entries("lmdb", [str(tmp_path / "db")]))


def test_a_database_that_changes_is_planned_anew(tmp_path):
    """The input's name and the folder's time stay; the content decides."""
    import lmdb

    path, prefix = str(tmp_path / "db"), str(tmp_path / "w")
    for label in (b"one", b"two"):
        with lmdb.open(path, map_size=1 << 20) as database, database.begin(write=True) as transaction:
            transaction.put(b"num-samples", b"1")
            transaction.put(b"image-000000001", samples.picture())
            transaction.put(b"label-000000001", label)
        folder_time = os.stat(tmp_path).st_mtime_ns
        os.utime(path, ns=(folder_time, 0))
        conversion = Conversion("lmdb", [path], prefix, CHECKS, 1)
        convert(conversion)
    publish(conversion)
    assert [word.text for word in samples.words_of(prefix)] == ["two"]


def test_a_full_disk_leaves_no_partial_files_and_the_older_shards(tmp_path, monkeypatch):
    prefix = str(tmp_path / "w")
    with ShardWriter(prefix, 3) as old:
        for i in range(6):
            old.write(WordExample(samples.picture(), f"old{i}"))
    before = contents(prefix)
    for failing in range(3):
        with pytest.raises(OSError, match="No space"), ShardWriter(prefix, 3) as writer:
            for i in range(6):
                writer.write(WordExample(samples.picture(), f"new{i}"))
            writer._writers[failing]._file = Full(writer._writers[failing]._file)  # type: ignore[assignment]
        assert contents(prefix) == before
        assert len(list(tmp_path.iterdir())) == 3


class Full:
    """A buffered file on a disk that has become full: what is in its buffer cannot be written."""

    def __init__(self, file):
        self._file = file

    def close(self):
        self._file.close()
        raise OSError(28, "No space left on device")
