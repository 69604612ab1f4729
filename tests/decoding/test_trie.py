"""Lexicons as tries, held against sets of words."""

from __future__ import annotations

import logging
import pathlib
import random

import numpy as np
import pytest

from spin_tf.charset import Charset
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.pattern import compile_pattern
from spin_tf.decoding.trie import Trie

EXACT = Letters(Charset("abB1é"), ignore_case=False)
IGNORING = Letters(Charset("abB1é"), ignore_case=True)


def words_of(trie: Trie, letters: Letters, max_length: int) -> dict[str, str]:
    """Every way through the trie, by depth: what the model reads, and how the lexicon spells it."""
    found, pending = {}, [(trie.start, "")]
    while pending:
        states = np.array([state for state, _ in pending])
        rows = trie.transitions(states, np.full(len(states), max_length + 1))
        after = []
        for (_, text), row in zip(pending, rows, strict=True):
            if row[1] >= 0:
                found[text] = trie.spelling(int(row[1]), text)
            assert row[0] < 0
            for token in np.flatnonzero(row[2:] >= 0) + 2:
                after.append((int(row[token]), text + letters.charset.characters[token - 2]))
        pending = after
    return found


@pytest.mark.parametrize("seed", range(20))
def test_it_holds_the_words_and_no_others(seed: int) -> None:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abB1é", k=rng.randint(1, 5))) for _ in range(rng.choice([1, 3, 30, 300]))]
    trie = Trie(words, EXACT, 5)
    assert words_of(trie, EXACT, 5) == {word: word for word in words}
    assert (trie.num_words, trie.left_out) == (len(set(words)), 0)
    assert trie.num_states == len({word[:n] for word in words for n in range(len(word) + 1)})


@pytest.mark.parametrize("seed", range(20))
def test_ignoring_case_answers_in_the_spelling_that_comes_first(seed: int) -> None:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abB1", k=rng.randint(1, 4))) for _ in range(rng.choice([3, 40]))]
    first: dict[str, str] = {}
    for word in words:
        first.setdefault(word.lower(), word)
    found = words_of(Trie(words, IGNORING, 5), IGNORING, 5)
    assert {text.lower() for text in found} == set(first)
    assert found == {text: first[text.lower()] for text in found}
    # The model may read either case of the one letter that it has both of.
    assert len(found) == sum(2 ** word.count("b") for word in first)


def test_what_cannot_be_read_is_left_out_and_counted() -> None:
    words = ["ab", "", "a b", "x", "ababab", "é", "a\0b", "ab\0", "ba"]
    trie = Trie(words, EXACT, 5)
    assert set(words_of(trie, EXACT, 5)) <= {"ab", "é", "ba"}
    assert trie.num_words == 3
    with pytest.raises(ValueError, match=r"holds no word of up to 5 characters.*Received: 2 words"):
        Trie(["xyz", "a b"], EXACT, 5)


def test_other_constraints_leave_words_out() -> None:
    trie = Trie(["ab", "a1", "b1", "11"], EXACT, 5, compile_pattern("[ab]1", EXACT, 5))
    assert set(words_of(trie, EXACT, 5)) == {"a1", "b1"}
    assert trie.left_out == 2


def test_a_charset_that_folds_case_folds_the_lexicon() -> None:
    letters = Letters(Charset("ab1", fold_case=True), ignore_case=False)
    assert words_of(Trie(["AB", "b1"], letters, 5), letters, 5) == {"ab": "ab", "b1": "b1"}


def test_many_characters_take_two_bytes_a_token() -> None:
    letters = Letters(Charset("".join(chr(0x4E00 + i) for i in range(600))), ignore_case=False)
    words = ["一", "一丁", chr(0x4E00 + 599) * 3, chr(0x4E00 + 300)]
    assert set(words_of(Trie(words, letters, 5), letters, 5)) == set(words)


def test_files(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffab\r\n\r\nb1\na b".encode())
    with caplog.at_level(logging.WARNING, logger="absl"):
        trie = Trie.from_file(path, EXACT, 5)
    assert set(words_of(trie, EXACT, 5)) == {"ab", "b1"}
    assert "1 words are left out" in caplog.text
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="UTF-8"):
        Trie.from_file(path, EXACT, 5)
    with pytest.raises(FileNotFoundError):
        Trie.from_file(tmp_path / "absent", EXACT, 5)


def test_a_hundred_thousand_words_take_little_memory() -> None:
    rng = np.random.default_rng(0)
    letters = Letters(Charset.from_spec("36"), ignore_case=False)
    codes = rng.integers(0, 26, (100_000, 8))
    words = ["".join(chr(97 + c) for c in row[: 3 + row[0] % 6]) for row in codes]
    trie = Trie(words, letters, 25)
    assert trie.num_words == len(set(words))
    assert trie.nbytes < 10 * trie.num_states + 13 * trie.num_words
