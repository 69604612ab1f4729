"""Two models on the same words: counts, pairs and McNemar's exact p."""

from __future__ import annotations

import json
import math
import pathlib

import pytest

from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample
from spin_tf.evaluation import comparison
from spin_tf.evaluation.metrics import Score
from spin_tf.evaluation.word_set import Reading, SetResult


def _result(index: RecordIndex, right: list[bool | None]) -> SetResult:
    readings = [Reading(i, f"{i}.png", f"w{i}", f"r{i}", 0.5, "", correct) for i, correct in enumerate(right)]
    return SetResult("a|b", index, Score(), readings, 1.0)


@pytest.fixture
def index(tmp_path: pathlib.Path) -> RecordIndex:
    with ShardWriter(str(tmp_path / "words"), num_shards=1) as writer:
        writer.write(WordExample(b"x", "w", "0.png", "png"))
    return RecordIndex(str(tmp_path / "words-*"))


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (5, 5), (0, 8), (3, 10), (10, 3), (40, 71)])
def test_p_is_the_binomial_tail(counts: tuple[int, int]) -> None:
    n, k = sum(counts), min(counts)
    expected = min(1.0, 2 * sum(math.comb(n, i) * 0.5**n for i in range(k + 1)))
    assert comparison.mcnemar_p(*counts) == pytest.approx(expected, rel=1e-12)


def test_p_of_known_cases_and_of_many_words() -> None:
    assert comparison.mcnemar_p(0, 8) == 2 / 256
    assert comparison.mcnemar_p(5, 5) == 1.0
    # The normal approximation with continuity correction, where it holds.
    z = (abs(5300 - 4700) - 1) / math.sqrt(10_000)
    assert comparison.mcnemar_p(5300, 4700) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.02)
    with pytest.raises(ValueError, match="only_first=-1"):
        comparison.mcnemar_p(-1, 2)


def test_pairs_table_and_files(index: RecordIndex, tmp_path: pathlib.Path) -> None:
    first = _result(index, [True, True, False, False, None, True])
    second = _result(index, [True, False, True, False, None, False])
    found = comparison.compare(first, second)
    assert (found.words, found.both) == (5, 1)
    assert [one.index for one, _ in found.first] == [1, 5]
    assert [one.index for one, _ in found.second] == [2]
    rows = comparison.make_table([found, found]).splitlines()
    assert rows[2] == r"| a\|b | 5 | 1 | 2 | 1 | 1 | 1 |"
    assert rows[4] == f"| all words | 10 | 2 | 4 | 2 | 2 | {comparison.mcnemar_p(4, 2):.3g} |"
    comparison.write(tmp_path / "out", [found], "A", "B")
    assert "The first model: A. The second: B." in (tmp_path / "out/comparison.md").read_text()
    lines = [json.loads(line) for line in (tmp_path / "out/comparison.jsonl").read_text().splitlines()]
    assert [(line["truth"], line["right"]) for line in lines] == [("w1", "first"), ("w5", "first"), ("w2", "second")]


def test_other_words_do_not_compare(index: RecordIndex) -> None:
    with pytest.raises(ValueError, match="same words"):
        comparison.compare(_result(index, [True]), _result(index, [True, False]))
