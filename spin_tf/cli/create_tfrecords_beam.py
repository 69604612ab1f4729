"""Converts a data set of labelled words to TFRecord shards on many machines, with Apache Beam.

bin/create_tfrecords_beam.py --source=FORMAT --input=PATH --output=PREFIX [--runner=RUNNER] [-- BEAM_OPTION...]

The flags and the result are those of create_tfrecords; what follows `--` goes to Beam's runner.
"""

from __future__ import annotations

import json

from absl import flags

from spin_tf.cli import create_tfrecords
from spin_tf.data.conversion import beam_conversion
from spin_tf.data.conversion.statistics import Statistics

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(create_tfrecords)
flags.DEFINE_string("runner", "DirectRunner", "Beam's runner: DirectRunner, FlinkRunner, SparkRunner, DataflowRunner")


def main(argv: list[str]) -> int:
    """Runs the command; 1 when nothing was kept, or too many words were rejected."""
    conversion, options = create_tfrecords.conversion_from_flags(), create_tfrecords.options_from_flags()
    beam_conversion.run(conversion, options, FLAGS.max_reject_share, [f"--runner={FLAGS.runner}", *argv[1:]])
    with beam_conversion.open_raw(f"{FLAGS.output}.report.json", "r") as file:
        statistics = Statistics.from_report(json.loads(file.read()))
    print(statistics.summary())
    return 1 if create_tfrecords.failed(statistics, conversion) else 0
