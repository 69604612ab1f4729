"""An evaluation as people and programs read it: table, JSON, every reading, and a page of the mistakes."""

from __future__ import annotations

import json
import math
import pathlib
from collections.abc import Sequence

from spin_tf._files import write_text
from spin_tf._types import JsonObject
from spin_tf._version import __version__
from spin_tf.evaluation import breakdown
from spin_tf.evaluation.calibration import calibration_of
from spin_tf.evaluation.gallery import make_gallery
from spin_tf.evaluation.metrics import Score
from spin_tf.evaluation.word_set import Reading, SetResult
from spin_tf.explanation.trace import Trace

_HEADER = ("set", "words", "excluded", "unreadable", "correct", "word accuracy", "95 % interval", "1 - NED")
_PROTOCOL_NOTES = {
    "alphanumeric": "lower case, only 0-9a-z compared; words without any are excluded",
    "letters": "case folded, letters and digits of every script compared; words without any are excluded",
    "exact": "case and punctuation compared",
}


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.2f}"


def _row(name: str, score: Score) -> tuple[str, ...]:
    low, high = score.interval
    counts = (score.words, score.excluded, score.unreadable, score.correct)
    interval = f"{_percent(low)} to {_percent(high)}"
    return (name, *map(str, counts), _percent(score.word_accuracy), interval, _percent(score.one_minus_ned))


def total(results: list[SetResult]) -> Score:
    """Returns the score of all words of all sets together."""
    return sum((result.score for result in results), Score())


def mean_of_sets(results: list[SetResult]) -> tuple[float, float]:
    """Returns word accuracy and 1 - NED, each the mean over the sets that have words: every set counts the same."""
    scores = [result.score for result in results if result.score.words]
    if not scores:
        return math.nan, math.nan
    return (
        sum(score.word_accuracy for score in scores) / len(scores),
        sum(score.one_minus_ned for score in scores) / len(scores),
    )


def make_table(results: list[SetResult]) -> str:
    """Returns a Markdown table that also reads well in a terminal; percentages."""
    accuracy, one_minus_ned = mean_of_sets(results)
    rows: list[tuple[str, ...]] = [_HEADER]
    rows += [_row(result.name.replace("|", "\\|"), result.score) for result in results]
    rows.append(_row("all words", total(results)))
    rows.append(("mean of sets", "", "", "", "", _percent(accuracy), "", _percent(one_minus_ned)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    cells = [[row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [cells[0], rule, *cells[1:]])


def _score_to_dict(score: Score) -> JsonObject:
    return {
        "words": score.words,
        "excluded": score.excluded,
        "unreadable": score.unreadable,
        "correct": score.correct,
        "word_accuracy": None if not score.words else score.word_accuracy,
        "interval_95": list(score.interval),
        "one_minus_ned": None if not score.words else score.one_minus_ned,
    }


def to_dict(
    results: list[SetResult],
    model: str,
    metadata: JsonObject,
    protocol: str,
    options: JsonObject | None = None,
) -> JsonObject:
    """Returns the evaluation as JSON can hold it; shares of 1, not percentages."""
    accuracy, one_minus_ned = mean_of_sets(results)
    readings = [reading for result in results for reading in result.readings]
    return {
        "spin_tf_version": __version__,
        "model": {"path": model, **metadata},
        "protocol": protocol,
        "options": dict(options or {}),
        "sets": {
            result.name: {
                **_score_to_dict(result.score),
                "files": result.index.files,
                "seconds": round(result.seconds, 3),
                "words_per_second": round(len(result.readings) / result.seconds, 3) if result.seconds else None,
                "calibration": calibration_of([result]).to_dict(),
            }
            for result in results
        },
        "all_words": {**_score_to_dict(total(results)), "calibration": calibration_of(results).to_dict()},
        "mean_of_sets": {
            "word_accuracy": None if math.isnan(accuracy) else accuracy,
            "one_minus_ned": None if math.isnan(one_minus_ned) else one_minus_ned,
        },
        "by_length": breakdown.by_length(readings, protocol),
        "by_shape": breakdown.by_shape(readings),
        "by_height": breakdown.by_height(readings),
        "wrong_readings": dict(breakdown.wrong_readings(readings, protocol)),
    }


def write(
    folder: pathlib.Path,
    results: list[SetResult],
    model: str,
    metadata: JsonObject,
    protocol: str,
    max_pictures: int = 200,
    options: JsonObject | None = None,
    beside: str = "",
    explained: Sequence[Trace] = (),
) -> None:
    """Writes results.json, results.md, predictions.jsonl (every reading) and errors.html into `folder`.

    `beside` is text for results.md, such as a table of published numbers; `explained` are the mistakes of which
    errors.html shows how they came about.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary = to_dict(results, model, metadata, protocol, options)
    write_text(str(folder / "results.json"), json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    note = (
        f"Model: {model}. Protocol: {protocol} ({_PROTOCOL_NOTES[protocol]}). Shares in %; unreadable images are wrong."
    )
    calibration = calibration_of(results)
    confidence = f"Expected calibration error: {calibration.expected_error:.4f}.\n\n{calibration.table()}"
    tables = breakdown.make_tables([reading for result in results for reading in result.readings], protocol)
    text = "\n\n".join(filter(None, (make_table(results), beside, note, confidence, tables)))
    write_text(str(folder / "results.md"), f"{text}\n")
    lines = [json.dumps(_prediction(result.name, r), ensure_ascii=False) for result in results for r in result.readings]
    write_text(str(folder / "predictions.jsonl"), "".join(f"{line}\n" for line in lines))
    write_text(str(folder / "errors.html"), make_gallery(results, max_pictures, explained))


def _prediction(name: str, reading: Reading) -> JsonObject:
    return {
        "set": name,
        "source_id": reading.source_id,
        "truth": reading.truth,
        "prediction": reading.prediction,
        "confidence": round(reading.confidence, 6),
        "correct": reading.correct,
    }
