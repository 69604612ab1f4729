"""Normalisation, distances and counts, against values worked out by hand or by another definition."""

from __future__ import annotations

import functools
import math
import random

import pytest

from spin_tf.evaluation.metrics import Score, edit_distance, normalize, similarity, wilson_interval


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello-World!", "helloworld"),
        ("CAFÉ 24/7", "caf247"),
        ("!?", ""),
        ("", ""),
        ("abc", "abc"),
        ("İ", "i"),
        ("٣", ""),
    ],
)
def test_alphanumeric_protocol(text: str, expected: str) -> None:
    assert normalize(text) == expected


def test_exact_protocol_changes_nothing() -> None:
    assert normalize("Hello-World! ", "exact") == "Hello-World! "
    with pytest.raises(ValueError, match="Received: protocol='other'"):
        normalize("a", "other")


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0), ("ab", "ba", 2)],
)
def test_edit_distance_by_hand(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_edit_distance_against_its_recursive_definition() -> None:
    @functools.cache
    def definition(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(definition(a[1:], b) + 1, definition(a, b[1:]) + 1, definition(a[1:], b[1:]) + (a[0] != b[0]))

    rng = random.Random(0)
    for _ in range(200):
        a, b = ("".join(rng.choices("abc", k=rng.randrange(8))) for _ in range(2))
        assert edit_distance(a, b) == definition(a, b)


def test_similarity_divides_by_the_longer_text() -> None:
    assert similarity("abcd", "ab") == pytest.approx(0.5)
    assert similarity("ab", "abcd") == pytest.approx(0.5)
    assert similarity("abc", "") == 0.0
    assert similarity("", "") == 1.0


def test_wilson_interval() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 1998, table I.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)
    assert wilson_interval(20, 20)[1] == 1.0
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="Received: correct=3, words=2"):
        wilson_interval(3, 2)


def test_score_counts_every_case() -> None:
    score = Score()
    assert score.add("Word!", "word") is True
    assert score.add("other", "otter") is False
    assert score.add("?!", "anything") is None
    assert score.add("gone", None) is False
    assert score.add("half", "ha") is False
    assert (score.words, score.correct, score.excluded, score.unreadable) == (4, 1, 1, 1)
    assert score.word_accuracy == pytest.approx(1 / 4)
    assert score.one_minus_ned == pytest.approx((1 + 4 / 5 + 0 + 1 / 2) / 4)
    assert score.interval == wilson_interval(1, 4)


def test_score_under_the_exact_protocol() -> None:
    score = Score()
    assert score.add("Word!", "word", "exact") is False
    assert score.add("?!", "?!", "exact") is True
    assert score.excluded == 0


def test_sums_and_nothing() -> None:
    assert Score(3, 2, 1, 0, 2.5) + Score(1, 1, 0, 1, 1.0) == Score(4, 3, 1, 1, 3.5)
    assert math.isnan(Score().word_accuracy)
    assert math.isnan(Score().one_minus_ned)
