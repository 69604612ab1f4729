"""Converts a data set of labelled words to TFRecord shards, and reports what was kept and rejected.

bin/create_tfrecords.py --source=tsv --input=photos/labels.txt --output=data/photos
bin/create_tfrecords.py --source=icdar --input=icdar2015/gt.txt --output=data/icdar2015 --num_shards=8

The input is the file of labels, or the folder where a data set is one; docs/data.md describes each source. Beside the
shards come OUTPUT.report.json and OUTPUT.report.html. The exit code is 1 when nothing was kept or too much rejected.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from absl import flags

from spin_tf._cores import num_cores
from spin_tf._files import check_output_file, write_text
from spin_tf._progress import ProgressBar
from spin_tf._types import JsonObject
from spin_tf.charset import Charset
from spin_tf.cli._run import flags_only, log_progress
from spin_tf.data.conversion.convert import convert, discard, publish
from spin_tf.data.conversion.hints import explain_rejects
from spin_tf.data.conversion.lexicons import write_lexicons
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.report_page import report_json, report_page
from spin_tf.data.conversion.sources import SOURCES
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.records.tfrecord import find_shards

FLAGS = flags.FLAGS


flags.DEFINE_enum("source", None, sorted(SOURCES), "Format of the data set.", required=True)
flags.DEFINE_multi_string(
    "input", None, "Label file, or the folder for lmdb and born_digital; may be repeated.", required=True
)
flags.DEFINE_string(
    "output", None, "Prefix: PREFIX-00000-of-000NN.tfrecord, PREFIX.report.json and .html.", required=True
)
flags.DEFINE_multi_string(
    "image_root", [], "Folder that paths in the label file start from, instead of its own; one, or one an input."
)
flags.DEFINE_integer("num_shards", 8, "How many files.", lower_bound=1)
flags.DEFINE_integer("workers", num_cores(), "How many processes.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the spread over the shards.")
flags.DEFINE_string("charset", "94", "36, 62, 68, 94, latin, file:PATH, chars:..., or any; decides rejects only.")
flags.DEFINE_integer("max_length", 25, "Longest label in characters.", lower_bound=1)
flags.DEFINE_integer("min_size", 2, "Smallest height and width of an image in pixels.", lower_bound=1)
flags.DEFINE_enum("image_check", "decode", ["decode", "header"], "Decode every image, or read its header only.")
flags.DEFINE_multi_string("only", [], "Text file of image paths, relative to itself, that alone are converted.")
flags.DEFINE_multi_string("exclude", [], "Text file of image paths, relative to itself, that are not converted.")
flags.DEFINE_float("max_reject_share", 1.0, "Fail, without writing shards, above this share of rejects.", 0.0, 1.0)


def conversion_from_flags() -> Conversion:
    """Returns what the flags ask for."""
    charset = None if FLAGS.charset == "any" else Charset.from_spec(FLAGS.charset).to_dict()
    checks = Checks(charset, FLAGS.max_length, FLAGS.min_size, FLAGS.image_check)
    return Conversion(
        FLAGS.source,
        tuple(FLAGS.input),
        FLAGS.output,
        checks,
        FLAGS.num_shards,
        FLAGS.seed,
        tuple(FLAGS.image_root),
        tuple(FLAGS.only),
        tuple(FLAGS.exclude),
    )


def options_from_flags() -> JsonObject:
    """Returns the options that the report names."""
    names = ("source", "input", "output", "num_shards", "seed", "charset", "max_length", "min_size", "image_check")
    return {name: FLAGS[name].value for name in (*names, "image_root", "only", "exclude")}


def failed(statistics: Statistics, conversion: Conversion) -> bool:
    """Whether a conversion is none: nothing was kept, or too much rejected. Says so and what was rejected on stderr."""
    if statistics.kept and statistics.reject_share <= FLAGS.max_reject_share:
        return False
    if statistics.kept:
        problem, given = f"{statistics.reject_share:.2%} of the words were rejected", FLAGS.max_reject_share
        received = f"max_reject_share={given}"
    else:
        problem, received = "no word was kept", f"input={list(conversion.inputs)}"
    older = "; those of an earlier conversion are as they were" if find_shards(conversion.output) else ""
    print(
        f"error: {problem}; no shards were written{older}, see {FLAGS.output}.report.html. Received: {received}",
        *explain_rejects(statistics, conversion),
        sep="\n  ",
        file=sys.stderr,
    )
    return True


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar, one after the other for planning and converting."""
    bars: dict[str, ProgressBar] = {}

    def show(stage: str, done: int, total: int | None) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            # The rate is that of this run, without the shards of an earlier one.
            bars[stage] = ProgressBar(total, "words", "planning" if stage == "plan" else "converting", initial=done)
        bars[stage].move_to(done)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def main(argv: list[str]) -> int:
    """Runs the command; 1 when nothing was kept, or too many words were rejected."""
    flags_only(argv)
    log_progress()
    conversion, options = conversion_from_flags(), options_from_flags()
    check_output_file(f"{FLAGS.output}.report.json")
    with _progress() as progress:
        statistics = convert(conversion, FLAGS.workers, progress)
    write_text(f"{FLAGS.output}.report.json", report_json(statistics, options), "backslashreplace")
    write_text(f"{FLAGS.output}.report.html", report_page(statistics, options), "backslashreplace")
    print(statistics.summary())
    if failed(statistics, conversion):
        if not statistics.kept:
            discard(conversion)
        return 1
    paths = publish(conversion)
    print(f"{paths[0]} ... {len(paths)} shards")
    lexicons = f"{FLAGS.output}.lexicons.jsonl"
    if pictures := write_lexicons(FLAGS.source, FLAGS.input, lexicons):
        print(f"{lexicons}: lexicons of {pictures} pictures")
    return 0
