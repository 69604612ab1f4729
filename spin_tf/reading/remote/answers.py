"""What a server answers: readings, refusals that pass, refusals that do not."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from spin_tf.contract.word import Character, ReadError, Word

INPUT = "image_bytes"
WITHOUT_HEADERS = "no headers, such as Authorization, were given"
# Rounding may lift a product of probabilities a little above 1.
_TOLERANCE = 1e-5


class ServerError(OSError):
    """A server that cannot be reached, does not answer in time, or answers something else than readings."""


class Unavailable(ServerError):
    """A refusal that may pass: asking again later is right.

    Attributes:
        retry_after: seconds that the server asks for; None where it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestTooLarge(ServerError):
    """The request has more bytes than the server takes."""


class Transport(Protocol):
    """One request to a server; any number of threads may call `predict` at once.

    `predict` takes image files and returns one row of named outputs for each, in order; it raises `Unavailable`,
    `RequestTooLarge` or another `ServerError`.
    """

    def predict(self, images: Sequence[bytes]) -> list[Mapping[str, Any]]: ...

    def close(self) -> None: ...


def shorten(text: str, length: int = 200) -> str:
    """One line of at most `length` characters: servers answer whole pages."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 3]}..."


def to_result(row: Mapping[str, Any]) -> Word | ReadError:
    """Makes a reading of one row of outputs.

    The first entries of `character_confidences` and `positions` belong to the characters of the word, in order. A
    character is one code point, as in a `Charset`, so emoji and rare ideographs count once.

    Raises:
        ServerError: the row is none of a SavedModel that `bin/export_saved_model.py` wrote.
    """
    try:
        if not _flag(row["valid"]):
            return ReadError(_text(row["reason"]))
        text = _text(row["words"])
        confidences = [_probability(value) for value in row["character_confidences"][: len(text)]]
        positions = [_probability(value) for value in row["positions"][: len(text)]]
        if len(confidences) < len(text) or len(positions) < len(text):
            raise ValueError(f"{len(text)} characters, {len(confidences)} confidences, {len(positions)} positions")
        characters = tuple(map(Character, text, confidences, positions))
        # There is an entry for the end too: where characters take all of them, none was read.
        truncated = len(text) == len(row["positions"])
        return Word(text, _probability(row["confidence"]), characters, int(row.get("turned", 0)), truncated)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerError(
            "The server answers, but not with the outputs of a SavedModel that bin/export_saved_model.py wrote: "
            f"{type(error).__name__}: {error}. Received: {shorten(str(row))}"
        ) from error


def _flag(value: object) -> bool:
    if isinstance(value, str) or value not in (True, False):
        raise ValueError(f"valid is true or false, not {value!r}")
    return bool(value)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        # Some servers send every string as they send bytes.
        try:
            value = base64.b64decode(value["b64"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from error
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, str):
        raise TypeError(f"text, not {value!r}")
    return value


def _probability(value: Any) -> float:
    if isinstance(value, (str, bytes, bool)):
        raise TypeError(f"a number, not {value!r}")
    number = float(value)
    if not math.isfinite(number) or not -_TOLERANCE <= number <= 1 + _TOLERANCE:
        raise ValueError(f"a number from 0 to 1, not {number}")
    return min(max(number, 0.0), 1.0)
