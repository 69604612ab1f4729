"""Benchmarks of scene-text recognition from their archives: found below a folder, filtered as papers do, counted."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from spin_tf._files import remove_others
from spin_tf.data.conversion.convert import read_words
from spin_tf.data.conversion.entry import Entry
from spin_tf.data.conversion.sources import entries
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.records.record_file import RecordWriter
from spin_tf.data.records.tfrecord import find_shards, shard_path

_ALPHANUMERIC = re.compile(r"[0-9A-Za-z]+")
# Labels as long as they come: what a benchmark holds is not ours to choose.
_CHECKS = Checks(None, 1000, 1, "decode")


def is_alphanumeric(text: str) -> bool:
    """Only 0-9, A-Z and a-z."""
    return bool(_ALPHANUMERIC.fullmatch(text))


def has_three_alphanumeric(text: str) -> bool:
    """At least three characters, all of them alphanumeric: Wang and others 2011."""
    return len(text) >= 3 and is_alphanumeric(text)


def is_not_masked(text: str) -> bool:
    """A label in which no character is masked by `#`; the one of ArT that really has it stays."""
    return has_text(text) and ("#" not in text or text == "LocaL#3")


def has_text(text: str) -> bool:
    """A label that is not blank."""
    return bool(text.strip())


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """One set of the published tables.

    Args:
        layout: the official archive it comes from, a key of what `find_layouts` returns.
        words: how many it holds.
        lmdb: folders of LMDB collections that hold it ready, in lower case.
        keep: which labels of the archive it holds; None for all.
        listed: whether it is defined by a list of words only, which the user gives.
        beyond: not one of the classic sets: nobody is told that it is missing.
    """

    layout: str
    words: int
    lmdb: tuple[str, ...]
    keep: Callable[[str], bool] | None = None
    listed: bool = False
    beyond: bool = False


def _union14m(part: str, words: int) -> Benchmark:
    return Benchmark(f"union14m_{part}", words, (f"union14m_{part}",), beyond=True)


BENCHMARKS = {
    "IIIT5K_3000": Benchmark("iiit5k", 3000, ("iiit5k_3000", "iiit5k")),
    "SVT_647": Benchmark("svt", 647, ("svt_647", "svt")),
    "IC03_860": Benchmark("icdar2003", 860, ("ic03_860",), has_three_alphanumeric, True),
    "IC03_867": Benchmark("icdar2003", 867, ("ic03_867",), has_three_alphanumeric),
    "IC13_857": Benchmark("icdar2013", 857, ("ic13_857",), has_three_alphanumeric),
    "IC13_1015": Benchmark("icdar2013", 1015, ("ic13_1015",), is_alphanumeric),
    "IC15_1811": Benchmark("icdar2015", 1811, ("ic15_1811",), None, True),
    "IC15_2077": Benchmark("icdar2015", 2077, ("ic15_2077",)),
    "SVTP_645": Benchmark("svtp", 645, ("svtp_645", "svtp")),
    "CUTE80_288": Benchmark("cute80", 288, ("cute80_288", "cute80")),
    "ArT_35149": Benchmark("art", 35149, ("art",), is_not_masked, beyond=True),
    "COCO_9825": Benchmark("cocotext_words", 9825, ("cocov1.4",), has_text, beyond=True),
    "Uber_80418": Benchmark("uber", 80418, ("uber",), beyond=True),
    "U14M_Curve_2426": _union14m("curve", 2426),
    "U14M_MultiOriented_1369": _union14m("multi_oriented", 1369),
    "U14M_Artistic_900": _union14m("artistic", 900),
    "U14M_Contextless_779": _union14m("contextless", 779),
    "U14M_Salient_1585": _union14m("salient", 1585),
    "U14M_MultiWords_829": _union14m("multi_words", 829),
    "U14M_General_400000": _union14m("general", 400000),
    "U14M_Incomplete_1495": _union14m("incomplete", 1495),
}
_SOURCES = {"icdar2013": "icdar", "icdar2015": "icdar"}
# Labelled training pictures whose words the literature tests with: the challenge keeps the labels of its test set.
_TEST_THOUGH_TRAIN = "train_task2_labels.json"
# What an archive says of words that nobody is asked to read; they are no part of a benchmark.
_NO_WORDS = ("illegible", "other_script")


@dataclasses.dataclass(frozen=True)
class Found:
    """A label file or LMDB folder: the source that reads it, and where its pictures lie."""

    source: str
    path: str
    root: str = ""

    def entries(self) -> Iterator[Entry]:
        """Its words; no picture is read."""
        return entries(self.source, [self.path], [self.root] if self.root else [])


def _first_line(path: str) -> str:
    with open(path, "rb") as file:
        start = file.read(4096).decode("utf-8-sig", "replace")
    return next((line.strip() for line in start.splitlines() if line.strip()), "")


def _text_layout(path: str, below: str) -> str:
    """Which benchmark a text file belongs to, by its first line and, for ICDAR's years, its path; "" for none."""
    line = _first_line(path)
    if re.match(r"(\./)?timage/\S+\s", line):
        return "cute80"
    named = os.path.basename(path).lower()
    if named != "gt.txt" and not re.fullmatch(r"challenge[24]_test_task3_gt\.txt", named):
        return ""
    if not re.fullmatch(r'[^,]+,\s*".*"', line):
        return "svtp" if re.match(r"\S+\.(jpg|jpeg|png)\s\S", line, re.IGNORECASE) else ""
    if re.search(r"2015|ic15|ch4|challenge4", below.lower()):
        return "icdar2015"
    if re.search(r"2013|ic13|ch2|challenge2", below.lower()):
        return "icdar2013"
    # Nothing says which year: the test set of 2013 has 1,095 words, that of 2015 2,077.
    with open(path, "rb") as file:
        return "icdar2015" if sum(bool(row.strip()) for row in file) > 1500 else "icdar2013"


def _union14m_part(below: str) -> str:
    """`union14m_curve` for a file in the folder `curve` of Union14M-Benchmark, "" for others; below: from the input."""
    *parents, part, _ = ["", "", *below.lower().split(os.sep)]
    # The evaluation code of MMOCR and the LMDB collections write its name in different ways.
    is_union = any(re.search(r"union14m|u14m", parent) for parent in parents)
    part = {"multi_word": "multi_words", "incompletion": "incomplete"}.get(part.replace("-", "_"), part)
    return f"union14m_{part.replace('-', '_')}" if is_union else ""


def _picture_root(source: str, path: str) -> str:
    """The folder that the paths of a label file start from: its own, the one above, or one below either."""
    folder = os.path.dirname(path)
    name = next((e.source_id for e in entries(source, [path]) if not e.problem), "").split("#")[0]
    near = [folder, os.path.dirname(folder)]
    places = near + [e.path for place in near for e in sorted(os.scandir(place), key=lambda e: e.name) if e.is_dir()]
    return next((place for place in places if os.path.isfile(os.path.join(place, name))), folder)


def find_layouts(folder: str) -> dict[str, list[Found]]:
    """Finds the archives' label files and LMDB folders below a folder.

    Folders and files with "train" in their path below `folder` are left out: benchmarks are test sets. ArT's are the
    exception, see docs/data.md.

    Returns:
        by layout (`iiit5k`, `icdar2013`, ...), or `lmdb:NAME` for LMDB folders, what was found, in order of path.

    Raises:
        FileNotFoundError: no such folder.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"The folder of the archives does not exist. Received: input={folder!r}")
    fixed = {
        "testdata.mat": "iiit5k",
        "test.xml": "svt",
        "words.xml": "icdar2003",
        _TEST_THOUGH_TRAIN: "art",
        "val_words_gt.txt": "cocotext_words",
    }
    found: dict[str, list[Found]] = {}
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(place, name)
            below = os.path.relpath(path, folder)
            if "train" in below.lower() and name.lower() != _TEST_THOUGH_TRAIN:
                continue
            part = _union14m_part(os.path.join(os.path.basename(os.path.abspath(folder)), below))
            if name == "data.mdb":
                key = f"lmdb:{part or os.path.basename(os.path.abspath(place)).lower()}"
                found.setdefault(key, []).append(Found("lmdb", place))
                continue
            if part and name.lower() == "annotation.jsonl":
                found.setdefault(part, []).append(Found("jsonl", path, _picture_root("jsonl", path)))
                continue
            layout = fixed.get(name.lower(), "")
            if not layout and name.lower().endswith(".txt"):
                layout = _text_layout(path, below)
            if layout:
                source = _SOURCES.get(layout, layout)
                root = _picture_root(source, path) if name.lower().endswith(".txt") else ""
                found.setdefault(layout, []).append(Found(source, path, root))
    return found


def read_list(path: str) -> list[str]:
    """The words of a list: a source id a line, as `word_12.png` or `apanar/IMG_1.JPG#word2`."""
    with open(path, encoding="utf-8-sig") as file:
        return [line.strip() for line in file if line.strip()]


def _chosen(benchmark: Benchmark, found: Found, listed: Sequence[str] | None) -> list[Entry]:
    words = list(found.entries())
    if found.source == "lmdb":
        return words
    if listed is not None:
        if unknown := set(listed) - {entry.source_id for entry in words}:
            some = ", ".join(sorted(unknown)[:3])
            raise ValueError(f"A list names {len(unknown)} words that {found.path} lacks. Received: {some}")
        wanted = set(listed)
        return [entry for entry in words if entry.source_id in wanted]
    words = [entry for entry in words if entry.problem not in _NO_WORDS]
    return [e for e in words if e.problem or benchmark.keep is None or benchmark.keep(e.text or "")]


@dataclasses.dataclass
class Result:
    """What became of one benchmark: its words, the published number, where they came from, what is wrong or ""."""

    name: str
    words: int
    expected: int
    path: str
    problem: str


def create(
    name: str,
    layouts: Mapping[str, Sequence[Found]],
    output: str,
    listed: Sequence[str] | None = None,
    expected: int | None = None,
) -> Result:
    """Writes one benchmark as OUTPUT/NAME-00000-of-00001.tfrecord.

    Of several places that hold it the first with the right number of words counts, official archives before LMDB.

    Args:
        name: a key of `BENCHMARKS`.
        layouts: of `find_layouts`.
        output: an existing folder.
        listed: the source ids that alone belong to it, for what the official archive holds besides.
        expected: how many words are right; default: those of the published set.

    Raises:
        ValueError: the list names words that the archive lacks.
    """
    benchmark = BENCHMARKS[name]
    expected = benchmark.words if expected is None else expected
    archives = [] if benchmark.listed and listed is None else list(layouts.get(benchmark.layout, ()))
    ready = [found for folder in benchmark.lmdb for found in layouts.get(f"lmdb:{folder}", ())]
    places = [*archives, *ready]
    if not places:
        if benchmark.listed and layouts.get(benchmark.layout):
            return Result(name, 0, expected, "", f"missing: needs its list of words, --list={name}=FILE, or its LMDB")
        return Result(name, 0, expected, "", "missing: no archive and no LMDB of it was found")
    choices = [(found, _chosen(benchmark, found, listed)) for found in places]
    found, words = next(((f, w) for f, w in choices if len(w) == expected), choices[0])
    statistics = Statistics()
    records = list(read_words(words, _CHECKS, statistics))
    if records:
        path = shard_path(os.path.join(output, name), 0, 1)
        with RecordWriter(path) as writer:
            for record in records:
                writer.write(record)
        remove_others(find_shards(os.path.join(output, name)), [path])
    rejected = ", ".join(f"{given['count']} {reason}" for reason, given in sorted(statistics.rejected.items()))
    problem = "" if statistics.kept == expected else f"differs: {statistics.kept} words, {expected} in published tables"
    if rejected:
        problem += f"{'; ' if problem else ''}rejected: {rejected}"
    return Result(name, statistics.kept, expected, found.path, problem)
