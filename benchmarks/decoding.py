#!/usr/bin/env python3
"""What the options of decoding are worth and cost: word accuracy and processor time a word, one thread, in turns.

    benchmarks/decoding.py --data=NAME=GLOB... --vocabulary=FILE [--model=PATH] [--rounds=3] [--update=docs/decoding.md]
    benchmarks/decoding.py --data=NAME=GLOB... --choose_views [--model=PATH]

The lexicon is the vocabulary and the labels of the words; the one of a million words adds made ones. Times are those of
`Recognizer.read_many` on the bytes of the files, in processor seconds, medians of the rounds. --update puts the tables
into a document, between its two marks. --choose_views picks, on words of training, which views an effort of 2, 3 and 6
reads: the one that adds most right words, again and again.
"""

from __future__ import annotations

import datetime
import pathlib
import random
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.pages import write_measured
from spin_tf.cli.evaluate import parse_data
from spin_tf.contract.greedy import decode
from spin_tf.contract.preprocessing import preprocess
from spin_tf.contract.views import vote, warped
from spin_tf.data.images import decode_image
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.trie import Trie, words_in
from spin_tf.evaluation.calibration import Calibration
from spin_tf.evaluation.metrics import Score, normalize
from spin_tf.recognizer import Recognizer, Word

# --model and --data are those of bin/evaluate.py, which is imported for them.
_VOCABULARY = flags.DEFINE_string("vocabulary", None, "UTF-8 file of words; lines with # are left out.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Rounds over all words.", 1)
_UPDATE = flags.DEFINE_string("update", None, "Document whose tables are replaced.")
_CHOOSE = flags.DEFINE_bool("choose_views", False, "Choose the views of an effort instead of measuring.")
_WEIGHT = 3.0

# What --choose_views chooses from, after the crop as it is.
CANDIDATES: dict[str, Callable[[np.ndarray, tuple[int, int]], np.ndarray]] = {
    "wider by 8 %": lambda crop, size: warped(crop, size, (0.08, 0.08)),
    "narrower by 6 %": lambda crop, size: warped(crop, size, (-0.06, -0.06)),
    "wider across by 10 %": lambda crop, size: warped(crop, size, (0.0, 0.1)),
    "higher by 12 %": lambda crop, size: warped(crop, size, (0.12, 0.0)),
    "cut by 3 % across, 10 % in height": lambda crop, size: warped(crop, size, (-0.1, -0.03)),
    "turned by 5": lambda crop, size: warped(crop, size, degrees=5),
    "turned by -5": lambda crop, size: warped(crop, size, degrees=-5),
    "wider by 6 %, turned by 3": lambda crop, size: warped(crop, size, (0.06, 0.06), 3),
    "wider by 6 %, turned by -3": lambda crop, size: warped(crop, size, (0.06, 0.06), -3),
    "inverted": lambda crop, size: -preprocess(crop, size),
}


def read_data() -> tuple[list[bytes], list[str]]:
    """The files and the labels of all words that --data names."""
    images, labels = [], []
    for patterns in parse_data(flags.FLAGS.data).values():
        index = RecordIndex(patterns)
        for i in range(len(index)):
            example = index.read_example(i)
            images.append(example.encoded)
            labels.append(example.text)
    return images, labels


def million(words: list[str]) -> list[str]:
    """These words and made ones, a million in all: pairs cut to a length, and words with numbers."""
    rng = random.Random(0)
    letters = [word for word in words if word.isalpha()]
    made = dict.fromkeys(words)
    while len(made) < 1_000_000:
        first, second = rng.choice(letters), rng.choice(letters)
        is_pair = rng.random() < 0.7
        made[(first + second)[: rng.randint(5, 16)] if is_pair else f"{first}{rng.randint(0, 9999)}"] = None
    return list(made)


def choose_views(images: list[bytes], labels: list[str]) -> None:
    recognizer = Recognizer(flags.FLAGS.model, turn_tall=False)
    crops = [recognizer.preprocessing.cut(decode_image(image)) for image in images]
    truths = [normalize(label) for label in labels]

    def read(view: Callable[[np.ndarray, tuple[int, int]], np.ndarray]) -> list[Word]:
        words = []
        for start in range(0, len(crops), 256):
            batch = np.stack([view(crop, recognizer.image_size) for crop in crops[start : start + 256]])
            outputs = zip(*recognizer.model.predict_words(batch), strict=True)
            words += [decode(recognizer.charset, *output) for output in outputs]
        return words

    def right(readings: list[list[Word]]) -> float:
        answers = [vote([[word] for word in views]) for views in zip(*readings, strict=True)]
        scored = [normalize(word.text) == truth for word, truth in zip(answers, truths, strict=True) if truth]
        return 100 * float(np.mean(scored))

    chosen = [read(preprocess)]
    waiting = {name: read(view) for name, view in CANDIDATES.items()}
    print(f"{len(crops)} words, as they are: {right(chosen):.2f}")
    while len(chosen) < 6:
        best = max(waiting, key=lambda name: right([*chosen, waiting[name]]))
        chosen.append(waiting.pop(best))
        print(f"{len(chosen)} views, with {best}: {right(chosen):.2f}", flush=True)


def measure(images: list[bytes], labels: list[str]) -> str:
    vocabulary = [word for word in words_in(_VOCABULARY.value) if not word.startswith("#")]
    lexicon = list(dict.fromkeys([*vocabulary, *labels]))
    most = million(lexicon)
    model = flags.FLAGS.model
    plain = Recognizer(model, num_threads=1)
    letters, longest = Letters(plain.charset, ignore_case=True), int(plain.metadata["max_length"])
    sizes = [f"{len(words):,} words: {Trie(words, letters, longest).nbytes / 1e6:.0f} MB" for words in (lexicon, most)]
    ways: dict[str, Recognizer] = {
        "greedy": plain,
        "`beam_width=5`": Recognizer(model, num_threads=1, beam_width=5),
        "`n_best=3`": Recognizer(model, num_threads=1, n_best=3),
        f"lexicon of {len(lexicon):,} words": Recognizer(model, num_threads=1, lexicon=lexicon),
        f"the same, `lexicon_weight={_WEIGHT:g}`": Recognizer(
            model, num_threads=1, lexicon=lexicon, lexicon_weight=_WEIGHT
        ),
        f"the vocabulary alone, `lexicon_weight={_WEIGHT:g}`": Recognizer(
            model, num_threads=1, lexicon=vocabulary, lexicon_weight=_WEIGHT
        ),
        f"lexicon of {len(most):,} words": Recognizer(model, num_threads=1, lexicon=most),
        "`effort=2`": Recognizer(model, num_threads=1, effort=2),
        "`effort=3`": Recognizer(model, num_threads=1, effort=3),
        "`effort=6` (`high`)": Recognizer(model, num_threads=1, effort=6),
    }
    for recognizer in ways.values():
        recognizer.read(images[:16])
    times: dict[str, list[float]] = {name: [] for name in ways}
    words: dict[str, list[Word]] = {}
    for _ in range(_ROUNDS.value):
        for name, recognizer in ways.items():
            start = time.process_time()
            words[name] = recognizer.read(images)
            times[name].append((time.process_time() - start) / len(images) * 1e3)
    milliseconds = {name: statistics.median(values) for name, values in times.items()}
    rows = ["| | word accuracy | refused | ms a word | times greedy |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in ways:
        score = Score()
        for label, word in zip(labels, words[name], strict=True):
            score.add(label, word.text)
        refused = sum(bool(word.reason) for word in words[name])
        times_greedy = milliseconds[name] / milliseconds["greedy"]
        cells = (f"{100 * score.word_accuracy:.2f}", refused, f"{milliseconds[name]:.2f}", f"{times_greedy:.2f}")
        rows.append(f"| {name} | {' | '.join(map(str, cells))} |")
    pairs = [
        (word.confidence, normalize(word.text) == normalize(label))
        for label, word in zip(labels, words["greedy"], strict=True)
        if normalize(label)
    ]
    calibration = Calibration.of(pairs)
    name, temperature = plain.metadata["name"], plain.metadata.get("temperature", 1.0)
    about = (
        f"{len(images)} words, model {name}, temperature {temperature:.3f}, {datetime.date.today()}, "
        f"{_ROUNDS.value} rounds in turns. Memory of the lexicons: {'; '.join(sizes)}."
    )
    confidence = f"Read greedily, the expected calibration error is {calibration.expected_error:.4f}:"
    return "\n\n".join([about, "\n".join(rows), confidence, calibration.table()]) + "\n"


def main(_: list[str]) -> None:
    images, labels = read_data()
    if _CHOOSE.value:
        choose_views(images, labels)
        return
    if not _VOCABULARY.value:
        raise app.UsageError("--vocabulary is needed")
    text = measure(images, labels)
    print(text)
    if _UPDATE.value:
        write_measured(_UPDATE.value, "benchmarks/decoding.py", text)


if __name__ == "__main__":
    app.run(main)
