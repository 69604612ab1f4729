"""The figures of the bundled model in documents, made of exported/results.json and of nothing else.

Each stands between the marks `<!-- measured by make release_model: NAME -->` and `<!-- until here -->`; `PAGES` says
which documents have which. tools/release_model.py writes them, tests/test_release.py compares them.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from benchmarks.pages import split_page, write_measured
from benchmarks.peer import PEER_NAME, side_by_side
from spin_tf.evaluation.metrics import Score
from spin_tf.evaluation.report import make_table as make_set_table
from spin_tf.evaluation.word_set import SetResult

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
RESULTS = "exported/results.json"
_BUNDLED = "exported/spin.tflite"

Results = dict[str, Any]


def _figures(results: Results, name: str) -> Any:
    return results["measured"][name]["figures"]


def _about(results: Results, name: str) -> str:
    """Where and when it was measured, and of which model, where that is another."""
    entry = results["measured"][name]
    older = entry["sha256"] != results["model"]["sha256"]
    return f"{entry['machine']}, {entry['date']}" + (f"; the model before, `{entry['model']}`" if older else "")


def _percent(right: int, words: int, digits: int = 1) -> str:
    return f"{100 * right / words:.{digits}f}" if words else "-"


def _share(figures: Any) -> str:
    return f"{_percent(figures['correct'], figures['words'])} %"


def _megabytes(results: Results) -> float:
    return float(results["model"]["bytes"]) / 1e6


def _ours(results: Results) -> Any:
    """The bundled model in the run of benchmarks/reading.py."""
    return _figures(results, "reading")["readers"][f"spin_tf, {_BUNDLED}"]


def headline(results: Results) -> str:
    ours, theirs = _ours(results), _figures(results, "reading")["readers"][PEER_NAME]
    words, name = theirs["sets"]["all words"], results["model"]["name"]
    return "\n".join(
        [
            f"| | the model inside, `{name}` | RapidOCR's (PP-OCRv6 small) |",
            "|---|---|---|",
            f"| words read right, of {words['words']} photographed ones, most of them hard (its weights were chosen by "
            f"them) | **{_share(_figures(results, 'validation')['all_words'])}** | {_share(words)} |",
            f"| processor time for a word, from file to text, one thread ({_about(results, 'reading')}) "
            f"| **{ours['processor_ms']:.1f} ms** | {theirs['processor_ms']:.1f} ms |",
            f"| size of the file, all inside | **{_megabytes(results):.1f} MB** | 21 MB |",
        ]
    )


def facts(results: Results) -> str:
    model = results["model"]
    size, wide = ("{} x {}".format(*model[key]) if model[key] else "" for key in ("image_size", "wide_image_size"))
    characters = model["charset"]["characters"]
    export = model.get("export", {})
    rows = [
        ("name", f"`{model['name']}`"),
        (
            "reads",
            f"one word a crop of up to {model['max_length']} characters, of {len(characters)} (charset "
            f"`{model['charset']['name']}`, {'with' if ' ' in characters else 'without'} the space)",
        ),
        (
            "file",
            f"{_megabytes(results):.2f} MB, {model['quantization']} weights, images of {size}"
            + (f", wide ones of {wide}" if wide else "")
            + f", preprocessing {model['preprocessing']}; builtin operators only; signatures "
            + ", ".join(f"`{name}`" for name in model["signatures"])
            + " ([docs/formats.md](docs/formats.md))",
        ),
        ("temperature of its confidences", f"{model['temperature']:.3f}"),
    ]
    if export:
        rows.append(("parameters", f"{export['parameters'] / 1e6:.2f} million"))
        rows.append(("beside the weights it was made of", export["parity"]))
    return "\n".join(["| | |", "|---|---|", *(f"| {title} | {text} |" for title, text in rows)])


def _sets(figures: Any) -> str:
    results = []
    for name, each in figures["sets"].items():
        counts = {key: each[key] for key in ("words", "correct", "excluded", "unreadable")}
        score = Score(**counts, sum_of_similarities=each["one_minus_ned"] * each["words"])
        results.append(SetResult(name, None, score, [], 0.0))  # type: ignore[arg-type]
    return make_set_table(results)


def validation(results: Results) -> str:
    figures = _figures(results, "validation")
    words, exact, unturned = figures["all_words"], figures["exact"], _figures(results, "unturned")["all_words"]
    more = [
        f"- Not read turned as well (`--turn_tall=false`): {unturned['correct']}, {_share(unturned)}"
        f"{_of_older(results, 'unturned')}.",
        f"- With case and punctuation compared as well (`--protocol=exact`): {exact['correct']}, {_share(exact)}.",
        f"- RapidOCR's bundled recogniser (PP-OCRv6 small, 21 MB): "
        f"{_share(_figures(results, 'reading')['readers'][PEER_NAME]['sets']['all words'])}"
        f" ([benchmarks](benchmarks/README.md#reading)).",
    ]
    lead = (
        f"`{_short(results, 'validation')}`: {words['words']} validation words, lower case, [0-9a-z], "
        f"{_about(results, 'validation')}:"
    )
    return "\n\n".join([lead, _sets(figures), "\n".join(more)])


def _of_older(results: Results, name: str) -> str:
    older = _about(results, name).partition("; ")[2]
    return f" ({older})" if older else ""


def _short(results: Results, name: str) -> str:
    """The command, without what says where its results go."""
    parts = results["measured"][name]["command"].split()
    return " ".join(part for part in parts if not part.startswith(("--output", "--gallery", "--json")))


def breakdown(results: Results) -> str:
    ours, theirs = _ours(results), _figures(results, "reading")["readers"][PEER_NAME]
    tables = [("label", "by_length"), ("crop", "by_shape"), ("crop's shorter side in pixels", "by_height")]
    return "\n\n".join(
        f"By {key.removeprefix('by_') if key != 'by_height' else 'size'} of the {what}, in per cent:\n\n"
        + _beside(
            results, [(next(iter(row.values())), row, other) for row, other in zip(ours[key], theirs[key], strict=True)]
        )
        for what, key in tables
    )


def _beside(results: Results, rows: list[tuple[str, Any, Any]]) -> str:
    """A table of the bundled model and RapidOCR's; a row is a name and what each of them read."""
    lines = [f"| | words | `{results['model']['name']}` | RapidOCR |", "|---|---:|---:|---:|"]
    for name, *both in rows:
        lines.append(
            f"| {name} | {both[0]['words']} | {' | '.join(_percent(x['correct'], x['words']) for x in both)} |"
        )
    return "\n".join(lines)


def second(results: Results) -> str:
    figures = _figures(results, "second")
    words = figures["all_words"]
    ours, theirs = _figures(results, "beside")["readers"].values()
    rows = [(name.replace("_", " "), ours["sets"][name], theirs["sets"][name]) for name in ours["sets"]]
    return (
        f"Of the second validation, {words['words']:,} words, it reads {_share(words)} ({words['correct']:,}; "
        f"{_about(results, 'second')}). By where they are from, in per cent, beside RapidOCR in one run "
        f"({_about(results, 'beside')}); but for plates, receipts and Total-Text the labels are RapidOCR's own "
        f"readings where they agreed, which favours it:\n\n{_beside(results, rows)}"
    )


def confidence(results: Results) -> str:
    figures = _figures(results, "validation")["all_words"]
    calibration = figures["calibration"]
    rows = [
        f"| {level} | {_percent(each['words'], figures['words'])} % | {_share(each)} |"
        for level, each in calibration["at_least"].items()
    ]
    return "\n".join(
        [
            f"The temperature was fitted on the second validation. On the {figures['words']} words, the expected "
            f"calibration error is {calibration['expected_calibration_error']:.3f}:",
            "",
            "| read with a confidence of at least | of all words | of them right |",
            "|---:|---:|---:|",
            *rows,
        ]
    )


def failures(results: Results) -> str:
    rows = [
        f"| {kind} | {_percent(each['correct'], each['words'])} | {100 * each['one_minus_ned']:.1f} |"
        for kind, each in _figures(results, "failures").items()
    ]
    words = next(iter(_figures(results, "failures").values()))["words"]
    lead = f"`{_short(results, 'failures')}`, {words} words of each kind, {_about(results, 'failures')}:"
    return "\n".join([lead, "", "| kind | word accuracy | 1 - NED |", "|---|---:|---:|", *rows])


def speed(results: Results) -> str:
    figures = _figures(results, "speed")
    lines = [
        "| model | images a call | processor ms a word | start, processor s | memory, MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for model in figures["models"]:
        name = _named(model["model"], results, "speed")
        for batch in model["batches"]:
            lines.append(
                f"| {name} | {batch['batch_size']} | {batch['cpu_ms_per_word']:.1f} "
                f"| {model['start_cpu_seconds']:.2f} | {model['peak_mb']:.0f} |"
            )
    return f"`{_short(results, 'speed')}`, {_about(results, 'speed')}:\n\n" + "\n".join(lines)


def _named(model: str, results: Results, measurement: str) -> str:
    """A file of a measurement as a reader knows it."""
    entry = results["measured"][measurement]
    return f"`{entry['model']}`, bundled" if model.endswith(_BUNDLED) else f"`{entry['before']}`, bundled before"


def reading_table(results: Results) -> str:
    figures = _figures(results, "reading")
    readers = {
        name if name == PEER_NAME else _named(name, results, "reading"): each
        for name, each in figures["readers"].items()
    }
    lead = (
        f"`{_short(results, 'reading')}`: {figures['words']} words one at a time, from file bytes to text, "
        f"{figures['rounds']} rounds in turns, one thread, {_about(results, 'reading')}:"
    )
    # By the clock, whatever else ran is in it.
    table = side_by_side(readers, ["processor_ms"])
    return f"{lead}\n\n{table}"


def shipped_file(results: Results) -> str:
    model, words = results["model"], _figures(results, "validation")["all_words"]
    return (
        f"`spin.tflite`: {_megabytes(results):.2f} MB, {model['quantization']} weights, from "
        f"`weights/{model['name']}`; reads {_share(words)} of {words['words']} real words "
        "([MODEL_CARD.md](../MODEL_CARD.md))."
    )


Maker = Callable[[Results], str]
# What a document shows, by the name in its mark.
PAGES: dict[str, dict[str, Maker]] = {
    "README.md": {"headline": headline},
    "MODEL_CARD.md": {
        "facts": facts,
        "validation": validation,
        "breakdown": breakdown,
        "second": second,
        "confidence": confidence,
        "failures": failures,
        "speed": speed,
    },
    "benchmarks/README.md": {"reading": reading_table},
    "exported/README.md": {"file": shipped_file},
}
# Documents whose tables a benchmark makes itself: they are in the results as it printed them.
PRINTED = {"docs/kinds.md": "kinds", "docs/decoding.md": "decoding", "docs/photographs.md": "photos"}


def _printed(results: Results, name: str) -> str:
    entry, text = results["measured"][name], str(_figures(results, name)["text"])
    is_older = entry["sha256"] != results["model"]["sha256"]
    return f"Measured with `{entry['model']}`, which was bundled before.\n\n{text}" if is_older else text


def parts(results: Results) -> list[tuple[str, str, str]]:
    """Every measured part: its document, what its mark names, and its text."""
    made = [
        (page, f"make release_model: {name}", make(results))
        for page, each in PAGES.items()
        for name, make in each.items()
    ]
    printed = [
        (page, f"benchmarks/{name}.py", _printed(results, name))
        for page, name in PRINTED.items()
        if name in results["measured"]
    ]
    return made + printed


def write_pages(results: Results, root: pathlib.Path = REPOSITORY) -> list[str]:
    """Writes every measured part that is another now.

    Raises:
        ValueError: a document has no place for one.

    Returns:
        the documents that were changed.
    """
    changed = []
    for page, source, text in parts(results):
        path = str(root / page)
        if split_page(path, source)[1].strip() != text.strip():
            write_measured(path, source, text)
            changed.append(page)
    return list(dict.fromkeys(changed))
