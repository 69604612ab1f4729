"""What reading answers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from spin_tf.contract.errors import ImageError
from spin_tf.contract.shown import word_line, word_plate


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

    def to_dict(self) -> dict[str, Any]:
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
        return word_line(self)

    def _repr_html_(self) -> str:
        return word_plate(self)

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
