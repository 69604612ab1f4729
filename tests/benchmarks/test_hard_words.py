"""Words that a model has not learnt, picked out of TFRecords by `tools/hard_words.py`."""

from __future__ import annotations

import io
import pathlib
import subprocess
import sys

import PIL.Image

from spin_tf import Recognizer
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample
from tests.strip_model import draw

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def test_hard_words_become_records(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Kept are, whole, what is misread and what is read, but unsurely; not what is surely misread or no image."""
    words = {"abc": "abc", "XYZ.": "xyz", "xyz": "xyy", "q1": "q1", "k7": "k8"}
    with ShardWriter(str(tmp_path / "words"), 1) as writer:
        for text, drawn in words.items():
            png = io.BytesIO()
            PIL.Image.fromarray(draw(drawn)).save(png, "PNG")
            writer.write(WordExample(png.getvalue(), text, f"word_{text}", "png"))
        writer.write(WordExample(b"no image", "zz", "broken", "png"))
    index = RecordIndex(str(tmp_path / "words-*"))
    recognizer = Recognizer(strip_model)
    confidence = [recognizer.read(index.read_example(i).encoded).confidence for i in range(len(words))]
    unsure = min((0, 1, 3), key=confidence.__getitem__)
    misread, doubtful = sorted((2, 4), key=confidence.__getitem__)
    assert confidence[misread] < confidence[doubtful]
    command = [sys.executable, "tools/hard_words.py", f"--model={strip_model}", f"--data={tmp_path}/words-*"]
    command += [f"--output={tmp_path}/hard", "--num_shards=1", f"--doubtful={confidence[doubtful]!r}"]
    command += [f"--unsure={sorted(confidence[i] for i in (0, 1, 3))[1]!r}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith("| 5 | 2 | 1 | 1 | 1 |")
    hard = RecordIndex(str(tmp_path / "hard-*"))
    assert [hard.read_example(i) for i in range(len(hard))] == [
        index.read_example(i) for i in sorted((unsure, misread))
    ]
