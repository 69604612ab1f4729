"""Converts a data set of labelled words to TFRecord shards, and reports what was kept and rejected."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from absl import flags, logging

from spin_tf._extras import require
from spin_tf.charset import Charset
from spin_tf.cli._run import UserError
from spin_tf.data.convert import Checks, Conversion, convert, publish
from spin_tf.data.report_page import report_page
from spin_tf.data.sources import SOURCES
from spin_tf.data.statistics import Statistics

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
flags.DEFINE_integer("workers", os.cpu_count() or 1, "How many processes.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the spread over the shards.")
flags.DEFINE_string("charset", "94", "36, 62, 68, 94, file:PATH, chars:CHARACTERS, or any; decides rejects only.")
flags.DEFINE_integer("max_length", 25, "Longest label in characters.", lower_bound=1)
flags.DEFINE_integer("min_size", 2, "Smallest height and width of an image in pixels.", lower_bound=1)
flags.DEFINE_enum("image_check", "decode", ["decode", "header"], "Decode every image, or read its header only.")
flags.DEFINE_multi_string("only", [], "Text file of image paths, relative to itself, that alone are converted.")
flags.DEFINE_multi_string("exclude", [], "Text file of image paths, relative to itself, that are not converted.")
flags.DEFINE_float("max_reject_share", 1.0, "Fail, without writing shards, above this share of rejects.", 0.0, 1.0)


def main(argv: list[str]) -> int:
    """Runs the command; 1 when too many words were rejected."""
    if len(argv) > 1:
        raise UserError(f"All options are flags. Received: {argv[1:]}")
    logging.set_verbosity(logging.INFO if logging.get_verbosity() > logging.INFO else logging.get_verbosity())
    charset = None if FLAGS.charset == "any" else Charset.from_spec(FLAGS.charset).to_dict()
    checks = Checks(charset, FLAGS.max_length, FLAGS.min_size, FLAGS.image_check)
    conversion = Conversion(
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
    with Progress() as progress:
        statistics = convert(conversion, FLAGS.workers, progress)
    options = {
        "source": FLAGS.source,
        "input": FLAGS.input,
        "output": FLAGS.output,
        "num_shards": FLAGS.num_shards,
        "seed": FLAGS.seed,
        "charset": FLAGS.charset,
        "max_length": FLAGS.max_length,
        "min_size": FLAGS.min_size,
        "image_check": FLAGS.image_check,
    }
    write_report(statistics, options)
    share = statistics.num_rejected / max(statistics.read - statistics.excluded, 1)
    if share > FLAGS.max_reject_share:
        print(
            f"error: {share:.2%} of the words were rejected, more than --max_reject_share={FLAGS.max_reject_share}; "
            f"no shards were written, see {FLAGS.output}.report.html. Received: {statistics.num_rejected} rejects",
            file=sys.stderr,
        )
        return 1
    paths = publish(conversion)
    print(f"{paths[0]} ... {len(paths)} shards")
    return 0


def write_report(statistics: Statistics, options: dict[str, Any]) -> None:
    """Writes PREFIX.report.json and PREFIX.report.html, and one line on stdout."""
    report: dict[str, Any] = {"format": 1, **options, **statistics.to_report()}
    with open(f"{options['output']}.report.json", "w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=True, indent=1)
        file.write("\n")
    with open(f"{options['output']}.report.html", "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(report_page(statistics, options))
    rejected = ", ".join(f"{reason} {found['count']}" for reason, found in report["rejected"].items())
    print(
        f"read {statistics.read}, kept {statistics.kept}, excluded {statistics.excluded}, "
        f"rejected {statistics.num_rejected}{f' ({rejected})' if rejected else ''}"
    )


class Progress:
    """A progress bar with rate and time left, one after the other for planning and converting."""

    def __init__(self) -> None:
        self._tqdm = require("tqdm", "The progress bar", "data")
        self._bar: Any = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self.close()
            self._stage = stage
            name = "planning" if stage == "plan" else "converting"
            # The rate is that of this run, without the shards of an earlier one.
            self._bar = self._tqdm.tqdm(desc=name, total=total, initial=done, unit=" words", mininterval=0.5)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leaves the last state of the bar on the screen."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
