#!/usr/bin/env python3
"""Accuracy and time a word beside RapidOCR's bundled recogniser, one word at a time, from file bytes to text.

    benchmarks/reading.py --data=NAME=GLOB... [--model=PATH] [--peer_python=PYTHON] [--threads=2] [--rounds=3]

All read the same words in turns: whatever else the machine does disturbs all of them. --peer_python is an interpreter
with rapidocr and onnxruntime; without it only this project is measured. Word accuracy is lower case, [0-9a-z].
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.peer import start_peer
from spin_tf import Recognizer
from spin_tf._cores import num_cores
from spin_tf.cli.evaluate import parse_data
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.evaluation.metrics import Score

# --model and --data are those of bin/evaluate.py, which is imported for them.
_PEER = flags.DEFINE_string("peer_python", None, "Interpreter that has rapidocr and onnxruntime.")
_THREADS = flags.DEFINE_integer("threads", num_cores(), "Threads of either for one word.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Rounds over all words.", 1)

# One round: the texts and the seconds of all words.
Reader = Callable[[], tuple[list[str], list[float]]]


def our_reader(model: str | None, threads: int, words: list[bytes]) -> Reader:
    recognizer = Recognizer(model, num_threads=threads)

    def read() -> tuple[list[str], list[float]]:
        texts, seconds = [], []
        for content in words:
            start = time.perf_counter()
            texts.append(recognizer.read(content).text)
            seconds.append(time.perf_counter() - start)
        return texts, seconds

    return read


def peer_reader(python: str, threads: int, words: list[bytes], folder: str) -> Reader:
    read_all = start_peer(python, threads, words, folder)

    def read() -> tuple[list[str], list[float]]:
        answer = read_all()
        return answer["texts"], answer["seconds"]

    return read


def main(_: list[str]) -> None:
    sets: list[str] = []
    labels: list[str] = []
    words: list[bytes] = []
    for name, patterns in parse_data(flags.FLAGS.data).items():
        index = RecordIndex(patterns)
        for i in range(len(index)):
            example = index.read_example(i)
            sets.append(name)
            labels.append(example.text)
            words.append(example.encoded)
    model = flags.FLAGS.model
    readers = {f"spin_tf, {model or 'bundled model'}": our_reader(model, _THREADS.value, words)}
    with tempfile.TemporaryDirectory() as folder:
        if _PEER.value:
            readers["RapidOCR, bundled recogniser"] = peer_reader(_PEER.value, _THREADS.value, words, folder)
        times: dict[str, list[float]] = {name: [] for name in readers}
        texts: dict[str, list[str]] = {}
        for _round in range(_ROUNDS.value):
            for name, read in readers.items():
                texts[name], seconds = read()
                times[name] += seconds
    print(f"{len(words)} words, {_ROUNDS.value} rounds in turns, {_THREADS.value} threads\n")
    names = list(dict.fromkeys(sets))
    print(f"| | {' | '.join(names)} | all words | ms a word, p50 | p95 |\n{'|---' * (len(names) + 4)}|")
    for name in readers:
        scores = {key: Score() for key in [*names, "all"]}
        for key, label, text in zip(sets, labels, texts[name], strict=True):
            scores[key].add(label, text)
            scores["all"].add(label, text)
        cells = [f"{100 * score.word_accuracy:.1f}" for score in scores.values()]
        cells += [f"{1e3 * value:.1f}" for value in np.percentile(times[name], (50, 95))]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    app.run(main)
