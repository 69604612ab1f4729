"""Reads word images with plain PySpark, for clusters that run Spark without Beam's job server.

spark-submit recognize_words.py INPUT OUTPUT

INPUT is a folder or pattern of Spark's file systems; OUTPUT becomes a folder of text files with a line of JSON for each
image, as bin/recognize_beam.py writes them. spin_tf must be installed where Spark's Python workers run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pyspark.sql import SparkSession

from spin_tf.bulk.beam import shared_recognizer
from spin_tf.bulk.rows import read_rows, to_json

GROUP = 64


def read_partition(rows: Iterator[Any]) -> Iterator[str]:
    """Reads the files of a partition; a Python worker keeps its model for the next one."""
    recognizer = shared_recognizer()
    while group := [row for _, row in zip(range(GROUP), rows, strict=False)]:
        results = read_rows(recognizer, ({"path": row.path} for row in group), (bytes(row.content) for row in group))
        yield from map(to_json, results)


def main(source: str, target: str) -> None:
    spark = SparkSession.builder.appName("recognize_words").getOrCreate()
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(source)
    files.select("path", "content").rdd.mapPartitions(read_partition).saveAsTextFile(target)
    spark.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: spark-submit recognize_words.py INPUT OUTPUT")
    main(sys.argv[1], sys.argv[2])
