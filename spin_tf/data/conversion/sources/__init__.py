"""Where labelled words come from: a function a format, each called with the label file and the folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from spin_tf.data.conversion.entry import Entry
from spin_tf.data.conversion.sources import (
    born_digital,
    csv_file,
    jsonl,
    label_lines,
    lmdb_folder,
    matlab,
    scenes,
    tfrecord_files,
)
from spin_tf.data.conversion.sources.tagged_xml import tagged_xml

SOURCES: dict[str, Callable[[str, str], Iterator[Entry]]] = {
    "art": scenes.art,
    "born_digital": born_digital.entries,
    "cocotext": scenes.cocotext,
    "cocotext_words": label_lines.cocotext_words,
    "csv": csv_file.entries,
    "cute80": label_lines.cute80,
    "icdar": label_lines.icdar,
    "icdar2003": tagged_xml,
    "iiit5k": matlab.iiit5k,
    "jsonl": jsonl.entries,
    "lmdb": lmdb_folder.entries,
    "mjsynth": label_lines.mjsynth,
    "svt": tagged_xml,
    "svtp": label_lines.svtp,
    "synthtext": matlab.synthtext,
    "tfrecord": tfrecord_files.entries,
    "tsv": label_lines.tsv,
}
# Their input is the folder itself, not a label file in it.
_FOLDERS = ("born_digital", "lmdb")


def entries(source: str, inputs: Sequence[str], image_roots: Sequence[str] = ()) -> Iterator[Entry]:
    """Yields every word of one or several label files, cheaply: no picture is read.

    Args:
        source: a key of `SOURCES`.
        inputs: label files, or folders for born_digital and lmdb, or glob patterns for tfrecord.
        image_roots: the folders that the paths in the label files start from, one for all or one each; without them,
            the folder of each label file.

    Raises:
        ValueError: for an unknown source, or another number of roots.
        FileNotFoundError: for an input that does not exist.
    """
    if source not in SOURCES:
        raise ValueError(f"source is one of {', '.join(SOURCES)}. Received: source={source!r}")
    if not inputs:
        raise ValueError("At least one input is needed. Received: inputs=[]")
    if len(image_roots) not in (0, 1, len(inputs)):
        raise ValueError(
            "Give one image root for all inputs, or one for each. "
            f"Received: {len(image_roots)} roots, {len(inputs)} inputs"
        )
    if source == "tfrecord":
        for path in inputs:
            yield from tfrecord_files.entries(path, "")
        return
    roots = []
    for i, path in enumerate(inputs):
        if not os.path.exists(path):
            raise FileNotFoundError(f"The input does not exist. Received: input={path!r}")
        if source in _FOLDERS and not os.path.isdir(path):
            raise ValueError(f"The input of {source} is a folder. Received: input={path!r}")
        if source not in _FOLDERS and not os.path.isfile(path):
            raise ValueError(f"The input of {source} is a label file. Received: input={path!r}")
        if source not in _FOLDERS:
            _refuse_archive(path)
        own = path if source in _FOLDERS else os.path.dirname(path)
        roots.append(image_roots[i if len(image_roots) > 1 else 0] if image_roots else own)
    # With several roots the same relative path may mean several pictures: ids then start from their common folder.
    common = os.path.commonpath([os.path.abspath(root) for root in roots])
    for path, root in zip(inputs, roots, strict=True):
        prefix = os.path.relpath(os.path.abspath(root), common)
        for entry in SOURCES[source](path, root):
            yield entry if prefix == os.curdir else entry._replace(source_id=f"{prefix}/{entry.source_id}")


def label_files(source: str, path: str) -> list[str]:
    """The files inside an input that is a folder that say what it holds: its own time tells nothing of theirs."""
    if source not in _FOLDERS or not os.path.isdir(path):
        return []
    return born_digital.label_files(path) if source == "born_digital" else lmdb_folder.label_files(path)


def _refuse_archive(path: str) -> None:
    with open(path, "rb") as file:
        start = file.read(6)
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!")):
        raise ValueError(f"This is an archive; extract it first and name the label file. Received: input={path!r}")
