"""What benchmarks/kinds.py writes: who read what of each kind, how sure they were, and pictures of the kinds."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from benchmarks.kinds_table import Kind
from spin_tf.evaluation.calibration import Calibration
from spin_tf.evaluation.metrics import Score

SURE = 0.9
_CELL, _COLUMNS = (226, 84), 5


@dataclasses.dataclass
class KindResult:
    """How one reader read one kind.

    Attributes:
        score: as the run compares, see benchmarks/kinds.py.
        spaced: with spaces compared.
        pairs: confidence and whether right, of each crop.
        unwritable: confidences of the crops whose label the model has not all characters for.
    """

    score: Score = dataclasses.field(default_factory=Score)
    spaced: Score = dataclasses.field(default_factory=Score)
    pairs: list[tuple[float, bool]] = dataclasses.field(default_factory=list)
    unwritable: list[float] = dataclasses.field(default_factory=list)

    def __add__(self, other: KindResult) -> KindResult:
        return KindResult(
            self.score + other.score,
            self.spaced + other.spaced,
            self.pairs + other.pairs,
            self.unwritable + other.unwritable,
        )

    @property
    def sure(self) -> tuple[int, int]:
        """Readings of at least `SURE`, and how many of them are right."""
        return Calibration.of(self.pairs).at_least(SURE)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        sure, sure_right = self.sure
        return {
            "crops": self.score.words,
            "correct": self.score.correct,
            "interval_95": list(self.score.interval),
            "correct_with_spaces": self.spaced.correct,
            "sure": sure,
            "sure_correct": sure_right,
            "unwritable": len(self.unwritable),
            "unwritable_sure": sum(value >= SURE for value in self.unwritable),
        }


# By the name of a reader, by the name of a kind.
Results = Mapping[str, Mapping[str, KindResult]]


def _accuracy(score: Score) -> str:
    low, high = score.interval
    return f"{100 * score.word_accuracy:.1f} ({100 * low:.0f} to {100 * high:.0f})"


def _sure(result: KindResult) -> str:
    sure, right = result.sure
    return f"{right} of {sure}" + (f", {100 * right / sure:.0f} %" if sure else "")


def total(results: Mapping[str, KindResult], kinds: Iterable[Kind]) -> KindResult:
    """All crops of some kinds together."""
    return sum((results[kind.name] for kind in kinds), KindResult())


def mean_of_kinds(results: Mapping[str, KindResult], kinds: Iterable[Kind]) -> float:
    """The mean of the kinds' accuracies: each counts the same."""
    return statistics.fmean(results[kind.name].score.word_accuracy for kind in kinds)


def _table(rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def make_tables(kinds: Sequence[Kind], results: Results, peer: str | None, with_spaces: bool) -> str:
    """The tables in Markdown.

    Args:
        kinds: of the run, in order.
        results: of every reader.
        peer: the reader that the first one is compared with; None for no difference.
        with_spaces: whether `KindResult.score` compares spaces.
    """
    readers = list(results)
    counted = [kind for kind in kinds if not kind.is_extra] or list(kinds)
    heading = ["kind", "crops"]
    for name in readers:
        heading += [f"{name}, % right (95 % interval)", f"right of those at {SURE:g} and more"]
    rows = [heading + (["difference"] if peer else [])]

    def add(title: str, of: Sequence[Kind], cells: Mapping[str, str]) -> None:
        row = [title, str(total(results[readers[0]], of).score.words)]
        for name in readers:
            row += [cells[name], _sure(total(results[name], of))]
        if peer:
            first, second = (mean_of_kinds(results[name], of) for name in (readers[0], peer))
            row.append(f"{100 * (first - second):+.1f}")
        rows.append(row)

    for group in dict.fromkeys(kind.group for kind in kinds):
        for kind in (kind for kind in kinds if kind.group == group):
            title = kind.title + (" (not in the means)" if kind.is_extra else "")
            add(f"{group}: {title}", [kind], {name: _accuracy(results[name][kind.name].score) for name in readers})
    everything = {name: _accuracy(total(results[name], counted).score) for name in readers}
    add("**all crops**", counted, everything)
    means = {name: f"**{100 * mean_of_kinds(results[name], counted):.1f}**" for name in readers}
    add("**mean of kinds**", counted, means)
    parts = [_table(rows), _spaces(kinds, results, with_spaces), _unwritable(kinds, results)]
    return "\n\n".join(part for part in parts if part)


def _spaces(kinds: Sequence[Kind], results: Results, with_spaces: bool) -> str:
    """How the kinds with spaces fare when those are compared, where the table does not."""
    of = [kind for kind in kinds if kind.group == "spaces"]
    if with_spaces or not of:
        return ""
    rows = [["with spaces compared", *results]]
    rows += [[kind.title, *(_accuracy(each[kind.name].spaced) for each in results.values())] for kind in of]
    return _table(rows)


def _unwritable(kinds: Sequence[Kind], results: Results) -> str:
    rows = [["labels that the model cannot write", "reader", "crops", f"wrong at {SURE:g} and more"]]
    for kind in kinds:
        for name, each in results.items():
            if values := each[kind.name].unwritable:
                sure = sum(value >= SURE for value in values)
                share = f"{sure} ({100 * sure / len(values):.0f} %)"
                rows.append([f"{kind.group}: {kind.title}", name, str(len(values)), share])
    return _table(rows) if len(rows) > 1 else ""


def contact_sheet(kinds: Sequence[Kind], crops: Mapping[str, Sequence[Image.Image]]) -> Image.Image:
    """A few crops of each kind below its name, five kinds in a row."""
    font = ImageFont.load_default(13)
    width, height = (n + 8 for n in _CELL)
    sheet = Image.new("RGB", (width * min(_COLUMNS, len(kinds)), height * -(-len(kinds) // _COLUMNS)), "white")
    pen = ImageDraw.Draw(sheet)
    for index, kind in enumerate(kinds):
        left, top = index % _COLUMNS * width + 4, index // _COLUMNS * height + 4
        pen.text((left, top), kind.title, fill=(90, 90, 90), font=font)
        images = crops[kind.name]
        is_tall = images[0].height > images[0].width
        x, y = left, top + 18
        for image in images[: 5 if is_tall else 2]:
            room = (_CELL[0], 66) if is_tall else (_CELL[0], 31)
            scale = min(1.0, room[0] / image.width, room[1] / image.height)
            size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
            small = image.resize(size, Image.Resampling.LANCZOS)
            if x + small.width <= left + _CELL[0]:
                sheet.paste(small, (x, y))
            x, y = (x + small.width + 6, y) if is_tall else (x, y + small.height + 4)
    return sheet.quantize(128, dither=Image.Dither.NONE)
