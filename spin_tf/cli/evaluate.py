"""Measures a model on labelled words in TFRecord files: word accuracy, 1 - NED, counts and intervals.

bin/evaluate.py [--model=PATH] --data=NAME=GLOB... [--protocol=alphanumeric|letters|exact] [--output=DIR]
bin/evaluate.py [--model=PATH] --benchmarks=data/benchmarks [--output=DIR]
bin/evaluate.py --model=NEW --compare_with=OLD --data=NAME=GLOB... [--output=DIR]
bin/evaluate.py --data=iiit5k='data/iiit5k-*.tfrecord' --image_lexicon=small --image_lexicon=medium

The table goes to stdout. With --output, DIR gets results.json, results.md, predictions.jsonl and errors.html, a page of
the mistakes, of how the surest came about, and of the reliability of the confidences. Several --data with the same NAME
are one set. The options of reading are those of bin/recognize.py. --compare_with reads everything with a second model
too and counts the words that only one of both reads right, with McNemar's exact p; comparison.jsonl in DIR names them.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable

from absl import flags

from spin_tf._files import check_output_folder
from spin_tf._progress import ProgressBar
from spin_tf.cli import _reading
from spin_tf.cli._run import UserError, flags_only
from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.decoding.options import PER_IMAGE
from spin_tf.evaluation import comparison, published, report
from spin_tf.evaluation.gallery import explain_mistakes
from spin_tf.evaluation.image_lexicons import FULL, labels_of, load_lexicons
from spin_tf.evaluation.metrics import PROTOCOLS
from spin_tf.evaluation.word_set import SetResult, evaluate_set

_reading.define_turn()
flags.adopt_module_key_flags(_reading)

_DATA = flags.DEFINE_multi_string("data", [], "NAME=GLOB: a data set and its TFRecord files; may be repeated")
_BENCHMARKS = flags.DEFINE_string(
    "benchmarks", None, "folder that bin/create_benchmarks.py wrote: its sets, with a table beside published results"
)
_OUTPUT = flags.DEFINE_string("output", None, "folder for results.json, results.md, predictions.jsonl and errors.html")
_PROTOCOL = flags.DEFINE_enum(
    "protocol",
    PROTOCOLS[0],
    PROTOCOLS,
    "alphanumeric: lower case, 0-9a-z only, as in published tables; letters: lower case, letters and digits of every "
    "script; exact: as written",
)
_IMAGE_LEXICON = flags.DEFINE_multi_string(
    "image_lexicon",
    [],
    "read the sets that have it once more under this list of each image, a table of its own (and a folder in "
    "--output): small (50 words an image), medium (1,000), any other name in PREFIX.lexicons.jsonl, or full, all "
    "labels of the set; may be repeated",
)
_COMPARE_WITH = flags.DEFINE_string(
    "compare_with", None, "a second model, or bundled: which words only one of both reads right, and McNemar's p"
)
_GALLERY_SIZE = flags.DEFINE_integer("gallery_size", 200, "mistakes of each set shown in errors.html", lower_bound=0)

_GALLERY_EXPLAINED = flags.DEFINE_integer(
    "gallery_explained", 10, "mistakes of each set of which errors.html shows how they came about", lower_bound=0
)


def parse_data(values: list[str]) -> dict[str, list[str]]:
    """Turns `["NAME=GLOB", ...]` into the patterns of each set, in the order given.

    Raises:
        UserError: no value, or one that is not NAME=GLOB.
    """
    if not values:
        raise UserError("name at least one data set: --data=NAME=GLOB, for example --data=mine='data/mine-*.tfrecord'")
    sets: dict[str, list[str]] = {}
    for value in values:
        name, separator, pattern = value.partition("=")
        if not (name and separator and pattern):
            raise UserError(f"a data set is given as NAME=GLOB. Received: --data={value}")
        sets.setdefault(name, []).append(pattern)
    return sets


def named_sets() -> dict[str, list[str]]:
    """The sets of --benchmarks, then those of --data.

    Raises:
        UserError: neither is given, the folder holds no benchmark, or a set is named twice.
    """
    if not _BENCHMARKS.value:
        return parse_data(_DATA.value)
    sets, missing = published.find_sets(_BENCHMARKS.value)
    if not sets:
        raise UserError(f"no TFRecords of bin/create_benchmarks.py there. Received: --benchmarks={_BENCHMARKS.value}")
    if missing:
        print(f"not in {_BENCHMARKS.value}: {', '.join(missing)}", file=sys.stderr)
    more = parse_data(_DATA.value) if _DATA.value else {}
    if twice := sets.keys() & more.keys():
        raise UserError(f"a set is named by --benchmarks and --data. Received: {', '.join(sorted(twice))}")
    return {**sets, **more}


def beside(results: list[SetResult]) -> str:
    """What --benchmarks adds to a table: published results, words a second, what does not compare."""
    if not _BENCHMARKS.value:
        return ""
    table = published.make_table(results, _reading.model_name() or "bundled")
    return f"{table}\n\n{published.make_notes(results)}"


def _progress(name: str) -> Callable[[int, int], None]:
    bar: ProgressBar | None = None

    def show(done: int, words: int) -> None:
        nonlocal bar
        bar = bar or ProgressBar(words, "words", name)
        bar.move_to(done)
        if done == words:
            bar.close()

    return show


def evaluate_with_lexicon(sets: dict[str, list[str]], lexicon: str) -> list[SetResult]:
    """Reads the sets that have them under their lists of this name.

    Every list holds the label, so the best of its words counts, however improbable.

    Raises:
        UserError: no set has such lists.
    """
    results = []
    for name, patterns in sets.items():
        index = RecordIndex(patterns)
        lists = {} if lexicon == FULL else load_lexicons(index.files, lexicon)
        if lexicon != FULL and not lists:
            continue
        words = labels_of(index) if lexicon == FULL else PER_IMAGE
        recognizer = _reading.open_recognizer(lexicon=words, lexicon_weight=None, min_probability=0.0)
        results.append(evaluate_set(recognizer, name, patterns, _PROTOCOL.value, _progress(name), lists or None))
    if not results:
        raise UserError(f"no set has such lists beside its shards. Received: --image_lexicon={lexicon}")
    return results


def compare(sets: dict[str, list[str]], results: list[SetResult]) -> None:
    """Reads the sets with the model of --compare_with too, prints what differs and writes it into --output."""
    second = _COMPARE_WITH.value
    recognizer = _reading.open_other(None if second == "bundled" else second)
    comparisons = [
        comparison.compare(result, evaluate_set(recognizer, name, sets[name], _PROTOCOL.value, _progress(name)))
        for name, result in zip(sets, results, strict=True)
    ]
    first = _reading.model_name() or "bundled"
    print(f"\nfirst: {first}, second: {second}\n{comparison.make_table(comparisons)}")
    if _OUTPUT.value:
        comparison.write(pathlib.Path(_OUTPUT.value), comparisons, first, second)


def require_words(results: list[SetResult]) -> None:
    """Sees to it that every set measures something.

    Raises:
        UserError: a set has no word, or the protocol leaves none of them.
    """
    for result in results:
        if not result.score.words:
            found = f"{len(result.index)} records, {result.score.excluded} excluded by --protocol={_PROTOCOL.value}"
            raise UserError(f"a set without a word to read measures nothing. Received: --data={result.name}: {found}")


def main(argv: list[str]) -> int:
    flags_only(argv)
    sets = named_sets()
    if _OUTPUT.value:
        check_output_folder(_OUTPUT.value)
    recognizer = _reading.open_recognizer()
    tables = {
        "": [
            evaluate_set(recognizer, name, patterns, _PROTOCOL.value, _progress(name))
            for name, patterns in sets.items()
        ]
    }
    for lexicon in _IMAGE_LEXICON.value:
        tables[lexicon] = evaluate_with_lexicon(sets, lexicon)
    require_words([result for results in tables.values() for result in results])
    for lexicon, results in tables.items():
        print(f"\n{lexicon}\n{report.make_table(results)}" if lexicon else report.make_table(results))
        if not lexicon and beside(results):
            print(f"\n{beside(results)}")
        for result in results:
            if result.score.unreadable:
                print(f"{result.name}: {result.score.unreadable} unreadable images count as wrong", file=sys.stderr)
        if _OUTPUT.value:
            folder = pathlib.Path(_OUTPUT.value) / lexicon
            options = {**_reading.options(), "image_lexicon": lexicon or None}
            model, metadata = _reading.model_name() or "bundled", recognizer.metadata
            text = "" if lexicon else beside(results)
            # Lists of each image would have to be asked for anew.
            explained = [] if lexicon else explain_mistakes(recognizer, results, _GALLERY_EXPLAINED.value)
            report.write(
                folder, results, model, metadata, _PROTOCOL.value, _GALLERY_SIZE.value, options, text, explained
            )
    if _COMPARE_WITH.value:
        compare(sets, tables[""])
    return 0
