"""What reading a photograph answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import overload

from spin_tf._types import JsonObject
from spin_tf.contract.word import Word

Point = tuple[float, float]
Polygon = tuple[Point, Point, Point, Point]


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoWord:
    """A word of a photograph.

    Args:
        text: the word.
        confidence: 0..1, the probability that the recogniser gives to this reading.
        polygon: four (x, y) in pixels of the upright picture, clockwise from the upper left corner of the word as it
            is read, so that a word that runs downwards begins with its upper right one.
        line: the number of its line, from 0 in reading order.
        score: 0..1, how sure the detector is that here is a word; 1 where the boxes were given.
        word: the whole reading, with characters, alternatives, and by how much the crop was turned.
    """

    text: str
    confidence: float
    polygon: Polygon
    line: int
    score: float
    word: Word

    def to_dict(self) -> JsonObject:
        """As `bin/read_photo.py` writes it."""
        record: JsonObject = {
            "text": self.text,
            "confidence": round(self.confidence, 6),
            "polygon": [[round(x, 2), round(y, 2)] for x, y in self.polygon],
            "line": self.line,
            "score": round(self.score, 4),
        }
        if self.word.alternatives:
            record["alternatives"] = [[word.text, round(word.confidence, 6)] for word in self.word.alternatives]
        return record


@dataclasses.dataclass(frozen=True, slots=True)
class Photo(Sequence[PhotoWord]):
    """The words of a photograph in reading order; it can be used as the list of them.

    Args:
        words: the words.
        height: of the upright picture in pixels, EXIF applied.
        width: the same.
        turned: degrees counter-clockwise by which the whole picture was turned for reading: 0, 90, 180 or -90. The
            polygons are those of the picture as it came.
    """

    words: tuple[PhotoWord, ...]
    height: int
    width: int
    turned: int = 0

    @overload
    def __getitem__(self, index: int) -> PhotoWord: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[PhotoWord, ...]: ...

    def __getitem__(self, index: int | slice) -> PhotoWord | tuple[PhotoWord, ...]:
        return self.words[index]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def lines(self) -> list[list[PhotoWord]]:
        """The words of each line."""
        lines: dict[int, list[PhotoWord]] = {}
        for word in self.words:
            lines.setdefault(word.line, []).append(word)
        return list(lines.values())

    @property
    def text(self) -> str:
        """All lines, blanks between their words."""
        return "\n".join(" ".join(word.text for word in line) for line in self.lines)
