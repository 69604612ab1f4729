"""Charsets and the tokenizer."""

from __future__ import annotations

import json
import pathlib
import string
import unicodedata

import numpy as np
import pytest

from spin_tf import charset as charset_module
from spin_tf.charset import Charset, LabelError, Tokenizer


@pytest.mark.parametrize(
    ("spec", "size", "folds"),
    [("36", 36, True), ("62", 62, False), ("68", 68, True), ("94", 94, False), ("latin", 270, False)],
)
def test_named_charsets(spec, size, folds):
    charset = Charset.from_spec(spec)
    assert len(charset.characters) == size
    assert charset.fold_case is folds
    assert charset.name == spec
    assert (" " in charset.characters) is (spec == "latin")
    assert Charset.from_dict(json.loads(json.dumps(charset.to_dict()))) == charset


def test_94_is_all_printable_ascii_but_space():
    assert set(Charset.from_spec("94").characters) == {chr(c) for c in range(33, 127)}


# The letters beyond A-Z of each official language of the EU in Latin script, of its alphabet and its dictionaries.
LANGUAGES = {
    "Croatian": "čćđšž",
    "Czech": "áčďéěíňóřšťúůýž",
    "Danish": "æøåé",
    "Dutch": "áèéêëíïóöúü",
    "Estonian": "äõöüšž",
    "Finnish": "äöåšž",
    "French": "àâæçéèêëîïôœùûüÿ",
    "German": "äöüß",
    "Hungarian": "áéíóöőúüű",
    "Irish": "áéíóú",
    "Italian": "àèéìíîòóùú",
    "Latvian": "āčēģīķļņšūž",
    "Lithuanian": "ąčęėįšųūž",
    "Maltese": "ċġħżàèìîòù",
    "Polish": "ąćęłńóśźż",
    "Portuguese": "áâãàçéêíóôõúü",
    "Romanian": "ăâîșț",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Slovenian": "čšž",
    "Spanish": "áéíñóúü",
    "Swedish": "åäöéà",
}


def test_latin_begins_with_94_and_has_the_letters_of_the_eu():
    characters = Charset.from_spec("latin").characters
    assert characters.startswith(Charset.from_spec("94").characters)
    assert unicodedata.normalize("NFC", characters) == characters
    assert Charset(characters).spec == "latin"
    for language, letters in LANGUAGES.items():
        lacking = {c for low in letters for c in (low, low.upper()) if c != "SS" and c not in characters}
        assert not lacking, (language, lacking)
    accented = {c for c in characters if c.isalpha() and not c.isascii() and c != "µ"}
    # Old letters of Slavonic and Scandinavian words in these languages, and nothing else.
    assert {c.lower() for c in accented} - set("".join(LANGUAGES.values())) == set()
    assert all(sign in characters for sign in "€£¥°§„“”‘’«»–—…™®©½")  # noqa: RUF001


@pytest.mark.parametrize(
    ("spec", "text", "label"),
    [
        ("latin", "cafe\u0301", "café"),
        ("latin", "Timi\u015f", "Timi\u0219"),
        ("latin", "l\u2019eau", "l'eau"),
        ("latin", "\u2018a\u2019", "\u2018a\u2019"),
        ("latin", "1\u20132", "1\u20132"),
        ("latin", "5\u03bcm", "5\u00b5m"),
        ("latin", "\ufb01n", "fin"),
        ("94", "don\u2019t", "don't"),
        ("94", "\u201cx\u201d", '"x"'),
        ("94", "9\u201317", "9-17"),
        ("chars:cafe\u0301", "café", "cafe\u0301"),
        ("chars:ş", "ş", "ş"),
    ],
)
def test_what_looks_the_same_is_the_same_label(spec, text, label):
    charset = Charset.from_spec(spec)
    assert charset.fold(text) == label == charset.writable(text)
    assert charset.unknown(text) == ()
    tokenizer = Tokenizer(charset)
    assert tokenizer.decode(tokenizer.encode(text)) == label
    assert charset.fold(label) == label


@pytest.mark.parametrize("text", ["café", "ж", "Timi\u015f", "a b"])
def test_what_looks_like_nothing_in_the_charset_is_refused(text):
    charset = Charset.from_spec("94")
    assert charset.fold(text) == text and len(charset.unknown(text)) == 1
    with pytest.raises(LabelError):
        Tokenizer(charset).check(text)


def test_68_is_the_order_of_the_published_checkpoint(shared):
    characters = Charset.from_spec("68").characters
    assert characters[:36] == string.digits + string.ascii_lowercase
    assert [characters.index(c) for c in ":(^"] == [36, 37, 67]
    golden = shared / "goldens" / "paddle_charset.txt"
    if golden.exists():
        assert characters == golden.read_text(encoding="utf-8").replace("\n", "")


def test_custom_charsets(tmp_path):
    assert Charset.from_spec("chars:ab c:").characters == "ab c:"
    lines = tmp_path / "cyrillic.txt"
    lines.write_bytes("\ufeffж\r\nд\r\n \r\nф".encode())
    assert Charset.from_spec(f"file:{lines}") == Charset("жд ф", name="cyrillic")
    one_line = tmp_path / "one.txt"
    one_line.write_text("xyz\n", encoding="utf-8")
    assert Charset.from_spec(f"file:{one_line}").characters == "xyz"
    one_line.write_text("ab\nc\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line='ab'"):
        Charset.from_spec(f"file:{one_line}")


@pytest.mark.parametrize("spec", ["37", "", "chars:", "chars:aa", "ascii"])
def test_wrong_specs_say_what_was_received(spec):
    with pytest.raises(ValueError, match="Received"):
        Charset.from_spec(spec)


def test_a_folding_charset_cannot_hold_upper_case():
    with pytest.raises(ValueError, match="upper-case"):
        Charset("aB", fold_case=True)


@pytest.mark.parametrize("spec", ["36", "62", "68", "94", "latin"])
def test_every_character_survives_the_round_trip(spec):
    charset = Charset.from_spec(spec)
    tokenizer = Tokenizer(charset, max_length=len(charset.characters))
    ids = tokenizer.encode(charset.characters)
    assert tokenizer.vocabulary_size == len(charset.characters) + 2
    assert ids.dtype == np.int32
    assert ids.tolist() == [0, *range(2, tokenizer.vocabulary_size), 1]
    assert tokenizer.decode(ids) == charset.characters


def test_layout_of_the_ids():
    tokenizer = Tokenizer(Charset("abc"), max_length=4)
    assert tokenizer.encode("cab").tolist() == [0, 4, 2, 3, 1, 0]
    assert tokenizer.encode("abca").tolist() == [0, 2, 3, 4, 2, 1]
    assert tokenizer.decode([4, 2, 1, 3, 3]) == "ca"
    assert tokenizer.decode([0, 4, 0, 2]) == "ca"
    with pytest.raises(ValueError, match="id=5"):
        tokenizer.decode([5])


def test_case_folds_only_when_the_charset_says_so_and_aloud(monkeypatch):
    said = []
    charset_module._say_folding.cache_clear()
    monkeypatch.setattr(charset_module.logging, "info", lambda *args: said.append(args))
    cased = Tokenizer(Charset.from_spec("62"))
    assert cased.decode(cased.encode("TeXt")) == "TeXt"
    assert said == []
    folded = Tokenizer(Charset.from_spec("36"))
    Tokenizer(Charset.from_spec("36"))
    assert folded.decode(folded.encode("TeXt")) == "text"
    assert len(said) == 1 and "folds case" in said[0][0]


@pytest.mark.parametrize(
    ("text", "reason", "characters"),
    [("", "empty", ()), ("abcde", "too_long", ()), ("a é", "character", (" ", "é")), ("éé", "character", ("é",))],
)
def test_labels_that_cannot_be_encoded_say_why(text, reason, characters):
    with pytest.raises(LabelError) as caught:
        Tokenizer(Charset.from_spec("94"), max_length=4).encode(text)
    assert caught.value.reason == reason
    assert caught.value.characters == characters
    assert "Received: text=" in str(caught.value)


@pytest.mark.parametrize("characters", ["abcäöüß0", "абв", "αβγς"])
def test_a_charset_of_ones_own_can_fold_case(characters: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "c.txt").write_text("\n".join(characters), encoding="utf-8")
    for spec in (f"fold:chars:{characters}", f"fold:file:{tmp_path}/c.txt"):
        charset = Charset.from_spec(spec)
        assert charset.fold_case and charset.characters == characters
        # The configuration that a run writes says so, too.
        assert charset.spec == f"fold:chars:{characters}" and Charset.from_spec(charset.spec).spec == charset.spec
        assert Tokenizer(charset).check(characters[:2].upper()) == characters[:2]
    assert Charset.from_spec("36").spec == "36" and Charset.from_spec(f"chars:{characters}").fold_case is False
    with pytest.raises(ValueError, match="cannot hold upper-case"):
        Charset.from_spec("fold:chars:aB")
    with pytest.raises(ValueError, match="fold: before one of the last two"):
        Charset.from_spec("fold:94")


def test_the_hint_of_small_letters() -> None:
    small = Charset("abcä1")
    assert small.hint(["A", "Ä", "z"]).startswith("A Ä would be read")
    assert small.hint(["z", "-"]) == "" and Charset("abAB").hint(["C"]) == "" and Charset("ab", True).hint(["C"]) == ""
