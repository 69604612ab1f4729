#!/usr/bin/env python3
"""Lists words of a label file that have most likely lost their accents, for bin/create_tfrecords.py --exclude=FILE.

    benchmarks/dropped_accents.py --labels=labels.tsv --languages=fr,de [--output=FILE]

Labels by a machine that writes no accents teach a model to drop them. A word is listed when it is a frequent word of a
language but for its accents, and no usual word itself; the list has the files, the table on stdout what they may be.
"""

from __future__ import annotations

import collections
import pathlib
import sys

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks.lost_accents import LostAccents
from spin_tf._input_files import read_list

_LABELS = flags.DEFINE_string("labels", None, "Lines of FILE<TAB>TEXT.", required=True)
_LANGUAGES = flags.DEFINE_list("languages", ["eu"], "Languages of the words, or eu for all in Latin script.")
_OUTPUT = flags.DEFINE_string("output", None, "Where the files go, one a line; default: nowhere.")


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"There are only flags. Received: {argv[1:]}")
    lost = LostAccents(_LANGUAGES.value)
    rows = [line.split("\t", 1) for line in read_list(_LABELS.value).split("\n") if "\t" in line]
    found = [(name, text, word) for name, text in rows if (word := lost.find(text))]
    kinds = collections.Counter(f"{text} ({word})" for _, text, word in found)
    print(f"{len(found)} of {len(rows)} words: {', '.join(f'{k} {n}' for k, n in kinds.most_common(40))}")
    if _OUTPUT.value:
        pathlib.Path(_OUTPUT.value).write_text("".join(f"{name}\n" for name, _, _ in found), encoding="utf-8")


if __name__ == "__main__":
    app.run(main)
