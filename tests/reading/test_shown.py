"""How results look in a REPL, as JSON and in a notebook."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import pathlib

from spin_tf import Recognizer
from spin_tf.contract.word import Character, Word

MARMES = Word(
    "MA<",
    0.304,
    (Character("M", 0.9, 0.1), Character("A", 0.8, 0.5), Character("<", 0.6, 0.9)),
    turned=90,
    truncated=True,
    alternatives=(Word("MAC", 0.2, (Character("M", 0.9, 0.1),)),),
)


def test_a_line_in_a_repl() -> None:
    assert repr(Word("MARMES", 0.304, ())) == "Word('MARMES', 0.30)"
    assert repr(Word("", 0.0, (), reason="no word")) == "Word('', 0.00, reason='no word')"
    assert repr(MARMES) == "Word('MA<', 0.30, turned=90, truncated=True, alternatives=<'MAC' 0.20>)"
    assert repr(MARMES.characters[0]) == "Character('M', 0.90, x=0.10)"


def test_json_holds_all_of_it() -> None:
    assert json.loads(MARMES.to_json()) == json.loads(json.dumps(dataclasses.asdict(MARMES))) == MARMES.to_dict()
    assert list(MARMES.to_dict()) == [field.name for field in dataclasses.fields(Word)]
    assert MARMES.to_json(indent=2).count("\n") > 10
    assert "ü" in Word("ü", 1.0, ()).to_json()


class _Elements(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_plate_in_a_notebook() -> None:
    page = _Elements(MARMES._repr_html_())
    assert page.open == []
    text = " ".join(page.texts)
    # What was read is text, whatever characters it has.
    assert page.texts[0] == "MA<" and {"M", "A", "<"} <= set(page.texts)
    assert "confidence 30.4%" in text and "or MAC 20.0%" in text and "90%" in text
    assert "no word" in " ".join(_Elements(Word("", 0.0, ())._repr_html_()).texts)


def test_a_recognizer_says_what_reads(strip_model: pathlib.Path) -> None:
    recognizer = Recognizer(strip_model)
    line = repr(recognizer)
    assert line.startswith("<Recognizer: ") and str(strip_model) in line and "\n" not in line
    assert f"{len(recognizer.charset.characters)} characters" in line and "strips" in line
    assert "n_best" not in line
    shown = repr(Recognizer(n_best=3, pattern="[A-Z]+", lexicon=["A"] * 5000))
    assert "the bundled model" in shown and "n_best=3" in shown and "pattern='[A-Z]+'" in shown and len(shown) < 300
