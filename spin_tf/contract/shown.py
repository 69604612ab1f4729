"""How words and recognizers show themselves: a line where Python prints them, a plate in a notebook."""

from __future__ import annotations

import dataclasses
import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spin_tf.charset import Charset
    from spin_tf.contract.word import Word
    from spin_tf.decoding.options import Options

# Fractions of the text's own colour: a notebook may be light or dark. The accent is that of the pages.
_CARD = (
    "display:inline-block;margin:.3em 0;padding:.6em .9em;border:1px solid rgba(128,128,128,.35);border-radius:10px;"
    "font:14px/1.4 system-ui,sans-serif"
)
_LETTER = "font-size:1.4em;font-weight:650;text-align:center"
_BAR = "display:block;width:2.4em;height:.5em;border-radius:3px;background:rgba(128,128,128,.25);overflow:hidden"
_SOFT = "opacity:.65;font-size:.85em"


def word_line(word: Word) -> str:
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


def word_plate(word: Word) -> str:
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


def recognizer_line(
    kind: str, path: str | None, metadata: dict[str, Any], charset: Charset, size: tuple[int, int], options: Options
) -> str:
    """The model, what it reads and how, in a line; `path` None is the bundled model."""
    model = f"{metadata.get('name') or 'model'} ({path or 'the bundled model'})"
    parts = [f"{model} reads {len(charset.characters)} characters (charset {charset.name})"]
    parts.append(f"images {size[0]} x {size[1]}")
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if value != field.default:
            # A lexicon may be a hundred thousand words.
            shown = value if isinstance(value, (str, int, float)) else type(value).__name__
            parts.append(f"{field.name}={shown!r}" if isinstance(shown, str) else f"{field.name}={shown}")
    return f"<{kind}: {', '.join(parts)}>"
