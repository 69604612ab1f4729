"""Conversion: exact reports, the same bytes however many workers, resumption, hostile data."""

from __future__ import annotations

import collections
import dataclasses
import io
import json
import os
import pathlib
import signal

import numpy as np
import pytest
from PIL import Image

from spin_tf.charset import Charset
from spin_tf.data.conversion import convert as convert_module
from spin_tf.data.conversion.convert import convert, publish
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.report_page import report_page, visible
from spin_tf.data.conversion.word_reader import Checks
from tests.data import samples
from tests.data.samples import CHECKS, run, words_of


def reject_sample(folder: pathlib.Path) -> str:
    good = samples.picture()
    stream = io.BytesIO()
    Image.fromarray(np.zeros((1, 40), np.uint8)).save(stream, "PNG")
    for name, content in {
        "good.png": good,
        "zero.png": b"",
        "text.png": b"hello",
        "cut.png": good[:-40],
        "thin.png": stream.getvalue(),
        "polyglot.jpg": b"GIF89a" + samples.picture(format="GIF")[6:] + b"<script>alert(1)</script>PK\x03\x04",
    }.items():
        samples.write(folder / name, content)
    lines = [f"good.png\t{'x' * 25}", "good.png\tagain", "zero.png\tz", "text.png\tt", "cut.png\tc", "thin.png\tn"]
    lines += ["polyglot.jpg\t<script>", "absent.png\ta", "../good.png\to", "no tab"]
    lines += [f"e{i}.png\t" for i in range(30)] + ["l.png\t" + "y" * 26, "s.png\ta b", "u.png\té\u202eé"]
    return str(samples.write(folder / "labels.txt", "\n".join(lines)))


EXPECTED_REJECTS = {
    "bad_line": 1,
    "character_outside_charset": 2,
    "duplicate_id": 1,
    "empty_label": 30,
    "missing_file": 1,
    "path_outside_folder": 1,
    "too_long": 1,
    "too_small": 1,
    "unreadable_image": 3,
}


@pytest.mark.parametrize("num_shards", [1, 4])
def test_every_reject_is_counted_with_examples(tmp_path, num_shards):
    report = run("tsv", [reject_sample(tmp_path)], tmp_path / "w", num_shards=num_shards)
    assert {reason: found["count"] for reason, found in report["rejected"].items()} == EXPECTED_REJECTS
    assert report["read"] == sum(EXPECTED_REJECTS.values()) + report["kept"] and report["kept"] == 2
    assert len(report["rejected"]["empty_label"]["examples"]) == 20
    assert set(report["rejected"]["empty_label"]["examples"][0]) == {"source_id", "text", "detail"}
    assert report["characters_outside_charset"] == {" ": 1, "é": 1, "\u202e": 1}
    assert report["label_lengths"] == {"8": 1, "25": 1}
    assert report["characters"]["x"] == 25
    assert report["image_formats"] == {"gif": 1, "png": 1}
    assert report["image_width"]["p50"] == 40 and report["image_height"]["p100"] == 16
    json.dumps(report)


def test_header_check_finds_what_headers_tell(tmp_path):
    checks = dataclasses.replace(CHECKS, image_check="header")
    report = run("tsv", [reject_sample(tmp_path)], tmp_path / "w", checks=checks)
    assert report["rejected"]["unreadable_image"]["count"] == 2


def test_labels_are_written_unchanged_whatever_the_charset(tmp_path):
    samples.write(tmp_path / "a.png", samples.picture())
    path = samples.write(tmp_path / "l.txt", "a.png\tMiXeD\n")
    run("tsv", [str(path)], tmp_path / "w", checks=Checks(Charset.from_spec("36").to_dict()))
    assert [word.text for word in words_of(tmp_path / "w")] == ["MiXeD"]


def test_only_and_exclude(tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    listed = samples.write(tmp_path / "lists" / "val.txt", "../in/w/1.png\n../in/w/3.png\nabsent.png\n")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for input_path in (path, str(tmp_path / "link" / "labels.tsv")):
        chosen = run("tsv", [input_path], tmp_path / "only", only=[str(listed)])
        others = run("tsv", [input_path], tmp_path / "rest", exclude=[str(listed)])
        assert {word.source_id for word in words_of(tmp_path / "only")} == {"w/1.png", "w/3.png"}
        assert {word.source_id for word in words_of(tmp_path / "rest")} == {"w/2.png", "w/6.png"}
        assert (chosen["read"], chosen["kept"], chosen["excluded"]) == (6, 2, 4)
        assert (others["read"], others["kept"], others["excluded"]) == (6, 2, 2)
        assert others["rejected"].keys() == {"character_outside_charset"}


def files_of(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    path, _ = samples.make("mjsynth", tmp_path / "in")
    lines = [pathlib.Path(path).read_text()]
    for i in range(60):
        samples.write(tmp_path / "in" / "5" / f"{i}_word_{i}.jpg", samples.picture(seed=i, format="JPEG"))
        lines.append(f"./5/{i}_word_{i}.jpg {i}\n" * (1 + (i % 10 == 0)))
    samples.write(pathlib.Path(path), "".join(lines))
    reports = [run("mjsynth", [path], tmp_path / str(n) / "w", workers=n, num_shards=5) for n in (1, 2, 3)]
    assert reports[0]["kept"] == 63 and reports[0]["rejected"]["duplicate_id"]["count"] == 6
    assert reports[0] == reports[1] == reports[2]
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2") == files_of(tmp_path / "3")
    assert len(files_of(tmp_path / "1")) == 5
    run("mjsynth", [path], tmp_path / "4" / "w", num_shards=5, seed=1)
    assert files_of(tmp_path / "4") != files_of(tmp_path / "1")
    ids = collections.Counter(word.source_id for word in words_of(tmp_path / "4" / "w"))
    assert len(ids) == 63 and set(ids.values()) == {1}


def test_an_interrupted_run_goes_on_with_the_missing_shards(tmp_path, monkeypatch):
    path, _ = samples.make("born_digital", tmp_path / "in")
    conversion = Conversion("born_digital", [path], str(tmp_path / "out" / "w"), CHECKS, num_shards=4)
    converted = []
    original = convert_module._convert_shard

    def interrupted(conversion, shard, report):
        if shard == 2 and 2 not in converted:
            converted.append(shard)
            raise KeyboardInterrupt
        converted.append(shard)
        return original(conversion, shard, report)

    monkeypatch.setattr(convert_module, "_convert_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(conversion)
    assert list(tmp_path.glob("out/*.tfrecord")) == []
    statistics = convert(conversion)
    assert converted == [0, 1, 2, 2, 3]
    publish(conversion)
    assert not pathlib.Path(conversion.work_folder).exists()
    again = run("born_digital", [path], tmp_path / "other" / "w", num_shards=4)
    assert statistics.to_report() == again
    assert files_of(tmp_path / "out") == files_of(tmp_path / "other")


def test_another_conversion_does_not_resume(tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    conversion = Conversion("tsv", [path], str(tmp_path / "w"), CHECKS)
    first = convert(conversion)
    longer = dataclasses.replace(conversion, checks=dataclasses.replace(CHECKS, max_length=5))
    assert convert(longer).kept < first.kept
    pathlib.Path(path).write_text("w/1.png\tchanged\n")
    assert convert(longer).read == 1


def test_two_runs_do_not_mix(tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    conversion = Conversion("tsv", [path], str(tmp_path / "w"), CHECKS)

    def second(stage: str, done: int, total: int | None) -> None:
        with pytest.raises(ValueError, match="Another process is converting there"):
            convert(conversion)

    assert convert(conversion, progress=second).read == 6


def test_a_wrong_input_leaves_nothing_behind(tmp_path):
    path = samples.write(tmp_path / "gt.mat", "no MATLAB file")
    with pytest.raises(ValueError, match="no MATLAB file"):
        convert(Conversion("iiit5k", [str(path)], str(tmp_path / "w"), CHECKS))
    assert [p.name for p in tmp_path.iterdir()] == ["gt.mat"]


def test_a_killed_worker_is_said_and_made_good(tmp_path, monkeypatch):
    path, _ = samples.make("tsv", tmp_path / "in")
    conversion = Conversion("tsv", [path], str(tmp_path / "w"), CHECKS, num_shards=2)
    monkeypatch.setattr(convert_module, "_run_shard", killed)
    with pytest.raises(OSError, match="worker process was killed"):
        convert(conversion, workers=2)
    monkeypatch.undo()
    assert convert(conversion, workers=2).read == 6


def killed(conversion: Conversion, shard: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_shards_of_an_earlier_conversion_are_replaced(tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    run("tsv", [path], tmp_path / "w", num_shards=6)
    run("tsv", [path], tmp_path / "w", num_shards=2)
    assert sorted(p.name for p in tmp_path.glob("w-*")) == [f"w-0000{i}-of-00002.tfrecord" for i in range(2)]


def test_an_error_in_a_worker_arrives(tmp_path):
    path, _ = samples.make("tsv", tmp_path / "in")
    conversion = Conversion("tsv", [path], str(tmp_path / "w"), Checks({"characters": ""}))
    with pytest.raises(ValueError, match="at least one character"):
        convert(conversion, workers=2)


def test_the_page_shows_pictures_and_escapes_labels(tmp_path):
    conversion = Conversion("tsv", [reject_sample(tmp_path)], str(tmp_path / "w"), CHECKS)
    page = report_page(convert(conversion), {"output": "x/<w>"})
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "Conversion of &lt;w&gt;" in page
    assert "\u202e" not in page and "\\u{202E}" in page
    assert page.count("data:image/png;base64,") == 4
    assert "RIGHT-TO-LEFT OVERRIDE" in page
    assert "default-src 'none'" in page
    for reason, count in EXPECTED_REJECTS.items():
        assert f"Rejected: {reason} ({count})" in page


def test_hidden_characters_are_made_visible():
    assert visible("a b\tc\x00\u200f\u00a0\u2028\ufeff\x7fé東") == (
        "a b\\u{0009}c\\u{0000}\\u{200F}\\u{00A0}\\u{2028}\\u{FEFF}\\u{007F}é東"
    )
