#!/usr/bin/env python3
"""Accuracy and time a word beside RapidOCR's bundled recogniser, one word at a time, from file bytes to text.

    benchmarks/reading.py --data=NAME=GLOB... [--model=PATH]... [--peer_python=PYTHON] [--threads=2] [--rounds=3]
        [--output=FILE.json]

All read the same words in turns: whatever else the machine does disturbs all of them. --peer_python is an interpreter
with rapidocr and onnxruntime; without it only this project is measured. Word accuracy is lower case, [0-9a-z]. Times
are by the clock; the last column is the processor time of all threads, which other programs disturb least.
"""

from __future__ import annotations

import io
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from absl import app, flags
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.peer import PEER_NAME, side_by_side, start_peer
from spin_tf import Recognizer
from spin_tf._cores import num_cores
from spin_tf._files import write_text
from spin_tf.cli.evaluate import parse_data
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.breakdown import by_height, by_length, by_shape
from spin_tf.evaluation.metrics import Score
from spin_tf.evaluation.word_set import Reading

# --data is that of bin/evaluate.py, which is imported for it; others of its flags mean something else here.
_MODELS = flags.DEFINE_multi_string("model", [], "Model to read with, may be repeated.", allow_override=True)
_OUTPUT = flags.DEFINE_string("output", None, "A .json file for the same figures.", allow_override=True)
_PEER = flags.DEFINE_string("peer_python", None, "Interpreter that has rapidocr and onnxruntime.")
_THREADS = flags.DEFINE_integer("threads", num_cores(), "Threads of either for one word.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Rounds over all words.", 1)


class Round(NamedTuple):
    """All words once: their texts, the seconds of each by the clock, and those of the processor for all."""

    texts: list[str]
    seconds: list[float]
    processor_seconds: float


Reader = Callable[[], Round]


def our_reader(model: str | None, threads: int, words: list[bytes]) -> Reader:
    recognizer = Recognizer(model, num_threads=threads)
    recognizer.read(words[0])

    def read() -> Round:
        texts, seconds = [], []
        processor = time.process_time()
        for content in words:
            start = time.perf_counter()
            texts.append(recognizer.read(content).text)
            seconds.append(time.perf_counter() - start)
        return Round(texts, seconds, time.process_time() - processor)

    return read


def peer_reader(python: str, threads: int, words: list[bytes], folder: str) -> Reader:
    read_all = start_peer(python, threads, words, folder)

    def read() -> Round:
        answer = read_all()
        return Round(answer["texts"], answer["seconds"], answer["processor_seconds"])

    return read


def figures(rounds: list[Round], sets: list[str], labels: list[str], sizes: list[tuple[int, int]]) -> dict[str, Any]:
    """What was measured of one reader, as JSON can hold it; `sizes` are heights and widths of the crops."""
    scores = {name: Score() for name in [*dict.fromkeys(sets), "all words"]}
    readings = []
    for i, (name, label, text, size) in enumerate(zip(sets, labels, rounds[-1].texts, sizes, strict=True)):
        scores[name].add(label, text)
        readings.append(Reading(i, name, label, text, 1.0, "", scores["all words"].add(label, text), size))
    p50, p95 = 1e3 * np.percentile([second for each in rounds for second in each.seconds], (50, 95))
    processor = 1e3 * sum(each.processor_seconds for each in rounds) / len(rounds) / len(labels)
    return {
        "sets": {name: {"words": score.words, "correct": score.correct} for name, score in scores.items()},
        "p50_ms": float(p50),
        "p95_ms": float(p95),
        "processor_ms": processor,
        "by_length": by_length(readings),
        "by_shape": by_shape(readings),
        "by_height": by_height(readings),
    }


def main(_: list[str]) -> None:
    sets: list[str] = []
    labels: list[str] = []
    words: list[bytes] = []
    sizes: list[tuple[int, int]] = []
    for name, patterns in parse_data(flags.FLAGS.data).items():
        index = RecordIndex(patterns)
        for i in range(len(index)):
            example = index.read_example(i)
            sets.append(name)
            labels.append(example.text)
            words.append(example.encoded)
            sizes.append(Image.open(io.BytesIO(example.encoded)).size[::-1])
    models = _MODELS.value or [None]
    readers = {f"spin_tf, {model or 'bundled model'}": our_reader(model, _THREADS.value, words) for model in models}
    with tempfile.TemporaryDirectory() as folder:
        if _PEER.value:
            readers[PEER_NAME] = peer_reader(_PEER.value, _THREADS.value, words, folder)
        rounds: dict[str, list[Round]] = {name: [] for name in readers}
        for _round in range(_ROUNDS.value):
            for name, read in readers.items():
                rounds[name].append(read())
    measured = {name: figures(each, sets, labels, sizes) for name, each in rounds.items()}
    print(f"{len(words)} words, {_ROUNDS.value} rounds in turns, {_THREADS.value} threads\n\n{side_by_side(measured)}")
    if _OUTPUT.value:
        summary = {"words": len(words), "rounds": _ROUNDS.value, "threads": _THREADS.value, "readers": measured}
        write_text(_OUTPUT.value, json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
