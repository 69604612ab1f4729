"""Shows samples of TFRecords: lines of text, or a page of pictures with their labels; and checks every record.

bin/inspect_data.py --data=GLOB... [--output=PAGE.html] [--num_samples=60] [--check]

Text lines are source_id<TAB>label<TAB>format<TAB>width x height; control characters and direction marks in labels are
written as \\u{202E}. Records that are broken or miss a key go to stderr, and the exit code is 1.
"""

from __future__ import annotations

import sys

import numpy as np
from absl import flags

from spin_tf._files import check_output_file, write_text
from spin_tf.cli._run import flags_only
from spin_tf.contract.errors import ImageError
from spin_tf.data.conversion.convert import read_words
from spin_tf.data.conversion.report_page import Sample, page_html, table_html, visible, words_html
from spin_tf.data.conversion.sources import entries
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.images import ImageInfo, inspect_image
from spin_tf.data.records.tfrecord import RecordError, RecordIndex, WordExample

_DATA = flags.DEFINE_multi_string("data", None, "TFRecord files or glob patterns; may be repeated", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "HTML page to write; without it, lines of text")
_NUM_SAMPLES = flags.DEFINE_integer("num_samples", 60, "how many words, drawn at random", lower_bound=0)
_SEED = flags.DEFINE_integer("seed", 0, "of the draw")
_CHECK = flags.DEFINE_bool("check", False, "read every record: checksum, keys, and whether the whole picture decodes")


def draw(index: RecordIndex, count: int, seed: int) -> list[tuple[Sample, ImageInfo | None]]:
    """Reads `count` records drawn without repetition, in the order of the files; broken ones say so in `detail`."""
    chosen = np.random.default_rng(seed).choice(len(index), min(count, len(index)), replace=False)
    samples: list[tuple[Sample, ImageInfo | None]] = []
    for i in sorted(int(i) for i in chosen):
        word = WordExample(b"", "")
        try:
            word = index.read_example(i, check=True)
            info = inspect_image(word.encoded, decode=True)
            samples.append((Sample(word.text, word.source_id, "", word.encoded), info))
        except (RecordError, ImageError) as error:
            samples.append((Sample(word.text, word.source_id, str(error), None), None))
    return samples


def main(argv: list[str]) -> int:
    """Runs the command; 1 when a record that was read is broken, or there is none."""
    flags_only(argv)
    if _OUTPUT.value:
        check_output_file(_OUTPUT.value)
    index = RecordIndex(_DATA.value, on_corrupt="skip")
    problems = [f"{s.file}: {s.reason}; skipped after {s.num_records} records" for s in index.skipped]
    if not len(index) and not problems:
        problems.append("there is no record in these files")
    samples = draw(index, _NUM_SAMPLES.value, _SEED.value)
    if _CHECK.value:
        statistics, anything = Statistics(), Checks(None, max_length=1 << 30, min_size=1)
        for _ in read_words(entries("tfrecord", index.files), anything, statistics):
            pass
        for reason, found in statistics.to_report()["rejected"].items():
            if reason != "corrupt_tfrecord":
                first = found["examples"][0]
                problems.append(f"{found['count']} records: {reason}, first {first['source_id']}: {first['detail']}")
    else:
        problems += [sample.detail for sample, info in samples if info is None]
    if _OUTPUT.value:
        _write_page(index, samples)
    else:
        for sample, info in samples:
            if info is not None:
                size = f"{info.format}\t{info.width} x {info.height}"
                print(f"{visible(sample.source_id)}\t{visible(sample.label or '')}\t{size}")
    for problem in problems:
        print(f"error: {visible(problem)}", file=sys.stderr)
    print(f"{len(index)} records in {len(index.files)} files{', all read' if _CHECK.value else ''}", file=sys.stderr)
    return 1 if problems else 0


def _write_page(index: RecordIndex, samples: list[tuple[Sample, ImageInfo | None]]) -> None:
    shown = []
    for sample, info in samples:
        size = f"{info.format} {info.width} x {info.height}" if info else sample.detail
        shown.append(sample._replace(detail=size))
    counts = table_html(("file", "records"), index.count_by_file().items())
    page = page_html(f"{len(samples)} of {len(index)} words", counts + words_html(shown))
    write_text(_OUTPUT.value, page, "backslashreplace")
