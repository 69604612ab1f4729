"""What comes out of bulk reading: one row an image, as a line of JSON or a tf.train.Example."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from spin_tf._types import JsonObject
from spin_tf.contract.word import ReadError, Word
from spin_tf.data.records.word_example import encode_features
from spin_tf.recognizer import Recognizer

Row = JsonObject


def row(source: Row, result: Word | ReadError) -> Row:
    """Returns what is said about one image.

    Args:
        source: where it comes from: `path`, and of a TFRecord also `record`, `source_id` and `label`.
        result: what `Recognizer.read_many` said.

    Returns:
        `source` with the fields of the word as `bin/recognize.py --format=jsonl` writes them, or with `reason` and
        `kind` of a `ReadError`. What only decoding under constraints fills is left out.
    """
    if isinstance(result, ReadError):
        return {**source, "reason": result.reason, "kind": result.kind}
    # Not dataclasses.asdict: it copies every value, which takes a tenth of the time of reading the word.
    characters = [{"character": c.character, "confidence": c.confidence, "x": c.x} for c in result.characters]
    return {
        **source,
        "text": result.text,
        "confidence": result.confidence,
        "characters": characters,
        "turned": result.turned,
        "truncated": result.truncated,
    }


def read_rows(recognizer: Recognizer, sources: Iterable[Row], images: Iterable[Any]) -> Iterator[Row]:
    """Reads images; those that are a `ReadError` already (a file that another file system could not open) stay one."""
    images = list(images)
    results = recognizer.read_many(image for image in images if not isinstance(image, ReadError))
    for source, image in zip(sources, images, strict=True):
        yield row(source, image if isinstance(image, ReadError) else next(results))


def to_json(row: Row) -> str:
    """A line without its end. Names that are no UTF-8 are escaped, as Python does for them."""
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(row)
    return line


def to_example(row: Row) -> bytes:
    """A tf.train.Example.

    Features: `image/source_id` (the id of a TFRecord where it has one, else the path, with `#N` for record N), and of a
    word `word/text`, `word/confidence`, `word/turned`, `word/truncated`, `word/characters/confidence` and
    `word/characters/x`; of an image that cannot be read `error/reason` and `error/kind`. A label is kept as
    `image/text`.
    """
    place = row["path"] if row.get("record") is None else f"{row['path']}#{row['record']}"
    features: dict[str, list[bytes] | list[float] | list[int]] = {
        "image/source_id": [os.fsencode(row.get("source_id") or place)]
    }
    if "label" in row:
        features["image/text"] = [row["label"].encode()]
    if "reason" in row:
        features["error/reason"] = [row["reason"].encode("utf-8", "backslashreplace")]
        features["error/kind"] = [row["kind"].encode()]
    else:
        features["word/text"] = [row["text"].encode()]
        features["word/confidence"] = [float(row["confidence"])]
        features["word/turned"] = [int(row["turned"])]
        features["word/truncated"] = [int(row["truncated"])]
        features["word/characters/confidence"] = [float(c["confidence"]) for c in row["characters"]]
        features["word/characters/x"] = [float(c["x"]) for c in row["characters"]]
    return encode_features(features)


def summary(counts: dict[str, int]) -> str:
    """One line of counts: images, words, and images that cannot be read, in all and by kind.

    Args:
        counts: `images`, `words` and `unreadable: KIND`; empty where a runner tells none.
    """
    if not counts:
        return "the runner tells no counts"
    kinds = {name.removeprefix("unreadable: "): n for name, n in counts.items() if name.startswith("unreadable: ")}
    line = f"read {counts.get('images', 0)}, words {counts.get('words', 0)}, unreadable {sum(kinds.values())}"
    return line + (f" ({', '.join(f'{kind} {kinds[kind]}' for kind in sorted(kinds))})" if kinds else "")
