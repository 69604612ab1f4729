"""Reads the words of any number of images on many machines, with Apache Beam.

bin/recognize_beam.py --input=PATTERN... --output=PREFIX [--tfrecords] [--format=jsonl|tfrecord] [--runner=RUNNER]
    [-- BEAM_OPTION...]

Writes PREFIX-00000-of-000NN.jsonl: for each image its path with the word, confidence and characters, or with the reason
why it cannot be read. What follows `--` goes to Beam's runner.
"""

from __future__ import annotations

from absl import flags

from spin_tf.bulk import beam
from spin_tf.bulk.rows import summary
from spin_tf.cli._run import UserError, without_native_chatter

_INPUT = flags.DEFINE_multi_string(
    "input", [], "image files or TFRecords: a pattern such as 'crops/*/*.jpg'; repeatable"
)
_OUTPUT = flags.DEFINE_string("output", None, "path and start of the names of the files to write")
_TFRECORDS = flags.DEFINE_bool("tfrecords", False, "the inputs are TFRecords with image/encoded")
_FORMAT = flags.DEFINE_enum("format", "jsonl", ["jsonl", "tfrecord"], "what to write")
_MODEL = flags.DEFINE_string("model", None, "a .tflite file that all workers see, or a URL; default: the bundled model")
_TURN_TALL = flags.DEFINE_bool("turn_tall", True, "as in recognize")
_THREADS = flags.DEFINE_integer("threads", 1, "images that one worker process reads at the same time")
_NUM_SHARDS = flags.DEFINE_integer("num_shards", 0, "how many files to write; 0 leaves it to the runner")
_RUNNER = flags.DEFINE_string("runner", "DirectRunner", "Beam's runner: DirectRunner, FlinkRunner, SparkRunner, ...")


def main(argv: list[str]) -> int:
    if not _INPUT.value or not _OUTPUT.value:
        raise UserError("--input and --output are needed, for example: --input='crops/*.jpg' --output=words/crops")
    if _NUM_SHARDS.value < 0:
        raise UserError(f"--num_shards must be at least 0. Received: {_NUM_SHARDS.value}")
    bulk = beam.BulkReading(
        tuple(_INPUT.value),
        _OUTPUT.value,
        _TFRECORDS.value,
        _FORMAT.value,
        _MODEL.value,
        _TURN_TALL.value,
        _THREADS.value,
        _NUM_SHARDS.value,
    )
    with without_native_chatter():
        # What is wrong with the model is better said here than by each worker.
        beam.shared_recognizer(bulk.model, bulk.num_threads, bulk.turn_tall)
    counts = beam.run(bulk, [f"--runner={_RUNNER.value}", *argv[1:]])
    print(summary(counts))
    return 0
