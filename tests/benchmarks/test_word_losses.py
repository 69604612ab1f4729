"""Cross entropy of the right tokens, and the benchmarks that compare runs by it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.word_losses import CrossEntropy, Measured, load_words
from spin_tf import config as c
from spin_tf.charset import Tokenizer
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.evaluation.metrics import Score
from spin_tf.models import SPINRecognizer
from tests.training import tiny

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, str]:
    folder = tmp_path_factory.mktemp("words")
    tiny.write_config(folder)
    return folder, str(folder / "words-*.tfrecord")


def test_it_is_that_of_the_softmax(words: tuple[pathlib.Path, str]) -> None:
    """Against numpy, over more than one batch; what the charset cannot write is read, but has no cross entropy."""
    texts, images = load_words([words[1]], Preprocessing((32, 32)))
    texts = ["\u4e2d", *texts[1:]] * 4
    images = images * 4
    model = SPINRecognizer(tiny.config(words[0]).model)
    measured = CrossEntropy(model).measure(texts, images)
    tokenizer = Tokenizer(model.charset)
    # Each picture is there four times.
    states = np.asarray(model.encode(model.rectify(np.stack(images[:40]))["image"]))
    expected, count = [], 0
    known: dict[int, np.ndarray] = {}
    for number, text in enumerate(texts):
        try:
            tokens = np.asarray(tokenizer.encode(text))
        except ValueError:
            continue
        number %= 40
        if number not in known:
            known[number] = np.asarray(model.decoder(states[number : number + 1], tokens[None, :-1]))[0]
        logits = known[number].astype("float64")
        log = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        length = len(text) + 1
        expected.append(-log[np.arange(length), tokens[1 : 1 + length]].sum())
        count += length
    assert len(texts) - 4 == len(expected) > 128
    assert measured.tokens == count and measured.score.words == len(texts) - 4
    np.testing.assert_allclose(measured.losses, expected, rtol=1e-3)
    assert measured.per_token == pytest.approx(sum(expected) / count, rel=1e-4)


def test_a_difference_has_the_error_of_its_mean() -> None:
    rng = np.random.default_rng(0)
    first = Measured(rng.random(400, "float32"), 1000, Score())
    second = Measured(first.losses + rng.normal(0.1, 0.5, 400).astype("float32"), 1000, Score())
    more, error = second.beyond(first)
    assert more == pytest.approx(second.per_token - first.per_token, rel=1e-4)
    # Of a sum of 400 independent differences, over 1,000 tokens.
    assert error == pytest.approx(0.5 * 20 / 1000, rel=0.1)
    with pytest.raises(ValueError, match="3 and 400 words"):
        Measured(first.losses[:3], 9, Score()).beyond(first)


def run(*line: str) -> subprocess.CompletedProcess[str]:
    """A script of the project."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [sys.executable, *line], cwd=ROOT, capture_output=True, text=True, env=environment, check=False
    )


@pytest.mark.slow
def test_runs_without_a_source(words: tuple[pathlib.Path, str]) -> None:
    """Two sources, each left out in turn; done again, nothing is trained; an unknown source is refused."""
    folder, pattern = words
    config = tiny.config(folder)
    source = config.data.train["words"]
    config.data.train = {"some": source, "others": source}
    path = folder / "two.yaml"
    c.save(config, str(path))
    line = ["benchmarks/sources_accuracy.py", f"--config={path}", f"--data=words={pattern}"]
    line += [f"--work={folder / 'work'}", "--steps=2"]

    done = run(*line)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [row for row in done.stdout.splitlines() if row.startswith("|")]
    assert [row.split()[1] for row in rows] == ["without", "---", "all", "some", "others"]
    assert " +- " in rows[3] and " +- " in rows[4]
    written = (folder / "work" / "some.log").read_text()
    assert run(*line, "--report").stdout.splitlines()[-5:] == rows
    assert (folder / "work" / "some.log").read_text() == written
    assert "no such source: none. It has some, others" in run(*line, "--leave_out=none").stderr


@pytest.mark.slow
def test_trials_of_equal_time(words: tuple[pathlib.Path, str]) -> None:
    """Two networks on images of two widths; done again, nothing is trained; with other settings they are refused."""
    folder, pattern = words
    line = ["benchmarks/equal_time.py", f"--config={tiny.write_config(folder)}", f"--data=words={pattern}"]
    line += [f"--work={folder / 'trials'}", "--minutes=0.1", "--trial=small"]
    wide = "--trial=wide:model.image_size=[32,48];model.backbone.num_blocks=[1,2,1,1]"
    done = run(*line, wide)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [row.split(" | ") for row in done.stdout.splitlines() if row.startswith("|")]
    assert [row[0] for row in rows] == ["| trial", "| ---", "| small", "| wide"]
    # Each has taken some steps of eight words.
    assert all(int(row[1].replace(",", "")) % 8 == 0 and int(row[1].replace(",", "")) > 0 for row in rows[2:])
    assert " +- " in rows[3][-1]
    assert c.load(str(folder / "trials" / "wide" / "config.yaml")).model.image_size == [32, 48]
    assert run(*line, wide).stdout.splitlines() == done.stdout.splitlines()[2:]
    refused = run(*line, wide.replace("48", "64"))
    assert refused.returncode != 0 and "a trial of another configuration is there" in refused.stderr
