"""Beam search, held against every word that a tiny decoder can read."""

from __future__ import annotations

import re

import numpy as np
import pytest

from spin_tf.charset import Charset
from spin_tf.decoding.automaton import Anything, Automaton
from spin_tf.decoding.decoder import Weighted
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.pattern import compile_allowlist, compile_pattern
from spin_tf.decoding.search import BeamSearch
from spin_tf.decoding.stepping import Encoded
from spin_tf.decoding.trie import Trie
from tests.decoding.tiny_steps import TinySteps, all_words, images

CHARACTERS = "ab1"
MAX_LENGTH = 3
LETTERS = Letters(Charset(CHARACTERS), ignore_case=False)
WORDS = 12


@pytest.fixture(scope="module", params=[1.0, 4.0], ids=["unsure", "sure"])
def everything(request: pytest.FixtureRequest) -> tuple[TinySteps, Encoded, list[dict[str, float]]]:
    """A model, its states of some images, and by image the log probability of every word."""
    model = TinySteps(len(CHARACTERS), seed=1, sharpness=request.param)
    encoded = model.encode(images(WORDS))
    return model, encoded, [all_words(model, encoded, i, CHARACTERS, MAX_LENGTH) for i in range(WORDS)]


def search(model: TinySteps, **options: object) -> BeamSearch:
    return BeamSearch(model, CHARACTERS, MAX_LENGTH + 1, **options)  # type: ignore[arg-type]


def test_all_probabilities_of_the_tiny_model_add_up(everything) -> None:
    for words in everything[2]:
        assert sum(np.exp(list(words.values()))) == pytest.approx(1, abs=1e-5)


def test_width_one_is_greedy(everything) -> None:
    model, encoded, _ = everything
    found = search(model).run(encoded, Anything(model.classes))
    output = cell = np.zeros((WORDS, model.units), np.float32)
    previous, texts, logs = np.zeros(WORDS, np.int32), [""] * WORDS, np.zeros(WORDS)
    ended = np.zeros(WORDS, bool)
    for _ in range(MAX_LENGTH + 1):
        result = model.step(encoded["states"], encoded["projected"], previous, output, cell)
        output, cell = result["output"], result["cell"]
        previous = result["probabilities"].argmax(1).astype(np.int32)
        for i in np.flatnonzero(~ended):
            logs[i] += np.log(result["probabilities"][i, previous[i]])
            texts[i] += CHARACTERS[previous[i] - 2] if previous[i] > 1 else ""
        ended |= previous == 1
    assert [word[0].text for word in found] == texts
    assert [word[0].truncated for word in found] == [not e for e in ended]
    np.testing.assert_allclose([word[0].log_probability for word in found], logs, rtol=1e-4)


@pytest.mark.parametrize(
    "constraint", ["anything", "allowlist", "pattern", "lexicon", "weighted", "weighted pattern", "ends in 1"]
)
@pytest.mark.parametrize("num_best", [1, 4])
def test_exact_search_finds_the_best_of_all_words(everything, constraint: str, num_best: int) -> None:
    model, encoded, words = everything
    lexicon = ["ab", "b1", "bbb", "1", "a1a", "nowhere", "aaaa"]
    trie = Trie(lexicon, LETTERS, MAX_LENGTH)
    pattern = compile_pattern("[ab]{2,}1?", LETTERS, MAX_LENGTH)
    automaton: Automaton
    bonus = dict.fromkeys(words[0], 0.0)
    allowed = set(bonus)
    if constraint == "anything":
        automaton = Anything(model.classes)
    elif constraint == "allowlist":
        automaton = compile_allowlist("a1", LETTERS, MAX_LENGTH)
        allowed = {word for word in bonus if set(word) <= set("a1") and len(word) <= MAX_LENGTH}
    elif constraint == "pattern":
        automaton = pattern
        allowed = {word for word in bonus if re.fullmatch("[ab]{2,}1?", word) and len(word) <= MAX_LENGTH}
    elif constraint == "ends in 1":
        automaton = compile_pattern(".*1", LETTERS, MAX_LENGTH)
        allowed = {word for word in bonus if word.endswith("1") and len(word) <= MAX_LENGTH}
    elif constraint == "lexicon":
        automaton = trie
        allowed = set(lexicon) & set(bonus) - {"aaaa"}
    else:
        hard: Automaton = Anything(model.classes)
        if constraint == "weighted pattern":
            hard = pattern
            allowed = {word for word in bonus if re.fullmatch("[ab]{2,}1?", word) and len(word) <= MAX_LENGTH}
        automaton = Weighted(hard, trie, 1.5)
        bonus |= {word: 1.5 for word in lexicon if len(word) <= MAX_LENGTH}
    found = search(model, width=20, num_best=num_best, is_exact=True).run(encoded, automaton)
    for result, logs in zip(found, words, strict=True):
        expected = sorted(allowed, key=lambda word: -(logs[word] + bonus[word]))[:num_best]
        assert [reading.text for reading in result] == expected
        for reading in result:
            assert reading.log_probability == pytest.approx(logs[reading.text], abs=1e-4)
            assert reading.worth == pytest.approx(logs[reading.text] + bonus[reading.text], abs=1e-4)
            assert np.log(reading.probabilities).sum() == pytest.approx(reading.log_probability, abs=1e-4)
            assert len(reading.positions) == len(reading.probabilities) == len(reading.text) + (not reading.truncated)
            assert reading.truncated == (len(reading.text) > MAX_LENGTH)
            assert all(0.1 <= x <= 0.9 for x in reading.positions)


def test_a_wider_beam_is_no_worse_and_finds_the_best(everything) -> None:
    model, encoded, words = everything
    automaton = Anything(model.classes)
    before = np.full(WORDS, -np.inf)
    for width in (1, 2, 3, 8):
        found = search(model, width=width, is_exact=True).run(encoded, automaton)
        logs = np.array([readings[0].log_probability for readings in found])
        assert (logs >= before - 1e-4).all()
        before = logs
    np.testing.assert_allclose(before, [max(all_logs.values()) for all_logs in words], atol=1e-4)


def test_what_is_below_the_floor_is_not_found(everything) -> None:
    model, encoded, words = everything
    trie = Trie(["1b", "bb"], LETTERS, MAX_LENGTH)
    best = np.array([max(logs["1b"], logs["bb"]) for logs in words])
    floor = float(np.exp(np.median(best)))
    found = search(model, width=2, is_exact=True, min_probability=floor).run(encoded, trie)
    assert [bool(result) for result in found] == list(best >= np.log(floor))
    assert 0 < sum(bool(result) for result in found) < WORDS


def test_sure_words_cost_hardly_more_than_greedy() -> None:
    """Beginnings far behind wait, and seldom have to be looked at."""
    model = TinySteps(len(CHARACTERS), seed=1, sharpness=100.0)
    encoded = model.encode(images(200))
    model.rows = 0
    greedy = search(model).run(encoded, Anything(model.classes))
    rows, model.rows = model.rows, 0
    found = search(model, width=5, is_exact=True).run(encoded, Anything(model.classes))
    assert model.rows < 2 * rows
    assert np.mean([a[0].text == b[0].text for a, b in zip(greedy, found, strict=True)]) > 0.9


def test_no_words() -> None:
    model = TinySteps(len(CHARACTERS))
    encoded = model.encode(images(3))
    none: Encoded = {
        "states": encoded["states"][:0],
        "projected": encoded["projected"][:0],
        "centres": encoded["centres"][:0],
    }
    assert search(model).run(none, Anything(model.classes)) == []
