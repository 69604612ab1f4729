"""The lexicons that benchmarks give for single images, from the side files that `bin/create_tfrecords.py` writes."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterable

from spin_tf.data.records.tfrecord import RecordIndex

# A list that needs no file: all labels of the set, as in the columns "full" of published tables.
FULL = "full"
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.tfrecord$")
SUFFIX = ".lexicons.jsonl"


def side_files(shards: Iterable[str]) -> list[pathlib.Path]:
    """Where the lexicons of some shards lie: PREFIX.lexicons.jsonl beside PREFIX-00000-of-000NN.tfrecord."""
    prefixes = dict.fromkeys(_SHARD.sub("", path) for path in shards)
    return [path for prefix in prefixes if (path := pathlib.Path(prefix + SUFFIX)).exists()]


def load_lexicons(shards: Iterable[str], name: str) -> dict[str, list[str]]:
    """The lists called `name`, by image; empty where the set has none of that name.

    Raises:
        ValueError: a side file that is none; names the line.
    """
    lexicons: dict[str, list[str]] = {}
    for path in side_files(shards):
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    record = json.loads(line)
                    words, source_id = record.get(name), record["source_id"]
                except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
                    raise ValueError(
                        f"a line of image lexicons is a JSON object with source_id. Received: {path}, line {number}"
                    ) from error
                if words is not None:
                    lexicons[source_id] = [str(word) for word in words]
    return lexicons


def lexicon_of(lexicons: dict[str, list[str]], source_id: str) -> list[str]:
    """The list of one word: that of its source id, or of the picture that it was cut from.

    Raises:
        ValueError: there is none.
    """
    found = lexicons.get(source_id) or lexicons.get(source_id.rpartition("#word")[0])
    if not found:
        raise ValueError(f"the image has no lexicon of that name. Received: source_id={source_id!r}")
    return found


def labels_of(index: RecordIndex) -> list[str]:
    """All labels of a set, each once."""
    return list(dict.fromkeys(index.read_example(i).text for i in range(len(index))))
