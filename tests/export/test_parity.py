"""What an export is refused for: words, and differences of nearly all of them; never the odd word alone."""

from __future__ import annotations

import numpy as np
import pytest

from spin_tf.charset import Charset, Tokenizer
from spin_tf.export.parity import Parity, ParityError, compare_words, require_parity

CHARSET = Charset("abc")
WORDS = 200


def probabilities(tokens: list[int], sure: float = 0.9) -> np.ndarray:
    """(steps, 5): the start, the end, a, b, c."""
    rows = np.full((len(tokens), 5), (1 - sure) / 4)
    rows[np.arange(len(tokens)), tokens] = sure
    return rows


@pytest.fixture
def expected() -> np.ndarray:
    return np.stack([probabilities([2, 3, 4, Tokenizer.END_ID, 0]) for _ in range(WORDS)])


def moved(expected: np.ndarray, words: int, by: float) -> np.ndarray:
    actual = expected.copy()
    actual[169 : 169 + words, 1] += [0, 0, 0, -by, by]
    return actual


@pytest.mark.parametrize("words", [1, 4])
def test_odd_words_may_move_farther(expected: np.ndarray, words: int) -> None:
    parity = compare_words(expected, moved(expected, words, 0.02), CHARSET)
    assert parity.agreement == 1 and parity.probability_difference == pytest.approx(0.02)
    require_parity(parity, "none", "ONNX", "m.onnx")


@pytest.mark.parametrize(("words", "by"), [(5, 0.002), (200, 0.002), (1, 0.1)])
def test_many_words_or_one_by_far_do_not_pass(expected: np.ndarray, words: int, by: float) -> None:
    parity = compare_words(expected, moved(expected, min(words, 31), by), CHARSET)
    with pytest.raises(ParityError, match=r"farthest off is word 1\d\d, read as 'abc'; .*--check_data"):
        require_parity(parity, "none", "ONNX", "m.onnx")


def test_a_word_that_is_read_otherwise_is_named(expected: np.ndarray) -> None:
    actual = expected.copy()
    actual[17] = probabilities([2, 2, 4, Tokenizer.END_ID, 0])
    actual[40, 1] += [0, 0, 0, -0.02, 0.02]
    parity = compare_words(expected, actual, CHARSET)
    assert parity.agreement == 1 - 1 / WORDS
    with pytest.raises(ParityError, match=r"99\.50% of 200 words.*farthest off is word 17, read as 'abc'"):
        require_parity(parity, "none", "ONNX", "m.onnx")
    require_parity(parity, "float16", "float16", "m.tflite")


def test_a_word_on_which_the_model_is_undecided_counts_as_the_same(expected: np.ndarray) -> None:
    expected[17, 1] = [0, 0, 0.2, 0.4002, 0.3998]
    actual = expected.copy()
    actual[17, 1] = [0, 0, 0.2, 0.3998, 0.4002]
    # What follows another character is another word.
    actual[17, 2:] = probabilities([2, 2, 1])
    require_parity(compare_words(expected, actual, CHARSET), "none", "ONNX", "m.onnx")
    # A step that is decided is not.
    expected[17, 1] = [0, 0, 0.2, 0.41, 0.39]
    with pytest.raises(ParityError):
        require_parity(compare_words(expected, actual, CHARSET), "none", "ONNX", "m.onnx")


def test_steps_behind_the_end_and_few_words(expected: np.ndarray) -> None:
    actual = expected.copy()
    actual[:, 4] = 0
    assert compare_words(expected, actual).probability_difference == 0
    few = compare_words(expected[:3], moved(expected, 1, 0.02)[167:170])
    assert few.usual_difference == pytest.approx(0.02) and few.off == "word 2"
    with pytest.raises(ValueError, match="nothing to compare on"):
        compare_words(expected[:0], actual[:0])


def test_readings_from_files_are_judged_alike() -> None:
    names = [f"file {i}" for i in range(WORDS)]
    require_parity(Parity.of([1e-6] * (WORDS - 1) + [0.003], names), "bytes", "SavedModel", "model")
    with pytest.raises(ParityError, match=r"from bytes, .*farthest off is file 0"):
        require_parity(Parity.of([0.003] * 9 + [1e-6] * (WORDS - 9), names), "bytes", "SavedModel", "model")
    with pytest.raises(ParityError, match="farthest off is file 9"):
        require_parity(Parity.of([1e-6] * 9 + [None] + [1e-6] * (WORDS - 10), names), "bytes", "SavedModel", "model")
