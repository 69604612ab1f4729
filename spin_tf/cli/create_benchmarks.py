"""Makes TFRecords of the published benchmarks from their archives, and checks how many words each has.

bin/create_benchmarks.py --input=DOWNLOADS --output=data/benchmarks [--list=IC15_1811=FILE]

The exit code is 1 when a set that was found has another number of words than the published one, or none was found.
"""

from __future__ import annotations

import os

from absl import flags

from spin_tf.cli._run import UserError, as_called, flags_only
from spin_tf.cli._streams import say
from spin_tf.data.conversion.benchmarks import BENCHMARKS, create, find_layouts, read_list

_INPUT = flags.DEFINE_string("input", None, "folder of the unpacked archives, anywhere below it", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "folder of the TFRecords", required=True)
_LIST = flags.DEFINE_multi_string(
    "list", [], "NAME=FILE: the words that a set holds, a source id a line, as IC15_1811=ic15_1811.txt"
)


def named_lists() -> dict[str, str]:
    """The files of --list by the names of their sets.

    Raises:
        UserError: a value of another form, or a name that is no benchmark.
    """
    named = {}
    for value in _LIST.value:
        name, _, named[name] = value.partition("=")
        if name not in BENCHMARKS or not named[name]:
            raise UserError(f"NAME is one of {', '.join(BENCHMARKS)}. Received: --list={value}")
    return named


def main(argv: list[str]) -> int:
    """Runs the command; see the module."""
    flags_only(argv)
    lists = {name: read_list(path) for name, path in named_lists().items()}
    layouts = find_layouts(_INPUT.value)
    os.makedirs(_OUTPUT.value, exist_ok=True)
    results = [create(name, layouts, _OUTPUT.value, lists.get(name)) for name in BENCHMARKS]
    for result in results:
        if BENCHMARKS[result.name].beyond and not result.path:
            continue
        print(f"{result.name:12} {result.words:5} {result.problem or 'as published'}  {result.path}".rstrip())
    made = [result for result in results if result.path]
    if not made:
        own = "crops and labels of your own are read by bin/create_tfrecords.py --source=tsv --input=DIR/labels.txt"
        say(as_called(f"no published benchmark was found; {own}. Received: --input={_INPUT.value}"))
    return 0 if made and not any(result.problem for result in made) else 1
