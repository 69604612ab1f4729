"""Words of millions of images as an Apache Beam pipeline: each worker process reads with a model of its own.

Files are found by patterns, grouped, and the groups handed out; TFRecords are handed out in ranges of records. Paths
may be URLs that Beam's file systems know (gs://, hdfs://, s3://).
"""

from __future__ import annotations

import dataclasses
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from spin_tf._extras import require
from spin_tf.bulk.record_ranges import RecordRange, records, split
from spin_tf.bulk.rows import Row, read_rows, to_example, to_json
from spin_tf.contract.word import ReadError
from spin_tf.data.conversion.beam_conversion import open_raw
from spin_tf.recognizer import Recognizer

_FEATURE = "Reading on many machines"
COUNTERS = "recognize"
# Enough that handing out costs little beside reading, few enough that small inputs spread.
GROUP = 64
# Images of a TFRecord that wait in memory; LiteRT reads no faster with more.
_MAX_BYTES = 8 * 2**20
_recognizers: dict[tuple[str | None, int, bool], Recognizer] = {}
_loading = threading.Lock()


@dataclasses.dataclass(frozen=True)
class BulkReading:
    """What to read and where to write.

    Args:
        inputs: patterns of image files or TFRecords.
        output: path and start of the names of the files to write.
        tfrecords: whether the inputs are TFRecords.
        output_format: `"jsonl"` or `"tfrecord"`.
        model: a `.tflite` file that all workers see, or a URL; None is the model that ships.
        turn_tall, num_threads: as in `Recognizer`, for each worker process.
        num_shards: how many files to write; 0 leaves it to the runner.
    """

    inputs: tuple[str, ...]
    output: str
    tfrecords: bool = False
    output_format: str = "jsonl"
    model: str | None = None
    turn_tall: bool = True
    num_threads: int = 1
    num_shards: int = 0


def shared_recognizer(model: str | None = None, num_threads: int = 1, turn_tall: bool = True) -> Recognizer:
    """Returns the `Recognizer` of this process with these arguments, and loads it when it is first asked for.

    One model a process, whatever number of threads and tasks a runner starts in it.

    Args:
        model: a `.tflite` file, or a URL that Beam's file systems know; None is the model that ships.
        num_threads, turn_tall: as in `Recognizer`.
    """
    key = (model, num_threads, turn_tall)
    with _loading:
        if key not in _recognizers:
            with tempfile.TemporaryDirectory() as folder:
                path = model
                if model is not None and "://" in model:
                    path = os.path.join(folder, "model.tflite")
                    with open_raw(model, "r") as source, open(path, "wb") as target:
                        shutil.copyfileobj(source, target)
                _recognizers[key] = Recognizer(path, num_threads, turn_tall)
        return _recognizers[key]


def find_files(pattern: str, limit: int | None = None) -> list[str]:
    """The files that a pattern matches, sorted; folders are left out."""
    files = require("apache_beam.io.filesystems", _FEATURE, "beam").FileSystems
    (match,) = files.match([pattern], None if limit is None else [limit])
    return sorted(m.path for m in match.metadata_list if "://" in m.path or not os.path.isdir(m.path))


def groups(pattern: str, bulk: BulkReading) -> Iterator[list[bytes] | RecordRange]:
    """What workers take at a time: paths, as bytes since they need not be UTF-8, or a range of records."""
    paths = find_files(pattern)
    if bulk.tfrecords:
        for path in paths:
            yield from split(path, GROUP)
        return
    for start in range(0, len(paths), GROUP):
        yield [os.fsencode(path) for path in paths[start : start + GROUP]]


def _open(path: str) -> BinaryIO:
    return cast(BinaryIO, open_raw(path, "r") if "://" in path else open(path, "rb"))


def _fetch(path: str) -> str | bytes | ReadError:
    """An image for the recogniser. A fault of the network is not the image's: it is raised, the runner tries again."""
    if "://" not in path:
        return path
    try:
        with open_raw(path, "r") as file:
            return bytes(file.read())
    except FileNotFoundError as error:
        return ReadError.from_error(error)


def read_group(group: list[bytes] | RecordRange, bulk: BulkReading) -> Iterator[Row]:
    """Reads what `groups` handed out, and counts."""
    counter = require("apache_beam.metrics", _FEATURE, "beam").Metrics.counter
    for row in _rows(group, shared_recognizer(bulk.model, bulk.num_threads, bulk.turn_tall)):
        counter(COUNTERS, "images").inc()
        counter(COUNTERS, f"unreadable: {row['kind']}" if "reason" in row else "words").inc()
        yield row


def _rows(group: list[bytes] | RecordRange, recognizer: Recognizer) -> Iterator[Row]:
    if isinstance(group, list):
        paths = [os.fsdecode(path) for path in group]
        yield from read_rows(recognizer, [{"path": path} for path in paths], map(_fetch, paths))
        return
    sources: list[Row] = []
    images: list[bytes | ReadError] = []
    held = 0
    for source, image in records(RecordRange(*group), _open):
        sources.append(source)
        images.append(image)
        held += len(image) if isinstance(image, bytes) else 0
        if len(images) == GROUP or held > _MAX_BYTES:
            yield from read_rows(recognizer, sources, images)
            sources, images, held = [], [], 0
    yield from read_rows(recognizer, sources, images)


def lines(group: list[bytes] | RecordRange, bulk: BulkReading) -> Iterator[bytes]:
    """The rows of a group as one piece of text: a runner handles one thing faster than many."""
    text = "\n".join(map(to_json, read_group(group, bulk)))
    if text:
        yield text.encode()


def examples(group: list[bytes] | RecordRange, bulk: BulkReading) -> Iterator[bytes]:
    """The rows of a group as tf.train.Examples."""
    return map(to_example, read_group(group, bulk))


def run(bulk: BulkReading, pipeline_arguments: Sequence[str]) -> dict[str, int]:
    """Runs the pipeline and waits for it.

    Args:
        bulk: what to read.
        pipeline_arguments: Beam's own options, for example `["--runner=FlinkRunner"]`.

    Returns:
        `images`, `words` and `unreadable: KIND` with their counts; empty where the runner tells none.

    Raises:
        FileNotFoundError: a pattern matches nothing.
        FileExistsError: there are files of an earlier run.
        MissingExtraError: without apache-beam.
    """
    beam = require("apache_beam", _FEATURE, "beam")
    # Each worker tells of every channel that it opens.
    logging.getLogger("apache_beam").setLevel(logging.WARNING)
    for pattern in bulk.inputs:
        if not find_files(pattern, 100):
            raise FileNotFoundError(f"No file matches. Received: input={pattern!r}")
    suffix = f".{bulk.output_format}"
    if find_files(f"{bulk.output}-*-of-*{suffix}", 1):
        raise FileExistsError(f"There are files of an earlier run; remove them first. Received: output={bulk.output}")
    sink = beam.io.WriteToText if bulk.output_format == "jsonl" else beam.io.WriteToTFRecord
    pipeline = beam.Pipeline(argv=list(pipeline_arguments))
    _ = (
        pipeline
        | "Patterns" >> beam.Create(list(bulk.inputs))
        | "Groups" >> beam.FlatMap(groups, bulk=bulk)
        | "Hand out" >> beam.Reshuffle()
        | "Read" >> beam.FlatMap(lines if bulk.output_format == "jsonl" else examples, bulk=bulk)
        | "Write"
        >> sink(bulk.output, file_name_suffix=suffix, num_shards=bulk.num_shards, coder=beam.coders.BytesCoder())
    )
    result = pipeline.run()
    result.wait_until_finish()
    try:
        counters = result.metrics().query()["counters"]
    except NotImplementedError:
        return {}
    return {c.key.metric.name: c.result for c in counters if c.key.metric.namespace == COUNTERS}
