"""What reading answers, and how it shows itself: a line where Python prints it, a plate in a notebook."""

from __future__ import annotations

import dataclasses
import html
import json

from spin_tf._types import JsonObject
from spin_tf.contract.errors import ImageError

# Fractions of the text's own colour: a notebook may be light or dark. The accent is that of the pages.
_CARD = (
    "display:inline-block;margin:.3em 0;padding:.6em .9em;border:1px solid rgba(128,128,128,.35);border-radius:10px;"
    "font:14px/1.4 system-ui,sans-serif"
)
_LETTER = "font-size:1.4em;font-weight:650;text-align:center"
_BAR = "display:block;width:2.4em;height:.5em;border-radius:3px;background:rgba(128,128,128,.25);overflow:hidden"
_SOFT = "opacity:.65;font-size:.85em"


@dataclasses.dataclass(frozen=True, slots=True)
class Character:
    """One character of a word: its probability and the centre of attention, 0 (left edge) to 1 across the crop.

    Where even ground was cut off the crop, or it was turned, `x` runs across what was read.
    """

    character: str
    confidence: float
    x: float

    def __repr__(self) -> str:
        return f"Character({self.character!r}, {self.confidence:.2f}, x={self.x:.2f})"


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """A word that was read.

    Args:
        text: the word; empty where the model sees none.
        confidence: 0..1, the product of the probabilities of all its characters and of the end after them: the
            probability that the model gives to exactly this reading.
        characters: one `Character` for each character of `text`.
        turned: degrees counter-clockwise by which the crop was turned for this reading: 0, 90, -90 or 180.
        truncated: whether the word did not end within the model's longest, so that more may follow.
        alternatives: the next most probable readings, where `n_best` asks for them.
        reason: why there is no reading: none that is allowed is probable enough. Empty for every word that was read,
            be it one of no characters.

    Python shows it in a line, a notebook as a plate with a bar for each character.
    """

    text: str
    confidence: float
    characters: tuple[Character, ...]
    turned: int = 0
    truncated: bool = False
    alternatives: tuple[Word, ...] = ()
    reason: str = ""

    def to_dict(self) -> JsonObject:
        """All of it as what JSON can hold: dicts, lists, strings and numbers."""
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "characters": [dataclasses.asdict(one) for one in self.characters],
            "alternatives": [word.to_dict() for word in self.alternatives],
        }

    def to_json(self, indent: int | None = None) -> str:
        """The same as JSON, what `bin/recognize.py --format=jsonl` writes beside the path."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def __repr__(self) -> str:
        return _line(self)

    def _repr_html_(self) -> str:
        return _plate(self)

    def turned_by(self, degrees: int) -> Word:
        """The same word, read from a crop turned by `degrees`."""
        alternatives = tuple(word.turned_by(degrees) for word in self.alternatives)
        return dataclasses.replace(self, turned=degrees, alternatives=alternatives)


@dataclasses.dataclass(frozen=True, slots=True)
class ReadError:
    """An image that could not be read: what `read_many` answers in its place.

    Args:
        reason: what is wrong, in one line.
        kind: the same in a word, to count by: the `reason` of an `ImageError`, `"cannot_open"` for a file that cannot
            be opened, `"no_image"` for anything else.
    """

    reason: str
    kind: str = dataclasses.field(default="", compare=False)

    @classmethod
    def from_error(cls, error: Exception) -> ReadError:
        """Says in one line what an exception says."""
        if isinstance(error, OSError):
            return cls(error.strerror or " ".join(str(error).split()), "cannot_open")
        reason = " ".join(str(error).split()) or type(error).__name__
        return cls(reason, error.reason if isinstance(error, ImageError) else "no_image")


def _line(word: Word) -> str:
    """`Word('MARMES', 0.30)`, and what else there is to know of it, in a line."""
    parts = [repr(word.text), f"{word.confidence:.2f}"]
    if word.turned:
        parts.append(f"turned={word.turned}")
    if word.truncated:
        parts.append("truncated=True")
    if word.alternatives:
        others = ", ".join(f"{other.text!r} {other.confidence:.2f}" for other in word.alternatives)
        parts.append(f"alternatives=<{others}>")
    if word.reason:
        parts.append(f"reason={word.reason!r}")
    return f"Word({', '.join(parts)})"


def _plate(word: Word) -> str:
    """HTML: the word, its confidence, and a bar for each character."""
    head = html.escape(word.text) or '<span style="opacity:.65">no word</span>'
    remarks = [f"confidence {word.confidence:.1%}"]
    if word.turned:
        remarks.append(f"turned by {word.turned} degrees")
    if word.truncated:
        remarks.append("the model's longest: more may follow")
    remarks += [f"or {other.text} {other.confidence:.1%}" for other in word.alternatives]
    if word.reason:
        remarks.append(word.reason)
    bars = "".join(
        f'<td style="padding:.2em .3em;border:0;background:none;text-align:center" title="at {one.x:.0%} of the width">'
        f'<div style="{_LETTER}">{html.escape(one.character)}</div>'
        f'<span style="{_BAR}"><span style="display:block;height:100%;width:{100 * one.confidence:.0f}%;'
        f'background:#d9822b"></span></span><div style="{_SOFT}">{one.confidence:.0%}</div></td>'
        for one in word.characters
    )
    table = f'<table style="margin:.4em 0 0;border:0;border-collapse:collapse"><tr>{bars}</tr></table>' if bars else ""
    return (
        f'<div style="{_CARD}"><b style="font-size:1.2em">{head}</b> '
        f'<span style="{_SOFT}">{html.escape(" · ".join(remarks))}</span>{table}</div>'
    )
