"""bin/create_tfrecords.py and bin/inspect_data.py as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from spin_tf._page import PAGE_STYLE
from spin_tf.data.records.tfrecord import RecordIndex, RecordWriter
from spin_tf.data.records.word_example import encode_features
from tests.data import samples


@pytest.fixture
def call(repository):
    def run(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, str(repository / "bin" / f"{command}.py"), *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=120)

    return run


def test_convert_and_look(call, tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    arguments = ["--source=tsv", f"--input={path}", f"--output={tmp_path}/out/w", "--num_shards=8", "--workers=2"]
    result = call("create_tfrecords", *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("read 6, kept 4, excluded 0, rejected 2 (character_outside_charset 2)\n")
    assert result.stderr == ""
    report = json.loads((tmp_path / "out" / "w.report.json").read_text())
    assert (report["kept"], report["source"], report["charset"]) == (4, "tsv", "94")
    assert report["rejected"]["character_outside_charset"]["count"] == 2
    assert (tmp_path / "out" / "w.report.html").read_text().count("<img") == 6
    assert len(RecordIndex(f"{tmp_path}/out/w-*-of-00008.tfrecord")) == 4

    result = call("inspect_data", f"--data={tmp_path}/out/w-*", "--check")
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.splitlines())[0] == "w/1.png\tTiredness\tpng\t40 x 16"
    assert result.stderr == "4 records in 8 files, all read\n"
    result = call("inspect_data", f"--data={tmp_path}/out/w-*", "--num_samples=3", f"--output={tmp_path}/page.html")
    assert result.returncode == 0
    assert (tmp_path / "page.html").read_text().count("<img") == 3
    # Both look as the other pages do, and run nothing.
    for page in (tmp_path / "out" / "w.report.html", tmp_path / "page.html"):
        text = page.read_text()
        assert PAGE_STYLE in text and "prefers-color-scheme:dark" in PAGE_STYLE and "default-src 'none'" in text


def test_too_many_rejects_fail_and_write_no_shards(call, tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    arguments = ["--source=tsv", f"--input={path}", f"--output={tmp_path}/w", "--workers=1"]
    result = call("create_tfrecords", *arguments, "--max_reject_share=0.1")
    assert result.returncode == 1
    assert "33.33% of the words were rejected" in result.stderr
    assert (tmp_path / "w.report.json").exists() and not list(tmp_path.glob("*.tfrecord"))
    result = call("create_tfrecords", *arguments, "--max_reject_share=0.4")
    assert result.returncode == 0
    assert "8 of 8 shards are there already" in result.stderr


def test_mistakes_are_one_line(call, tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    for arguments, words in [
        (["--source=tsv", f"--input={tmp_path}/absent", f"--output={tmp_path}/w"], "No such file"),
        (["--source=tsv", f"--input={path}", f"--output={tmp_path}"], "no folder"),
        (["--source=tsv", f"--input={path}", f"--output={tmp_path}/w", "--charset=ascii"], "A charset is one of"),
        (["--source=tsv", f"--input={path}", f"--output={tmp_path}/w", "--only=absent"], "absent"),
    ]:
        result = call("create_tfrecords", *arguments)
        assert result.returncode == 2
        assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
        assert words in result.stderr


def test_foreign_and_broken_records_are_named(call, tmp_path):
    with RecordWriter(tmp_path / "a") as writer:
        writer.write(encode_features({"picture": b"x"}))
    result = call("inspect_data", f"--data={tmp_path}/a")
    assert result.returncode == 1
    assert "misses the key image/encoded and the key image/text or text/string or image/class/text" in result.stderr
    assert "keys=picture" in result.stderr
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:-2])
    result = call("inspect_data", f"--data={tmp_path}/b", "--check")
    assert result.returncode == 1
    assert f"{tmp_path}/b: the file ends inside the record at offset 0" in result.stderr
    result = call("inspect_data", f"--data={tmp_path}/none*")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_files_without_a_record_are_no_data(call, tmp_path):
    RecordWriter(tmp_path / "w.tfrecord").close()
    for arguments in (["--check"], ["--num_samples=1"]):
        result = call("inspect_data", f"--data={tmp_path}/w.tfrecord", *arguments)
        assert result.returncode == 1 and "there is no record in these files" in result.stderr
    result = call("inspect_data", f"--data={tmp_path}/w.tfrecord", f"--output={tmp_path}/w.tfrecord/page.html")
    assert result.returncode == 2 and "cannot be written" in result.stderr
