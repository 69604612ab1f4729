"""One row of a server's outputs becomes a reading, or the server is named as none of ours."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest

from spin_tf.reading.remote.answers import ServerError, to_result
from spin_tf.recognizer import Character, ReadError, Word


def row(**changes: Any) -> dict[str, Any]:
    outputs: dict[str, Any] = {
        "words": "ab",
        "confidence": 0.5,
        "valid": True,
        "reason": "",
        "character_confidences": [0.5, 1.0, 0.25, 0.0],
        "positions": [0.125, 0.75, 0.5, 0.5],
        "turned": 0,
    }
    return {name: value for name, value in {**outputs, **changes}.items() if value is not ...}


def test_a_word() -> None:
    word = Word("ab", 0.5, (Character("a", 0.5, 0.125), Character("b", 1.0, 0.75)))
    assert to_result(row()) == word
    assert to_result(row(turned=...)) == word
    assert to_result(row(turned=-90)) == Word("ab", 0.5, word.characters, -90)
    assert to_result(row(words=b"ab", reason=b"")) == word
    assert to_result(row(words={"b64": base64.b64encode(b"ab").decode()})) == word
    assert to_result(row(words="", confidence=1.000001)) == Word("", 1.0, ())


def test_a_word_without_an_end() -> None:
    result = to_result(row(words="abcd"))
    assert isinstance(result, Word)
    assert result.truncated
    assert not to_result(row(words="abc")).truncated  # type: ignore[union-attr]


def test_characters_are_code_points() -> None:
    """One beyond the 16 bits of a UTF-16 unit, and one that combines with the letter before it."""
    text = "\U0001f600e\u0301"
    result = to_result(row(words=text.encode()))
    assert isinstance(result, Word)
    assert result.text == text
    assert [c.character for c in result.characters] == ["\U0001f600", "e", "\u0301"]
    assert [c.x for c in result.characters] == [0.125, 0.75, 0.5]


def test_an_image_that_the_server_could_not_read() -> None:
    assert to_result(row(valid=False, reason="broken", words="")) == ReadError("broken")
    assert to_result({"valid": False, "reason": "broken"}) == ReadError("broken")


@pytest.mark.parametrize(
    "changes",
    [
        {"words": ...},
        {"words": 17},
        {"words": b"\xff"},
        {"words": {"b64": "?"}},
        {"words": {"other": "a"}},
        {"words": "abcde"},
        {"confidence": ...},
        {"confidence": math.nan},
        {"confidence": 1.5},
        {"confidence": "0.5"},
        {"confidence": None},
        {"valid": ...},
        {"valid": "true"},
        {"valid": None},
        {"valid": False, "reason": ...},
        {"character_confidences": 0.5},
        {"character_confidences": [0.5]},
        {"positions": [0.1, -0.5]},
        {"positions": None},
        {"turned": "left"},
    ],
)
def test_rows_of_another_model(changes: dict[str, Any]) -> None:
    with pytest.raises(ServerError, match=r"not with the outputs of a SavedModel that .* Received: "):
        to_result(row(**changes))
