#!/usr/bin/env python3
"""Finding and reading words in photographs, beside RapidOCR alone, in one run.

    benchmarks/photos.py --data=NAME=LABELS[,IMAGES]... [--detector=FILE] [--peer] [--cores=2]
        [--update=docs/photographs.md]

Needs rapidocr and onnxruntime (the extra photo). Each photograph is read by one and then by the other, from the bytes
of its file, so that whatever else the machine does disturbs both. RapidOCR runs with its own models as it comes, and
answers with its word boxes (return_word_box); of both, readings below a confidence are left out: spin_tf's default, and
for RapidOCR the better one of 0.3, 0.5 and 0.7. Processor seconds are those of all threads.
"""

from __future__ import annotations

import datetime
import pathlib
import shlex
import sys
import time
from collections.abc import Callable

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.pages import write_measured
from spin_tf import PhotoReader
from spin_tf.cli.evaluate_photos import named_photos
from spin_tf.evaluation.photo_protocol import Counts, PlacedWord, match
from spin_tf.photo.reader import MIN_CONFIDENCE

# --data, --model and --detector are those of bin/evaluate_photos.py, which is imported for them.
_CORES = flags.DEFINE_integer("cores", 2, "Threads of either.", 1)
_PEER = flags.DEFINE_bool("peer", True, "Read with RapidOCR too.")
_THRESHOLDS = flags.DEFINE_multi_float("threshold", [MIN_CONFIDENCE], "Confidences of spin_tf to count from.")
_UPDATE = flags.DEFINE_string("update", None, "Document whose tables are replaced.")
_PEER_THRESHOLDS = (0.3, 0.5, 0.7)

Read = Callable[[bytes], list[PlacedWord]]


def our_reader() -> Read:
    reader = PhotoReader(
        flags.FLAGS.model, flags.FLAGS.detector, num_threads=_CORES.value, min_confidence=min(_THRESHOLDS.value)
    )

    def read(content: bytes) -> list[PlacedWord]:
        return [PlacedWord(word.text, word.polygon, confidence=word.confidence) for word in reader.read(content)]

    return read


def peer_reader() -> Read:
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.return_word_box": True,
            "Global.text_score": min(_PEER_THRESHOLDS),
            "EngineConfig.onnxruntime.intra_op_num_threads": _CORES.value,
        }
    )

    def read(content: bytes) -> list[PlacedWord]:
        answer = engine(content)
        if answer.boxes is None:
            return []
        words = []
        for box, text, score, line in zip(answer.boxes, answer.txts, answer.scores, answer.word_results, strict=False):
            parts = [part for part in line if isinstance(part, tuple) and len(part) == 3 and part[2] is not None]
            # Where it gives no boxes of words, the line counts.
            for part_text, part_score, part_box in parts or [(text, score, box)]:
                points = [[float(x), float(y)] for x, y in part_box]
                words.append(PlacedWord(part_text, points, confidence=float(part_score)))
        return words

    return read


def main(_: list[str]) -> None:
    photos = named_photos()
    readers = {f"spin_tf, {flags.FLAGS.model or 'bundled model'}": (our_reader(), _THRESHOLDS.value)}
    if _PEER.value:
        readers["RapidOCR alone"] = (peer_reader(), _PEER_THRESHOLDS)
    seconds = {name: [0.0, 0.0] for name in readers}
    counts: dict[tuple[str, str, float], list[Counts]] = {}
    for read, _ in readers.values():
        read(pathlib.Path(photos[0].path).read_bytes())
    for photo in photos:
        content = pathlib.Path(photo.path).read_bytes()
        for name, (read, thresholds) in readers.items():
            wall, processor = time.perf_counter(), time.process_time()
            try:
                words = read(content)
            except (OSError, ValueError) as error:
                # All of its words count as missed.
                print(f"{name}: {photo.path}: {error}", file=sys.stderr)
                words = []
            seconds[name][0] += time.perf_counter() - wall
            seconds[name][1] += time.process_time() - processor
            for threshold in thresholds:
                kept = [word for word in words if word.confidence >= threshold]
                for part in (photo.name, "all"):
                    sums = counts.setdefault((part, name, threshold), [Counts(), Counts()])
                    sums[0] += match(photo.words, kept).counts
                    sums[1] += match(photo.words, kept, "alphanumeric").counts
    command = shlex.join(["benchmarks/photos.py", *(part for part in sys.argv[1:] if not part.startswith("--update"))])
    about = f"{len(photos)} photographs, `{command}`, both in one run, {_CORES.value} threads, {datetime.date.today()}."
    lines = [about, "", "| set | reader | from confidence | found H | end to end P / R / H |", "|---|---|--:|--:|--:|"]
    for (part, name, threshold), (found, read_too) in sorted(counts.items()):
        lines.append(
            f"| {part} | {name} | {threshold:g} | {100 * found.hmean:.1f} | {100 * read_too.precision:.1f} / "
            f"{100 * read_too.recall:.1f} / {100 * read_too.hmean:.1f} |"
        )
    lines += ["", "| reader | seconds a photograph | processor seconds |", "|---|--:|--:|"]
    for name, (wall, processor) in seconds.items():
        lines.append(f"| {name} | {wall / len(photos):.2f} | {processor / len(photos):.2f} |")
    print("\n".join(lines))
    if _UPDATE.value:
        write_measured(_UPDATE.value, "benchmarks/photos.py", "\n".join(lines))


if __name__ == "__main__":
    app.run(main)
