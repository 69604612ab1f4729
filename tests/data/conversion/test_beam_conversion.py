"""The Beam pipeline: with Beam installed, the same bytes as a local conversion; without, one line that says so."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

from spin_tf.data.conversion import beam_conversion
from spin_tf.data.conversion.convert import convert, publish
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.conversion.word_reader import Checks
from tests.data import samples

# Beam may live in an environment of its own.
PYTHON = os.environ.get("SPIN_TF_BEAM_PYTHON", sys.executable)


def files_of(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.tfrecord"))}


def test_command(repository, tmp_path):
    path, _ = samples.make("born_digital", tmp_path / "in")
    samples.write(tmp_path / "only.txt", "in/Challenge1_Training_Task12_Images/img_2.png\n")
    checks = Checks(None)
    only = (str(tmp_path / "only.txt"),)
    conversion = Conversion("born_digital", (path,), str(tmp_path / "local" / "w"), checks, num_shards=3, only=only)
    expected = convert(conversion)
    publish(conversion)
    command = [PYTHON, str(repository / "bin" / "create_tfrecords_beam.py"), "--source=born_digital", f"--input={path}"]
    command += [f"--output={tmp_path}/beam/w", "--num_shards=3", "--charset=any", f"--only={only[0]}", "--"]
    command += ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if sys.executable == PYTHON and importlib.util.find_spec("apache_beam") is None:
        assert result.returncode == 2
        assert 'Converting on many machines needs apache_beam: pip install "spin-tf[beam]"' in result.stderr
        return
    assert result.returncode == 0, result.stderr
    assert result.stdout == "read 3, kept 2, excluded 1, rejected 0\n" == expected.summary() + "\n"
    assert files_of(tmp_path / "beam") == files_of(tmp_path / "local")
    assert not (tmp_path / "beam" / "w.work").exists()
    report = json.loads((tmp_path / "beam" / "w.report.json").read_text())
    assert {key: report[key] for key in expected.to_report()} == json.loads(json.dumps(expected.to_report()))


def test_entries_meet_by_shard(tmp_path):
    path, words = samples.make("tsv", tmp_path / "in")
    excluded = samples.write(tmp_path / "list.txt", "in/w/1.png\n")
    conversion = Conversion("tsv", (path,), str(tmp_path / "w"), Checks(None), num_shards=4, exclude=(str(excluded),))
    pairs = list(beam_conversion.keyed_entries(conversion))
    assert {shard for shard, _ in pairs} == {0, 1, 2, 3}
    assert sorted(number for _, (number, _) in pairs) == [-1] * 4 + list(range(1, len(words)))
    assert [value for shard, (number, value) in pairs if number == -1] == ["1", "0", "0", "0"]


def test_reports_come_back():
    statistics = Statistics()
    statistics.exclude()
    statistics.reject("too_long", {"source_id": "a", "text": "b", "detail": "c"})
    again = Statistics.from_report(json.loads(json.dumps(statistics.to_report())))
    assert again.summary() == statistics.summary() == "read 2, kept 0, excluded 1, rejected 1 (too_long 1)"
    assert again.reject_share == 1
