"""Whether confidences mean what they say: of the words read with 0.8, four of five should be right."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from spin_tf._types import JsonObject
from spin_tf.evaluation.word_set import SetResult

NUM_BINS = 10
LEVELS = (0.5, 0.8, 0.9, 0.99)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Confidences of words, and which of them are right.

    Args:
        confidences: 0..1, of each word.
        correct: whether it is right.
    """

    confidences: np.ndarray
    correct: np.ndarray

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, bool]]) -> Calibration:
        """From (confidence, whether right) of each word."""
        confidences, correct = zip(*pairs, strict=True) if pairs else ((), ())
        return cls(np.array(confidences, np.float64), np.array(correct, bool))

    def bins(self) -> list[tuple[int, float, float]]:
        """Words, mean confidence and share right of each of `NUM_BINS` equal ranges of confidence that has words."""
        which = np.minimum((self.confidences * NUM_BINS).astype(int), NUM_BINS - 1)
        return [
            (int(here.sum()), float(self.confidences[here].mean()), float(self.correct[here].mean()))
            for here in (which == number for number in range(NUM_BINS))
            if here.any()
        ]

    @property
    def expected_error(self) -> float:
        """The mean over words of how far confidence and share right of their range lie apart; 0 for no words.

        Reference: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
        """
        total = len(self.confidences)
        return sum(words * abs(confidence - right) for words, confidence, right in self.bins()) / total if total else 0

    @property
    def cross_entropy(self) -> float:
        """The mean over words of -log of the probability given to what came out, right or wrong; 0 for no words."""
        if not len(self.confidences):
            return 0.0
        given = np.where(self.correct, self.confidences, 1 - self.confidences)
        return float(-np.log(np.clip(given, 1e-6, 1)).mean())

    def at_least(self, level: float) -> tuple[int, int]:
        """Words read with at least this confidence, and how many of them are right."""
        sure = self.confidences >= level
        return int(sure.sum()), int(self.correct[sure].sum())

    def to_dict(self) -> JsonObject:
        """As JSON can hold it."""
        return {
            "expected_calibration_error": self.expected_error,
            "bins": [
                {"words": words, "confidence": confidence, "right": right} for words, confidence, right in self.bins()
            ],
            "at_least": {
                str(level): dict(zip(("words", "correct"), self.at_least(level), strict=True)) for level in LEVELS
            },
        }

    def table(self) -> str:
        """A Markdown table: what remains, and how much of it is right, when less sure words are set aside."""
        total = len(self.confidences)
        rows = ["| confidence at least | words | share of all | right |", "| ---: | ---: | ---: | ---: |"]
        for level in LEVELS:
            words, right = self.at_least(level)
            share = f"{100 * words / total:.1f} %" if total else "-"
            rows.append(f"| {level:g} | {words} | {share} | {f'{100 * right / words:.1f} %' if words else '-'} |")
        return "\n".join(rows)

    def diagram(self, size: int = 260) -> str:
        """The reliability diagram as SVG: share right over confidence; the area of a dot is its share of the words."""
        pad = 34
        total = max(len(self.confidences), 1)

        def place(x: float, y: float) -> tuple[float, float]:
            return pad + x * size, pad / 2 + (1 - y) * size

        (left, bottom), (right, top) = place(0, 0), place(1, 1)
        parts = [
            f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#999"/>',
            f'<line x1="{left}" y1="{bottom}" x2="{right}" y2="{top}" stroke="#999" stroke-dasharray="4 4"/>',
        ]
        points = []
        for words, confidence, share in self.bins():
            x, y = place(confidence, share)
            points.append(f"{x:.1f},{y:.1f}")
            radius = 2 + 22 * (words / total) ** 0.5
            title = f"<title>{words} words, confidence {confidence:.3f}, right {share:.3f}</title>"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#06c" opacity=".5">{title}</circle>'
            )
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="#06c"/>')
        for value in (0, 0.5, 1):
            x, y = place(value, value)
            parts.append(f'<text x="{x:.0f}" y="{bottom + 14:.0f}" text-anchor="middle">{value:g}</text>')
            parts.append(f'<text x="{left - 5}" y="{y + 4:.0f}" text-anchor="end">{value:g}</text>')
        middle, below = left + size / 2, bottom + 28
        parts.append(f'<text x="{middle}" y="{below:.0f}" text-anchor="middle">confidence; upwards: share right</text>')
        side = size + 2 * pad
        opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}"'
        style = 'font-family="sans-serif" font-size="11" role="img" aria-label="reliability diagram"'
        return f"{opening} {style}>{''.join(parts)}</svg>"


def calibration_of(results: list[SetResult]) -> Calibration:
    """The confidences of all words that count; unreadable images have none."""
    return Calibration.of(
        [
            (reading.confidence, reading.correct)
            for result in results
            for reading in result.readings
            if reading.correct is not None and reading.prediction is not None
        ]
    )
