"""Words that a model has not learnt, picked out of TFRecords by `tools/hard_words.py`."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys

import PIL.Image
import pytest

from spin_tf import Recognizer
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample
from tests.strip_model import draw
from tools.hard_words import kind_of

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("label", "reading", "confidence", "kind"),
    [
        ("Café", "CAFE.", 0.9, "learnt"),
        ("cafe", "café", 0.5, "unsure"),
        ("cafe", "cate", 0.5, "misread"),
        ("cafe", "cate", 0.95, "doubtful"),
    ],
)
def test_kinds(label: str, reading: str, confidence: float, kind: str) -> None:
    assert kind_of(label, reading, confidence) == kind


def test_hard_words_become_records(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Of words read right, misread, surely misread and impossible to decode the misread one alone is kept, whole."""
    words = {"abc": "abc", "xyz": "xyy", "q1": "q1", "k7": "k8"}
    with ShardWriter(str(tmp_path / "words"), 1) as writer:
        for text, drawn in words.items():
            png = io.BytesIO()
            PIL.Image.fromarray(draw(drawn)).save(png, "PNG")
            writer.write(WordExample(png.getvalue(), text, f"word_{text}", "png"))
        writer.write(WordExample(b"no image", "zz", "broken", "png"))
    index = RecordIndex(str(tmp_path / "words-*"))
    misread = {i: Recognizer(strip_model).read(index.read_example(i).encoded).confidence for i in (1, 3)}
    surest, other = sorted(misread, key=misread.__getitem__, reverse=True)
    command = [sys.executable, "tools/hard_words.py", f"--model={strip_model}", f"--data={tmp_path}/words-*"]
    command += [f"--output={tmp_path}/hard", "--num_shards=1", f"--doubtful={misread[surest]}", "--unsure=0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith("| 4 | 2 | 0 | 1 | 1 |")
    hard = RecordIndex(str(tmp_path / "hard-*"))
    assert [hard.read_example(i) for i in range(len(hard))] == [index.read_example(other)]
