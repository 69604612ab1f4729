"""Label files that are one JSON object, and what the objects in them hold."""

from __future__ import annotations

import json
import math
from typing import Any


def read_object(path: str) -> dict[str, Any]:
    """Reads a JSON object of any size.

    Raises:
        ValueError: the file holds something else, or no JSON.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            value = json.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The file is no JSON: {error}. Received: input={path!r}") from error
    if not isinstance(value, dict):
        raise ValueError(f"The file is no JSON object. Received: input={path!r}, {type(value).__name__}")
    return value


def text_of(value: Any, key: str) -> str | None:
    """The string under a key; None where there is none, or one that no UTF-8 text can hold."""
    text = value.get(key) if isinstance(value, dict) else None
    # JSON can write halves of surrogate pairs.
    return text if isinstance(text, str) and not any("\ud800" <= c <= "\udfff" for c in text) else None


def around(points: Any) -> tuple[int, int, int, int] | None:
    """The smallest box of whole pixels around `[[x, y], ...]`: left, top, right, bottom; None for anything else."""
    try:
        pairs = [(float(x), float(y)) for x, y in points]
    except (TypeError, ValueError):
        return None
    if len(pairs) < 3 or not all(math.isfinite(value) for pair in pairs for value in pair):
        return None
    xs, ys = zip(*pairs, strict=True)
    return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))
