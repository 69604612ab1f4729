"""An evaluation as people and programs read it: table, JSON, every reading, and a page of the mistakes."""

from __future__ import annotations

import base64
import html
import io
import json
import math
import pathlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

from spin_tf._files import write_atomically, write_text
from spin_tf._version import __version__
from spin_tf.data.preprocessing import ImageError, decode_image
from spin_tf.evaluation import breakdown
from spin_tf.evaluation.calibration import LEVELS, Calibration
from spin_tf.evaluation.evaluate import Reading, SetResult
from spin_tf.evaluation.metrics import Score

_HEADER = ("set", "words", "excluded", "unreadable", "correct", "word accuracy", "95 % interval", "1 - NED")
_PROTOCOL_NOTES = {
    "alphanumeric": "lower case, only 0-9a-z compared; words without any are excluded",
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


def _score_to_dict(score: Score) -> dict[str, Any]:
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
    metadata: dict[str, Any],
    protocol: str,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
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
        "wrong_readings": dict(breakdown.wrong_readings(readings, protocol)),
    }


def _picture(encoded: bytes) -> str:
    try:
        # Always as PNG: browsers show no TIFF, and a page must not carry foreign bytes.
        buffer = io.BytesIO()
        Image.fromarray(decode_image(encoded)).save(buffer, format="PNG")
    except ImageError:
        return '<div class="unreadable">unreadable</div>'
    return f'<img alt="" loading="lazy" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _figure(result: SetResult, reading: Reading) -> str:
    picture = _picture(result.index.read_example(reading.index).encoded)
    read = reading.reason if reading.prediction is None else reading.prediction or "(nothing)"
    return (
        f'<figure title="{html.escape(reading.source_id)}">{picture}<figcaption><b>{html.escape(reading.truth)}</b>'
        f"<br><i>{html.escape(read)}</i><br><small>{reading.confidence:.2f}</small></figcaption></figure>"
    )


def _remaining(calibration: Calibration) -> str:
    parts = []
    for level in LEVELS:
        words, right = calibration.at_least(level)
        parts.append(
            f"{words} words with at least {level:g}" + (f", {100 * right / words:.1f} % right" if words else "")
        )
    return f"{'; '.join(parts)}."


def make_gallery(results: list[SetResult], max_pictures: int = 200) -> str:
    """Returns an HTML page of the mistakes, the most confident of each set first, pictures inside.

    Args:
        results: the sets.
        max_pictures: mistakes shown of each set.
    """
    sections = []
    for result in results:
        wrong = sorted((r for r in result.readings if r.correct is False), key=lambda r: -r.confidence)
        figures = "\n".join(_figure(result, reading) for reading in wrong[:max_pictures])
        shown = f"{len(wrong)} of {result.score.words} words wrong, {min(len(wrong), max_pictures)} shown"
        sections.append(f"<h2>{html.escape(result.name)}</h2>\n<p>{shown}</p>\n<div>{figures}</div>")
    calibration = calibration_of(results)
    reliability = (
        f"<h2>Confidence</h2>\n<p>Expected calibration error {calibration.expected_error:.4f}. "
        f"{_remaining(calibration)}</p>\n{calibration.diagram()}"
    )
    style = (
        "body{font-family:sans-serif;margin:2em}div{display:flex;flex-wrap:wrap;gap:.7em}figure{margin:0;padding:.5em;"
        "border:1px solid #ccc}img{height:48px;max-width:300px;object-fit:contain}b{color:#060}i{color:#a00;"
        "font-style:normal}.unreadable{height:48px;color:#888}"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Mistakes</title><style>{style}</style>'
        "</head><body>\n<h1>Mistakes</h1>\n<p>Each picture with its <b>label</b>, the <i>reading</i> and its "
        f"confidence.</p>\n{chr(10).join(sections)}\n{reliability}\n</body></html>\n"
    )


def write(
    folder: pathlib.Path,
    results: list[SetResult],
    model: str,
    metadata: dict[str, Any],
    protocol: str,
    max_pictures: int = 200,
    options: Mapping[str, Any] | None = None,
    beside: str = "",
) -> None:
    """Writes results.json, results.md, predictions.jsonl (every reading) and errors.html into `folder`.

    `beside` is text for results.md, such as a table of published numbers.
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
    write_atomically(str(folder / "predictions.jsonl"), lambda path: _write_predictions(path, results))
    write_text(str(folder / "errors.html"), make_gallery(results, max_pictures))


def _write_predictions(path: str, results: list[SetResult]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for result in results:
            for r in result.readings:
                line = {
                    "set": result.name,
                    "source_id": r.source_id,
                    "truth": r.truth,
                    "prediction": r.prediction,
                    "confidence": round(r.confidence, 6),
                    "correct": r.correct,
                }
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
