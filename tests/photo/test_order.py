"""Lines and reading order."""

from __future__ import annotations

import numpy as np
import pytest

from spin_tf.photo.order import lines_of


def boxes(*places: tuple[float, float, float, float]) -> np.ndarray:
    """left, top, width, height of each word."""
    return np.array([[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in places], np.float32)


def tilt(quadrilaterals: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return quadrilaterals @ turn


def test_nothing() -> None:
    assert lines_of(np.zeros((0, 4, 2), np.float32)) == []


@pytest.mark.parametrize("degrees", [-25, -8, 0, 8, 25])
def test_words_of_tilted_lines(degrees: float) -> None:
    # Given from the end: the order they come in is not that of reading.
    words = boxes((220, 60, 80, 20), (0, 62, 100, 20), (110, 61, 100, 20), (120, 0, 90, 20), (0, 0, 110, 20))
    assert lines_of(tilt(words, degrees)) == [[4, 3], [1, 2, 0]]


def test_columns_stay_apart() -> None:
    """Lines of two columns at the same heights: the left column first."""
    left = [(0, 30 * i, 60, 20) for i in range(3)] + [(70, 30 * i, 60, 20) for i in range(3)]
    right = [(260, 30 * i, 60, 20) for i in range(3)]
    assert lines_of(boxes(*left, *right)) == [[0, 3], [1, 4], [2, 5], [6], [7], [8]]


def test_a_heading_over_two_columns_comes_first_and_a_footer_last() -> None:
    words = boxes(
        (0, 200, 150, 24), (160, 200, 150, 24),
        (0, 60, 100, 20), (0, 90, 100, 20), (210, 60, 100, 20), (210, 90, 100, 20),
        (0, 0, 310, 30),
    )  # fmt: skip
    assert lines_of(words) == [[6], [2], [3], [4], [5], [0, 1]]


def test_words_of_other_heights_are_other_lines() -> None:
    assert lines_of(boxes((0, 0, 200, 80), (210, 30, 60, 20))) == [[0], [1]]


def test_a_line_along_an_arch() -> None:
    words = []
    for degrees in (-60, -30, 0, 30, 60):
        middle = np.array([300 * np.sin(np.radians(degrees)), -300 * np.cos(np.radians(degrees))])
        words.append(tilt(boxes((-65, -15, 130, 30)), degrees)[0] + middle)
    assert lines_of(np.array(words)[[2, 0, 4, 1, 3]]) == [[1, 3, 0, 4, 2]]


def test_every_word_is_in_one_line_whatever_the_places() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        count = int(random.integers(1, 40))
        words = random.uniform(0, 200, (count, 1, 2)) + random.uniform(0, 40, (count, 4, 2))
        numbers = [number for line in lines_of(words.astype(np.float32)) for number in line]
        assert sorted(numbers) == list(range(count))
