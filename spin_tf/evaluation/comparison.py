"""Two models on the same words: which words only one of them reads, and whether chance explains the difference."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Sequence

from spin_tf._files import write_text
from spin_tf.evaluation.word_set import Reading, SetResult


def mcnemar_p(only_first: int, only_second: int) -> float:
    """The exact two-sided p of McNemar's test: as unequal a division of the words that only one reads, or more so.

    Without a difference between the models each such word falls to either with probability 1/2, so the smaller count
    is binomial (McNemar 1947, in the exact form for counts of any size).

    Args:
        only_first: words that the first model alone reads right.
        only_second: words that the second model alone reads right.

    Returns:
        a probability, above 0 but for underflow, at most 1.

    Raises:
        ValueError: a negative count.
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"Counts are not negative. Received: only_first={only_first}, only_second={only_second}")
    words = only_first + only_second
    # Whole numbers of any size: no rounding before the division.
    ways = tail = 1
    for i in range(1, min(only_first, only_second) + 1):
        ways = ways * (words - i + 1) // i
        tail += ways
    return min(1.0, 2 * tail / 2**words)


@dataclasses.dataclass
class Comparison:
    """One set, or all, as two models read it.

    Args:
        name: of the set.
        words: how many the protocol counts.
        both: read right by both.
        first: the pairs (reading of the first, reading of the second) of words that the first alone reads right.
        second: those of words that the second alone reads right.
    """

    name: str
    words: int
    both: int
    first: list[tuple[Reading, Reading]]
    second: list[tuple[Reading, Reading]]

    @property
    def p(self) -> float:
        """See `mcnemar_p`."""
        return mcnemar_p(len(self.first), len(self.second))


def compare(first: SetResult, second: SetResult) -> Comparison:
    """Sets the readings of two models beside each other.

    Args:
        first: a set as one model read it.
        second: the same records as another did, under the same protocol.

    Raises:
        ValueError: these are not the same words.
    """
    if [(r.source_id, r.truth) for r in first.readings] != [(r.source_id, r.truth) for r in second.readings]:
        raise ValueError(f"Only readings of the same words compare. Received: sets {first.name!r}, {second.name!r}")
    result = Comparison(first.name, 0, 0, [], [])
    for one, other in zip(first.readings, second.readings, strict=True):
        if one.correct is None or other.correct is None:
            continue
        result.words += 1
        if one.correct and other.correct:
            result.both += 1
        elif one.correct:
            result.first.append((one, other))
        elif other.correct:
            result.second.append((one, other))
    return result


def total(comparisons: Sequence[Comparison]) -> Comparison:
    """All words of all sets together."""
    return Comparison(
        "all words",
        sum(c.words for c in comparisons),
        sum(c.both for c in comparisons),
        [pair for c in comparisons for pair in c.first],
        [pair for c in comparisons for pair in c.second],
    )


def make_table(comparisons: Sequence[Comparison]) -> str:
    """Returns a Markdown table, a row a set and one of all words."""
    rows = ["| set | words | both right | only the first | only the second | neither | McNemar's p |"]
    rows.append("|---|---:|---:|---:|---:|---:|---:|")
    for c in (*comparisons, total(comparisons)):
        neither = c.words - c.both - len(c.first) - len(c.second)
        name = c.name.replace("|", "\\|")
        rows.append(f"| {name} | {c.words} | {c.both} | {len(c.first)} | {len(c.second)} | {neither} | {c.p:.3g} |")
    return "\n".join(rows)


def write(folder: pathlib.Path, comparisons: Sequence[Comparison], first: str, second: str) -> None:
    """Writes comparison.md, the table, and comparison.jsonl, a line for each word that only one model reads right.

    Args:
        folder: made if need be.
        comparisons: of each set.
        first: the first model, as reports call it.
        second: the second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = f"The first model: {first}. The second: {second}."
    note = "McNemar's p is exact (binomial), two-sided; small values speak against models that are equally good."
    write_text(str(folder / "comparison.md"), f"{make_table(comparisons)}\n\n{models} {note}\n")
    lines = []
    for c in comparisons:
        for right, pairs in (("first", c.first), ("second", c.second)):
            for one, other in pairs:
                line = {
                    "set": c.name,
                    "source_id": one.source_id,
                    "truth": one.truth,
                    "right": right,
                    "first": one.prediction,
                    "second": other.prediction,
                }
                lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    write_text(str(folder / "comparison.jsonl"), "".join(lines))
