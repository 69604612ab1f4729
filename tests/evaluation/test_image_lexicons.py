"""Lexicons of single images, from the data set to the columns of an evaluation."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from spin_tf.cli import evaluate as command
from spin_tf.data.conversion.lexicons import write_lexicons
from spin_tf.data.records.tfrecord import ShardWriter, WordExample
from spin_tf.decoding.options import PER_IMAGE
from spin_tf.evaluation.image_lexicons import lexicon_of, load_lexicons, side_files
from spin_tf.evaluation.word_set import evaluate_set
from spin_tf.recognizer import Recognizer
from tests.data import samples
from tests.decoding.test_options import TinyModel, model

__all__ = ["model"]


def test_street_view_text(tmp_path: pathlib.Path) -> None:
    xml = """<tagset>
      <image><imageName>img/1.jpg</imageName><lex>LIVING, ROOM,THEATERS</lex><taggedRectangles>
        <taggedRectangle x="0" y="0" width="9" height="9"><tag>LIVING</tag></taggedRectangle></taggedRectangles></image>
      <image><imageName>img/2.jpg</imageName><lex></lex></image></tagset>"""
    (tmp_path / "test.xml").write_text(xml)
    path = tmp_path / "svt.lexicons.jsonl"
    assert write_lexicons("svt", [str(tmp_path / "test.xml")], str(path)) == 1
    assert json.loads(path.read_text()) == {"source_id": "img/1.jpg", "small": ["LIVING", "ROOM", "THEATERS"]}
    lexicons = load_lexicons([str(tmp_path / "svt-00000-of-00001.tfrecord")], "small")
    # The words of a picture are its name and a number.
    assert lexicon_of(lexicons, "img/1.jpg#word1") == ["LIVING", "ROOM", "THEATERS"]
    with pytest.raises(ValueError, match=r"Received: source_id='img/2.jpg#word1'"):
        lexicon_of(lexicons, "img/2.jpg#word1")


def test_iiit5k(tmp_path: pathlib.Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    fields = [("ImgName", object), ("GroundTruth", object), ("smallLexi", object), ("mediumLexi", object)]
    rows = np.zeros((1, 2), fields)
    words = np.empty((1, 3), object)
    words[0] = ["YOU", "RESCUE", "MISSION"]
    rows[0, 0] = ("test/1_1.png", "YOU", words[:, :2], words)
    rows[0, 1] = ("test/2_1.png", "RESCUE", words[:, 1:2], np.empty((0, 0), object))
    scipy_io.savemat(tmp_path / "testdata.mat", {"testdata": rows})
    path = tmp_path / "iiit5k.lexicons.jsonl"
    assert write_lexicons("iiit5k", [str(tmp_path / "testdata.mat")], str(path)) == 2
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {"source_id": "test/1_1.png", "small": ["YOU", "RESCUE"], "medium": ["YOU", "RESCUE", "MISSION"]}
    assert second == {"source_id": "test/2_1.png", "small": ["RESCUE"]}


def test_other_formats_have_none(tmp_path: pathlib.Path) -> None:
    assert write_lexicons("tsv", [str(tmp_path / "labels.txt")], str(tmp_path / "x.lexicons.jsonl")) == 0
    assert side_files([str(tmp_path / "x-00000-of-00001.tfrecord")]) == []


def test_a_broken_side_file_names_the_line(tmp_path: pathlib.Path) -> None:
    for line in ("{", "[]", '{"small": ["a"]}'):
        (tmp_path / "x.lexicons.jsonl").write_text(f'{{"source_id": "a", "small": ["b"]}}\n{line}\n')
        with pytest.raises(ValueError, match=r"Received: .*x\.lexicons\.jsonl, line 2"):
            load_lexicons([str(tmp_path / "x-00000-of-00001.tfrecord")], "small")


@pytest.fixture
def words(tmp_path: pathlib.Path) -> pathlib.Path:
    """Four words, each with two words to choose from."""
    lines = []
    with ShardWriter(str(tmp_path / "tiny"), num_shards=2) as writer:
        for i, label in enumerate(["ab", "1", "ba", "b1"]):
            writer.write(WordExample(samples.picture(seed=i), label, f"{i}.png", "png"))
            lines.append(json.dumps({"source_id": f"{i}.png", "pair": [label.upper(), "a1"]}) + "\n")
    (tmp_path / "tiny.lexicons.jsonl").write_text("".join(lines))
    return tmp_path


def test_every_word_is_read_under_its_own_list(model: TinyModel, words: pathlib.Path) -> None:
    pattern = [str(words / "tiny-*.tfrecord")]
    lexicons = load_lexicons([str(words / "tiny-00000-of-00002.tfrecord")], "pair")
    recognizer = Recognizer(lexicon=PER_IMAGE, min_probability=0.0)
    result = evaluate_set(recognizer, "tiny", pattern, lexicons=lexicons)
    assert len(result.readings) == 4
    for reading in result.readings:
        assert reading.prediction in (reading.truth.upper(), "a1")
    assert {reading.prediction for reading in result.readings} != {"a1"}


def test_the_command_reads_the_lists_of_each_set(
    model: TinyModel, words: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from absl import flags

    # Not parsed: other commands that tests have imported ask for flags of their own.
    flags.FLAGS.mark_as_parsed()
    sets = {"tiny": [str(words / "tiny-*.tfrecord")]}
    (pair,) = command.evaluate_with_lexicon(sets, "pair")
    (full,) = command.evaluate_with_lexicon(sets, "full")
    assert pair.name == full.name == "tiny"
    assert {reading.prediction for reading in full.readings} <= {"ab", "1", "ba", "b1"}
    assert all(reading.prediction for reading in (*pair.readings, *full.readings))
    with pytest.raises(command.UserError, match=r"no set has such lists.*--image_lexicon=small"):
        command.evaluate_with_lexicon(sets, "small")
