"""What can be read in two ways, or is dropped, is said with the first example."""

from __future__ import annotations

import logging
import pathlib
import subprocess
import sys

import pytest

from spin_tf import Recognizer
from spin_tf.charset import Charset
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.pattern import compile_allowlist, compile_pattern
from spin_tf.decoding.trie import Trie, other_kind
from tests.decoding.test_trie import words_of

LETTERS = Letters(Charset.from_spec("94"), ignore_case=False)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="absl")
    return caplog


@pytest.mark.parametrize(
    ("allowlist", "said"),
    [
        (
            "0123456789.,-€",
            r"allowlist '0123456789.,-€': ,-€ is taken for the 83 characters from ',' to '€', A, a, 0, - among",
        ),
        ("+-z", "+-z is taken for the 80 characters from '+' to 'z', A, a, 0, , among"),
        ("A-z", "A-z is taken for the 58 characters from 'A' to 'z', B, a, [ among them"),
        ("9-a", "9-a is taken for the 41 characters from '9' to 'a', A, : among them"),
        ("0-9 €", "not all of it can be read; the model has no ' ' and 1 more"),
        ("0-9β-ω", "the model has no character from 'β' to 'ω'"),
        ("^0-9", "'^' at the start is that sign"),
        ("0,1,2", "',' is a character that may be read, and separates nothing"),
        ("a b", "' ' is a character that may be read, and separates nothing"),
    ],
)
def test_allowlists_in_two_ways(allowlist: str, said: str, heard: pytest.LogCaptureFixture) -> None:
    compile_allowlist(allowlist, LETTERS, 25)
    assert said in heard.text


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("[0-9.,-€]+", "pattern '[0-9.,-€]+': ,-€ is taken for the 83 characters"),
        ("[A-z]+", "A-z is taken for the 58 characters"),
        ("[^,-z]*", ",-z is taken for"),
        ("€?[0-9]+", "the model has no '€'"),
        (r"[0-9\€]+", "the model has no '€'"),
        (r"a|é", "the model has no 'é'"),
    ],
)
def test_patterns_in_two_ways(pattern: str, said: str, heard: pytest.LogCaptureFixture) -> None:
    compile_pattern(pattern, LETTERS, 25)
    assert said in heard.text


@pytest.mark.parametrize(
    "text", ["0-9A-Za-z", "0-9.,-", "-0-9", r"0-9,\-.", r"\,-z", r"+-\/", "a^b", ".,:;", "a,b", "Γ-Ω0", "5-8"]
)
def test_what_is_clear_is_not_doubted(text: str, heard: pytest.LogCaptureFixture) -> None:
    letters = Letters(Charset("".join(map(chr, range(33, 127))) + "".join(map(chr, range(0x391, 0x3CA)))), False)
    if text != "a,b":
        compile_allowlist(text, letters, 25)
    compile_pattern(f"[{text}]+", letters, 25)
    assert heard.text == ""


@pytest.mark.parametrize(
    ("allowlist", "where"),
    [
        ("+-*/", r"'\*' at position 2 of the allowlist: the range \+-\* has no characters; a minus stands last"),
        ("...]", r"'\]' at position 3 of the allowlist ends it"),
        ("a]b", r"'\]' at position 1 of the allowlist ends it"),
        ("ab\\", "a backslash at the end takes no sign literally"),
        (r"a\b", "'b' at position 2 of the allowlist"),
        ("€§", "none of its characters is the model's; the model has no '€' and 1 more"),
        ("", "it is empty"),
    ],
)
def test_mistakes_say_where(allowlist: str, where: str) -> None:
    with pytest.raises(ValueError, match=rf"An allowlist names characters.*: {where}.*Received: allowlist="):
        compile_allowlist(allowlist, LETTERS, 25)


def test_a_pattern_that_the_model_cannot_write() -> None:
    with pytest.raises(ValueError, match=r"allows no word.*Received: pattern='€\[0-9\]\+'; the model has no '€'"):
        compile_pattern("€[0-9]+", LETTERS, 25)


@pytest.mark.parametrize("name", ["allowlist", "pattern"])
def test_a_list_is_no_text(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is one text.*Received: {name}="):
        Recognizer(**{name: ["0", "1"]})  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [" \n", "\r\n", "\r", "\t\n", "  \n", "\u00a0\n", "\u3000\n"])
def test_white_space_around_a_word_does_not_count(
    end: str, tmp_path: pathlib.Path, heard: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(f"Coffee{end}  Tea{end}{end}Milk".encode())
    assert set(words_of(Trie.from_file(path, LETTERS, 25), LETTERS, 25)) == {"Coffee", "Tea", "Milk"}
    assert set(words_of(Trie(["Coffee ", "\tTea"], LETTERS, 25), LETTERS, 25)) == {"Coffee", "Tea"}
    assert heard.text == ""


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("two words", "'two words': it holds a space, and a lexicon has one word a line"),
        ("a\tb", "it holds '\\t', and a lexicon has one word a line"),
        ("caf\u00e9", "'caf\u00e9': the model has no '\u00e9'"),
        ("x" * 30, "it has more than 25 characters"),
        ("x" * 300, "xxx...': it has more than 25 characters"),
        ("100", "'100': the allowlist or the pattern does not allow it"),
    ],
)
def test_the_first_word_that_is_left_out(
    word: str, why: str, tmp_path: pathlib.Path, heard: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "words.txt"
    path.write_text(f"Tea\n{word}\nMilk\nno word either\n", encoding="utf-8")
    allowed = compile_pattern("[A-z]+", LETTERS, 25) if word == "100" else None
    heard.clear()
    trie = Trie.from_file(path, LETTERS, 25, allowed)
    assert (trie.num_words, trie.left_out) == (2, 2)
    assert f"{path}: 2 words are left out, the first " in heard.text and why in heard.text
    path.write_text(f"{word}\n", encoding="utf-8")
    with pytest.raises(ValueError) as none:
        Trie.from_file(path, LETTERS, 25, allowed)
    assert why in str(none.value) and f"lexicon={str(path)!r}" in str(none.value)


def test_words_that_are_handed_over(heard: pytest.LogCaptureFixture, known_words: pathlib.Path) -> None:
    Recognizer(known_words, lexicon=["Tea", "two words"])
    assert "lexicon: 1 words are left out, the first 'two words': it holds a space" in heard.text


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (['"Coffee"', '"Tea"'], "quoted words"),
        (["'Coffee',", "'Tea',"], "quoted words"),
        (["Coffee\t12", "Tea\t3"], "a table, whose columns tabs divide"),
        (["Coffee 1200", "Tea 33.5"], "words with a number behind each"),
        (["Coffee;drink", "Tea;drink"], "a table, whose columns semicolons divide"),
        (["coffee,1", "tea,2"], "a table, whose columns commas divide"),
        (["3", "coffee/S", "tea/MS", "milk"], "a dictionary of Hunspell"),
        (['["coffee",', '"tea"]'], "JSON"),
    ],
)
def test_other_kinds_of_lists(
    lines: list[str], kind: str, tmp_path: pathlib.Path, heard: pytest.LogCaptureFixture
) -> None:
    assert other_kind(lines).startswith(kind) and lines[0][:5] in other_kind(lines)
    path = tmp_path / "words.txt"
    path.write_text("\n".join(lines))
    try:
        Trie.from_file(path, LETTERS, 25)
    except ValueError as error:
        assert f"seems to be {kind}" in str(error)
    else:
        assert f"{path}: this is no plain list of one word a line but seems to be {kind}" in heard.text


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Coffee", "Tea"],
        ["1", "2", "3"],
        ["12,50", "1,00", "3,99"],
        ["don't", "rock'n'roll", "it's"],
        ["AC/DC", "km/h", "tea"],
        ['"Coffee"', "Tea", "Milk"],
        ["[sic]", "tea"],
    ],
)
def test_plain_lists(lines: list[str]) -> None:
    assert other_kind(lines) == ""


def test_the_command_says_it_in_a_plain_line(
    repository: pathlib.Path, known_words: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    from tests.fuzz.images import word_picture

    word_picture("sale").save(tmp_path / "word.png")
    (tmp_path / "words.txt").write_text("sale \ntwo words\n")
    command = [
        sys.executable,
        "bin/recognize.py",
        f"--model={known_words}",
        f"--lexicon={tmp_path / 'words.txt'}",
        "--allowlist=A-z",
    ]
    result = subprocess.run([*command, str(tmp_path / "word.png")], cwd=repository, capture_output=True, text=True)
    assert result.returncode == 0 and "\tsale\t" in result.stdout
    first, second = result.stderr.splitlines()
    assert first.startswith("warning: allowlist 'A-z': A-z is taken for the 58 characters")
    assert second.startswith(f"warning: {tmp_path / 'words.txt'}: 1 words are left out, the first 'two words'")
