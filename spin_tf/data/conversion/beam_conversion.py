"""Conversion on many machines: the sources, checks and shards of `convert` as an Apache Beam pipeline.

The label files are read in one place, the entries grouped by shard, and each shard is converted by one worker, so the
shards are byte for byte those of a local conversion. Paths may be URLs that Beam's file systems know (gs://, hdfs://,
s3://) for label files with images beside them, and for the output.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spin_tf._extras import require
from spin_tf._types import JsonObject
from spin_tf.data.conversion.convert import read_words
from spin_tf.data.conversion.entry import Entry
from spin_tf.data.conversion.plan import Conversion, select
from spin_tf.data.conversion.report_page import report_json, report_page
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.records.record_file import RecordWriter
from spin_tf.data.records.tfrecord import is_shard, shard_path

# Entries are numbered from 0; this number carries the count of excluded words, and gives every shard a group.
_EXCLUDED = -1


def _file_systems() -> Any:
    return require("apache_beam.io.filesystems", "Converting on many machines", "beam").FileSystems


def open_raw(path: str, mode: str) -> Any:
    """Opens a file as it is: Beam would unpack what is called .gz."""
    types = require("apache_beam.io.filesystem", "Converting on many machines", "beam").CompressionTypes
    files = _file_systems()
    return (files.create if mode == "w" else files.open)(path, compression_type=types.UNCOMPRESSED)


def _with_local_labels(conversion: Conversion, folder: str) -> Conversion:
    """Copies remote label files into a folder; the images stay where they are."""
    inputs, roots = [], list(conversion.image_roots)
    remote = [path for path in conversion.inputs if "://" in path]
    if remote and conversion.source in ("born_digital", "lmdb", "tfrecord"):
        raise ValueError(f"Inputs of {conversion.source} must be mounted folders. Received: input={remote[0]!r}")
    if remote and not roots:
        roots = [path.rsplit("/", 1)[0] if "://" in path else os.path.dirname(path) for path in conversion.inputs]
    for i, path in enumerate(conversion.inputs):
        if "://" in path:
            copy = os.path.join(folder, f"{i}-{path.rsplit('/', 1)[1]}")
            with open_raw(path, "r") as source, open(copy, "wb") as target:
                shutil.copyfileobj(source, target)
            path = copy
        inputs.append(path)
    return dataclasses.replace(conversion, inputs=tuple(inputs), image_roots=tuple(roots))


def keyed_entries(conversion: Conversion) -> Iterator[tuple[int, tuple[int, str]]]:
    """Yields shard, number and entry as JSON for each word, and one more pair a shard with the count of exclusions."""
    excluded = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, entry in enumerate(select(_with_local_labels(conversion, folder))):
            if entry is None:
                excluded += 1
            else:
                yield conversion.shard_of(entry), (number, entry.to_json())
    for shard in range(conversion.num_shards):
        yield shard, (_EXCLUDED, str(excluded if shard == 0 else 0))


def convert_shard(group: tuple[int, Iterable[tuple[int, str]]], conversion: Conversion) -> tuple[int, JsonObject]:
    """Writes one shard into the work folder; returns its number and the state of its counts."""
    shard, values = group
    numbered = sorted(values)
    statistics = Statistics()
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, "shard")
        with RecordWriter(local) as writer:
            planned = (Entry.from_json(line) for number, line in numbered if number != _EXCLUDED)
            for record in read_words(planned, conversion.checks, statistics):
                writer.write(record)
        with open(local, "rb") as source, open_raw(_work_shard(conversion, shard), "w") as target:
            shutil.copyfileobj(source, target)
    excluded = sum(int(line) for number, line in numbered if number == _EXCLUDED)
    statistics.read += excluded
    statistics.excluded += excluded
    return shard, statistics.to_state()


def _work_shard(conversion: Conversion, shard: int) -> str:
    return shard_path(f"{conversion.work_folder}/words", shard, conversion.num_shards)


def finish(
    group: tuple[None, Iterable[tuple[int, JsonObject]]],
    conversion: Conversion,
    options: JsonObject,
    max_reject_share: float,
) -> None:
    """Adds up the counts, writes the report and gives the shards their names."""
    files = _file_systems()
    statistics = Statistics()
    for _, state in sorted(group[1], key=lambda part: part[0]):
        statistics.add(Statistics.from_state(state))
    for name, text in (
        ("json", report_json(statistics, options)),
        ("html", report_page(statistics, options)),
    ):
        with open_raw(f"{conversion.output}.report.{name}", "w") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    shards = range(conversion.num_shards)
    made = [_work_shard(conversion, shard) for shard in shards]
    if not statistics.kept or statistics.reject_share > max_reject_share:
        files.delete(made)
    else:
        name = conversion.output.rsplit("/", 1)[-1]
        found = files.match([f"{conversion.output}-*-of-*.tfrecord"])
        paths = [metadata.path for match in found for metadata in match.metadata_list]
        # The pattern also takes the shards of longer prefixes.
        stale = [path for path in paths if is_shard(path.replace(os.sep, "/").rsplit("/", 1)[-1], name)]
        if stale:
            files.delete(stale)
        files.rename(made, [shard_path(conversion.output, shard, conversion.num_shards) for shard in shards])
    # Object stores have no folders that could remain.
    if files.exists(conversion.work_folder):
        files.delete([conversion.work_folder])


def run(
    conversion: Conversion, options: JsonObject, max_reject_share: float, pipeline_arguments: Sequence[str]
) -> None:
    """Runs the pipeline and waits for it.

    Args:
        conversion: what to convert.
        options: shown in the report.
        max_reject_share: above this share of rejects, or when nothing is kept, the report is written and the shards
            are not.
        pipeline_arguments: Beam's own options, for example `["--runner=FlinkRunner"]`.

    Raises:
        MissingExtraError: without apache-beam.
    """
    beam = require("apache_beam", "Converting on many machines", "beam")
    files = _file_systems()
    for folder in (conversion.work_folder, os.path.dirname(conversion.output) or "."):
        if not files.exists(folder):
            files.mkdirs(folder)
    with beam.Pipeline(argv=list(pipeline_arguments)) as pipeline:
        _ = (
            pipeline
            | "Conversion" >> beam.Create([conversion])
            | "Entries" >> beam.FlatMap(keyed_entries)
            | "By shard" >> beam.GroupByKey()
            | "Convert" >> beam.Map(convert_shard, conversion=conversion)
            | "Together" >> beam.Map(_under_one_key)
            | "All shards" >> beam.GroupByKey()
            | "Finish" >> beam.Map(finish, conversion=conversion, options=options, max_reject_share=max_reject_share)
        )


def _under_one_key(part: tuple[int, JsonObject]) -> tuple[None, tuple[int, JsonObject]]:
    return None, part
