"""Patterns, held against Python's `re.fullmatch` on every short word."""

from __future__ import annotations

import itertools
import random
import re

import numpy as np
import pytest

from spin_tf.charset import Charset
from spin_tf.decoding.automaton import Table
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.pattern import compile_allowlist, compile_pattern, intersect

CHARACTERS = "abB1-_."
MAX_LENGTH = 4
LETTERS = Letters(Charset(CHARACTERS), ignore_case=False)
WORDS = ["".join(word) for n in range(MAX_LENGTH + 1) for word in itertools.product(CHARACTERS, repeat=n)]


def accepted(table: Table, letters: Letters = LETTERS, words: list[str] = WORDS) -> set[str]:
    tokens = np.zeros((len(words), MAX_LENGTH), np.int64)
    for row, word in zip(tokens, words, strict=True):
        row[: len(word)] = [letters.token[c] for c in word]
    return {word for word, is_accepted in zip(words, table.accepts(tokens), strict=True) if is_accepted}


def random_pattern(rng: random.Random, depth: int = 2) -> str:
    def atom() -> str:
        kind = rng.randrange(10 if depth else 6)
        if kind < 3:
            return re.escape(rng.choice(CHARACTERS))
        if kind < 6:
            members = rng.choice(
                ["ab", "a-b", "^a", "1-", "^b-", r"\d", r"\w.", r"^\W", "]a", r"\]b", "A-Z", "a-zA-Z0-9"]
            )
            return rng.choice([f"[{members}]", ".", r"\d", r"\w", r"\D", r"\W"])
        inside = random_pattern(rng, depth - 1)
        return f"({rng.choice(['', '?:'])}{inside})"

    def repeated() -> str:
        return atom() + rng.choice([""] * 5 + ["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "{,2}", "{0}"])

    return "|".join("".join(repeated() for _ in range(rng.randrange(1, 4))) for _ in range(rng.choice([1, 1, 2])))


@pytest.mark.parametrize("seed", range(150))
def test_random_patterns_allow_what_regular_expressions_match(seed: int) -> None:
    pattern = random_pattern(random.Random(seed))
    expected = {word for word in WORDS if re.fullmatch(pattern, word)}
    if expected:
        assert accepted(compile_pattern(pattern, LETTERS, MAX_LENGTH)) == expected, pattern
    else:
        with pytest.raises(ValueError, match="allows no word"):
            compile_pattern(pattern, LETTERS, MAX_LENGTH)


@pytest.mark.parametrize("pattern", ["^a{2}b?$", "^(?:a|1)$", "", "a|", "()b", "((a)*)*1", "(a*)*", r"\.\-", "[^]a]"])
def test_special_patterns(pattern: str) -> None:
    expected = {word for word in WORDS if re.fullmatch(pattern, word)}
    assert accepted(compile_pattern(pattern, LETTERS, MAX_LENGTH)) == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a", r"the end at position 2 of the pattern: a closing \) is missing"),
        ("a)", r"'\)' at position 1 of the pattern: not expected here"),
        ("[a", r"the end at position 2 of the pattern: a closing \] is missing"),
        ("[A-Z", r"a closing \] is missing"),
        ("[a-", r"a closing \] is missing"),
        ("[b-a]", "the range b-a has no characters"),
        ("*a", "nothing to repeat"),
        ("a**", "one repetition after another"),
        ("a+?", "one repetition after another"),
        ("a{3,1}", "the second number is below the first"),
        ("a{x}", "a repetition is"),
        ("a{}", "a repetition is"),
        (r"a\b", "only .* follow a backslash"),
        (r"(a)\1", "only .* follow a backslash"),
        ("(?=a)", "nothing to repeat"),
        ("a^b", r"write \\\^"),
        ("a$b", r"write \\\^ or \\\$"),
        ("a\\", "a sign after the backslash is missing"),
        ("xyz", "allows no word of up to 4 characters"),
        ("a{5}", "allows no word of up to 4 characters"),
        ("(" * 5000 + "a" + ")" * 5000, "nested too deeply"),
        ("((a{0,9}b{0,9}){9}){9}" * 40, "too large"),
        ("[ab]*a" + "[ab]" * 3 + "[ab]{30}", "allows no word"),
    ],
)
def test_what_is_no_pattern_is_told(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){message}.*Received: pattern="):
        compile_pattern(pattern, LETTERS, MAX_LENGTH)


def test_a_number_plate() -> None:
    letters = Letters(Charset.from_spec("94"), ignore_case=False)
    table = compile_pattern("[A-Z]{2}[0-9]{2,4}", letters, 25)
    words = ["AB12", "AB1", "ab12", "AB1234", "AB12345", "A112", "AB12-"]
    tokens = np.zeros((len(words), 25), np.int64)
    for row, word in zip(tokens, words, strict=True):
        row[: len(word)] = [letters.token[c] for c in word]
    assert list(table.accepts(tokens)) == [True, False, False, True, False, False, False]


def test_allowlists_are_classes() -> None:
    def allowed(text: str) -> set[str]:
        return {word for word in accepted(compile_allowlist(text, LETTERS, MAX_LENGTH)) if len(word) == 1}

    assert "" in accepted(compile_allowlist("ab", LETTERS, MAX_LENGTH))
    assert allowed("0-9A-Z") == {"1", "B"}
    assert allowed("a-") == {"a", "-"}
    assert allowed("-a") == {"a", "-"}
    assert allowed(r"\d.") == {"1", "."}
    assert allowed("^_") == {"_"}
    assert accepted(compile_allowlist("a1", LETTERS, MAX_LENGTH)) == {w for w in WORDS if set(w) <= set("a1")}


@pytest.mark.parametrize("text", ["", "xyz", "b-a", "a]b", "ab\\"])
def test_what_is_no_allowlist_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"An allowlist names characters.*Received: allowlist="):
        compile_allowlist(text, LETTERS, MAX_LENGTH)


def test_case() -> None:
    ignoring = Letters(Charset(CHARACTERS), ignore_case=True)
    words = [w for w in WORDS if len(w) == 1]
    assert accepted(compile_pattern("b", LETTERS, 4), LETTERS, words) == {"b"}
    assert accepted(compile_pattern("b", ignoring, 4), ignoring, words) == {"b", "B"}
    assert accepted(compile_pattern("[A-Z]", ignoring, 4), ignoring, words) == {"a", "b", "B"}
    assert accepted(compile_pattern("[^A-Z]", ignoring, 4), ignoring, words) == {"1", "-", "_", "."}
    # A charset that folds case has no upper case: what a constraint writes in it is folded as labels are.
    folding = Letters(Charset("ab1", fold_case=True), ignore_case=False)
    words = ["a", "b", "1"]
    assert accepted(compile_pattern("[A-Z]", folding, 4), folding, words) == {"a", "b"}


def test_both_of_two() -> None:
    first, second = (compile_pattern(p, LETTERS, MAX_LENGTH) for p in ("[ab]+1?", "a.*"))
    expected = {w for w in WORDS if re.fullmatch("[ab]+1?", w) and w.startswith("a")}
    assert accepted(intersect(first, second, MAX_LENGTH + 1)) == expected
    assert intersect(first, compile_pattern("1", LETTERS, MAX_LENGTH), MAX_LENGTH + 1).is_empty


def test_no_way_leads_where_the_word_cannot_be_ended_in_time() -> None:
    table = compile_pattern("a{3}|b", LETTERS, MAX_LENGTH)
    a, b, end = LETTERS.token["a"], LETTERS.token["b"], 1
    for remaining, expected in ((4, {a, b}), (3, {b}), (2, {b}), (1, set())):
        row = table.transitions(np.array([0]), np.array([remaining]))[0]
        assert set(np.flatnonzero(row >= 0)) == expected
    after_b = table.transitions(np.array([0]), np.array([4]))[0, b]
    assert set(np.flatnonzero(table.transitions(np.array([after_b]), np.array([1]))[0] >= 0)) == {end}
