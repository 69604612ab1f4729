"""bin/synthesize.py as a user runs it."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.synthesis import WordSynthesizer
from spin_tf.synthesis.languages import is_held_out

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def synthesize(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "synthesize.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def shards(prefix: pathlib.Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(prefix.parent.glob(prefix.name + "-*-of-00003.tfrecord"))]


def test_records_do_not_depend_on_the_number_of_workers(tmp_path: pathlib.Path) -> None:
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("lighthouse\nsea\nharbour\n")
    flags = ("--num_words=250", "--num_shards=3", "--seed=4", f"--lexicon={lexicon}")
    for name, workers in (("one", 1), ("two", 2)):
        result = synthesize(f"--output={tmp_path / name}", f"--workers={workers}", *flags)
        assert result.returncode == 0, result.stderr
        assert "250 words in 3 shards" in result.stdout
    assert len(shards(tmp_path / "one")) == 3
    assert shards(tmp_path / "one") == shards(tmp_path / "two")

    index = RecordIndex(f"{tmp_path / 'one'}-*.tfrecord")
    words = [index.read_example(i, check=True) for i in range(len(index))]
    assert len(words) == 250
    assert {word.source_id for word in words} == {f"synth/4/{i}" for i in range(250)}
    synthesizer = WordSynthesizer(lexicon=["lighthouse", "sea", "harbour"])
    for word in words[:20]:
        image, label = synthesizer.word((4 << 40) + int(word.source_id.split("/")[-1]))
        assert word.text == label and word.format == "png"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(word.encoded))), image)


def test_contact_sheet(tmp_path: pathlib.Path) -> None:
    result = synthesize(f"--contact_sheet={tmp_path / 'sheet.png'}", "--num_words=20", "--without=blur,noise")
    assert result.returncode == 0, result.stderr
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.size == (8 * 103 + 3, 3 * 35 + 3)
    assert np.asarray(sheet)[3:35, 3:103].std() > 5


def test_mistakes_are_told_in_one_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").mkdir()
    output = f"--output={tmp_path / 'x'}"
    for arguments, message in (
        ((), "--output=PREFIX or --contact_sheet=FILE"),
        ((output, "--contact_sheet=x.png"), "--output=PREFIX or --contact_sheet=FILE"),
        ((output, f"--fonts={tmp_path / 'missing'}"), "No such folder of fonts"),
        ((output, f"--fonts={tmp_path / 'empty'}"), "No .ttf, .otf or .ttc file"),
        ((output, f"--backgrounds={tmp_path / 'empty'}"), "No picture in the folder"),
        ((output, f"--lexicon={tmp_path / 'missing.txt'}"), "missing.txt"),
        ((output, "--without=blurr"), "families=['blurr']"),
        ((output, "--strength=-1"), "strength=-1"),
        ((output, "--size=32"), "size must be (height, width)"),
        ((output, "--wide_size=32"), "wide_size must be (height, width)"),
        ((output, "--shares=signs"), "shares='signs'"),
        ((output, "--effects=blur"), "effects='blur'"),
        ((output, f"--only_fonts={tmp_path / 'missing.txt'}"), "missing.txt"),
        ((output, "word"), "takes flags only"),
    ):
        result = synthesize(*arguments)
        assert result.returncode == 2, arguments
        assert message in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_words_of_languages_and_wide_images_for_a_charset(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("wordfreq")
    flags = ("--charset=chars:abcdefghijklmnopqrstuvwxyzäöüß", "--languages=de", "--shares=words=1", "--num_shards=1")
    for part in ("train", "held_out"):
        result = synthesize(
            f"--output={tmp_path / part}", "--num_words=60", "--language_words=3000", f"--word_split={part}", *flags,
            "--size=32,128", "--wide_size=32,256", "--max_length=40",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    words = {}
    for part in ("train", "held_out"):
        index = RecordIndex(f"{tmp_path / part}-*.tfrecord")
        words[part] = [index.read_example(i) for i in range(len(index))]
        assert all(is_held_out(word.text) is (part == "held_out") for word in words[part])
        sizes = {Image.open(io.BytesIO(word.encoded)).size for word in words[part]}
        assert (128, 32) in sizes and sizes <= {(128, 32), (256, 32)}
    assert len({word.text for word in words["train"]}) > 40
