"""A page of the mistakes of an evaluation, and of how the surest of them came about."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PIL import Image

from spin_tf._page import data_uri, page
from spin_tf.contract.errors import ImageError
from spin_tf.data.images import decode_image
from spin_tf.evaluation.calibration import LEVELS, Calibration, calibration_of
from spin_tf.evaluation.word_set import Reading, SetResult
from spin_tf.explanation.page import STYLE, make_words
from spin_tf.explanation.trace import Trace, trace
from spin_tf.recognizer import Recognizer

_STYLE = (
    ".mistakes{display:flex;flex-wrap:wrap;gap:.7em}figure{margin:0;padding:.5em;border:1px solid var(--line);"
    "border-radius:5px;background:var(--card)}figure img{height:48px;max-width:300px;object-fit:contain}"
    "figure b,.legend b{color:var(--good)}figure i,.legend i{color:var(--bad);font-style:normal}"
    ".unreadable{height:48px;color:var(--soft)}svg text{fill:var(--ink)}"
)


def _mistakes(result: SetResult) -> list[Reading]:
    return sorted((r for r in result.readings if r.correct is False), key=lambda r: -r.confidence)


def explain_mistakes(recognizer: Recognizer, results: list[SetResult], count: int) -> list[Trace]:
    """How the mistakes came about.

    Args:
        recognizer: what read the sets.
        results: the sets.
        count: mistakes of each set, the surest first; images that could not be read are left out.
    """
    traces = []
    for result in results:
        for reading in [r for r in _mistakes(result) if r.prediction is not None][:count]:
            encoded = result.index.read_example(reading.index).encoded
            name = f"{result.name}: {reading.source_id}"
            traces.append(trace(recognizer, encoded, recognizer.read(encoded), name, reading.truth))
    return traces


def _picture(encoded: bytes) -> str:
    try:
        # Always as PNG: browsers show no TIFF, and a page must not carry foreign bytes.
        source = data_uri(Image.fromarray(decode_image(encoded)))
    except ImageError:
        return '<div class="unreadable">unreadable</div>'
    return f'<img alt="" loading="lazy" src="{source}">'


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


def make_gallery(results: list[SetResult], max_pictures: int = 200, explained: Sequence[Trace] = ()) -> str:
    """Returns an HTML page of the mistakes, the most confident of each set first, pictures inside.

    Args:
        results: the sets.
        max_pictures: mistakes shown of each set.
        explained: mistakes to look into, see `explain_mistakes`.
    """
    sections = []
    for result in results:
        wrong = _mistakes(result)
        figures = "\n".join(_figure(result, reading) for reading in wrong[:max_pictures])
        shown = f"{len(wrong)} of {result.score.words} words wrong, {min(len(wrong), max_pictures)} shown"
        sections.append(f'<h2>{html.escape(result.name)}</h2>\n<p>{shown}</p>\n<div class="mistakes">{figures}</div>')
    if explained:
        sections.append(
            f"<h2>How mistakes came about</h2>\n<p>{len(explained)} of them, the surest of each set.</p>"
            f"\n{make_words(explained)}"
        )
    calibration = calibration_of(results)
    reliability = (
        f"<h2>Confidence</h2>\n<p>Expected calibration error {calibration.expected_error:.4f}. "
        f"{_remaining(calibration)}</p>\n{calibration.diagram()}"
    )
    legend = '<p class="legend">Each picture with its <b>label</b>, the <i>reading</i> and its confidence.</p>'
    return page("Mistakes", "\n".join([legend, *sections, reliability]), STYLE + _STYLE)
