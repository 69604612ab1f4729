"""Words of languages, those held out, and those that have lost their accents."""

from __future__ import annotations

import sys

import pytest

from benchmarks.lost_accents import LostAccents, without_accents
from spin_tf._extras import MissingExtraError
from spin_tf.charset import Charset
from spin_tf.synthesis.languages import EU, frequent_words, is_held_out, split_words

LATIN = Charset.from_spec("latin")


def test_words_of_the_eu_can_be_written() -> None:
    pytest.importorskip("wordfreq")
    words = frequent_words(["eu"], 1500, LATIN)
    assert len(words) == len(set(words)) > 15000
    assert all(word.isalpha() and not (LATIN.unknown(word) and LATIN.unknown(word.upper())) for word in words)
    assert {"für", "été", "więc", "více", "și", "är", "até", "também", "vēl", "jų"} <= set(words)
    assert set("".join(words)) >= set("ąčďéęěłňőřșțťůűźżßøæåõ")
    german = frequent_words(["de"], 3000)
    # wordfreq has ss for the sharp s.
    assert {"groß", "straße", "außer", "weiß", "fußball", "dass", "fluss", "wissen"} <= set(german)
    assert not {"gross", "strasse", "ausser"} & set(german)
    assert {"house", "the"} <= set(frequent_words(["en"], 500)) and len(EU) == 19


def test_languages_that_are_not_known() -> None:
    pytest.importorskip("wordfreq")
    with pytest.raises(ValueError, match="Received: languages=xx,de-DE"):
        frequent_words(["de", "xx", "de-DE"], 10)


def test_without_wordfreq_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    with pytest.raises(MissingExtraError, match=r"Drawing words of languages needs wordfreq.*spin-tf\[languages\]"):
        frequent_words(["de"], 10)


def test_a_twentieth_is_held_out_in_every_case() -> None:
    words = [f"word{i}é" for i in range(4000)]
    parts = split_words(words)
    assert sorted(parts["train"] + parts["held_out"]) == sorted(words)
    assert 140 < len(parts["held_out"]) < 260
    assert all(is_held_out(word.upper()) and is_held_out(word.capitalize()) for word in parts["held_out"])


def test_without_accents() -> None:
    assert without_accents("Łódź") == "lodz" and without_accents("Straße") == "strasse"
    assert without_accents("smørbrød") == "smorbrod" and without_accents("Œuvre") == "oeuvre"


def test_words_that_have_lost_their_accents() -> None:
    pytest.importorskip("wordfreq")
    french = LostAccents(["fr"])
    assert french.find("PATISSERIE") == "pâtisserie" and french.find("Fevrier,") == "février"
    # As they are: words with accents, without any, of English, and those that are written both ways.
    assert not any(map(french.find, ("pâtisserie", "maison", "resume", "a", "cafe", "PARIS", "", "12")))
    swedish = LostAccents(["sv"])
    assert swedish.find("MJOLK") == "mjölk" and swedish.find("FRAN") == "från" and not swedish.find("arla")
