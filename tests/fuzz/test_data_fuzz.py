"""Damaged TFRecords, label files and configurations: only documented errors, in bounded time and memory.

Some hundreds in `make test`; ten thousand in `make test_slow`, whose numbers begin where the quick ones end.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
from collections.abc import Callable, Iterator

import pytest

from spin_tf import config as config_module
from spin_tf.charset import Charset, Tokenizer
from spin_tf.contract.errors import ImageError
from spin_tf.data.conversion.convert import read_words
from spin_tf.data.conversion.sources import entries
from spin_tf.data.conversion.statistics import Statistics
from spin_tf.data.conversion.word_reader import Checks
from spin_tf.data.feeding.record_labels import usable_records
from spin_tf.data.plain_images import as_both_read
from spin_tf.data.records.tfrecord import RecordError, RecordIndex, RecordWriter, WordExample, serialize_example
from tests.data import samples
from tests.fuzz.mutations import Mutation, Trials, mutations

QUICK, SLOW = 150, 2500
# MATLAB's files are scipy's to read; those of the sources that name one picture after the other are ours.
LABEL_FILES = ("tsv", "csv", "jsonl", "icdar", "svtp", "cute80", "mjsynth", "svt", "icdar2003", "born_digital")
ANY = Checks(None, max_length=1 << 30, min_size=1)


def convert_all(source: str, path: str) -> Statistics:
    """Plans and reads everything, as a conversion does; every word is counted once, whatever it is."""
    statistics = Statistics()
    planned = list(entries(source, [path]))
    for record in read_words(planned, ANY, statistics):
        assert record
    assert statistics.read == len(planned) == statistics.kept + statistics.num_rejected
    json.dumps(statistics.to_report())
    return statistics


@functools.cache
def tfrecord_seeds(folder: pathlib.Path) -> dict[str, bytes]:
    words = [WordExample(samples.picture(seed=i), "word" * (i + 1), f"id/{i}", "png") for i in range(4)]
    foreign = samples.picture(format="JPEG")
    seeds = {}
    for name, records in {
        "ours": [serialize_example(word) for word in words],
        "foreign": [serialize_example(WordExample(foreign, "Größe", "", ""))],
        "empty": [b""],
    }.items():
        with RecordWriter(folder / name) as writer:
            for record in records:
                writer.write(record)
        seeds[name] = (folder / name).read_bytes()
    return seeds


def read_tfrecord(folder: pathlib.Path, mutation: Mutation) -> None:
    path = folder / "w.tfrecord"
    path.write_bytes(mutation.data)
    convert_all("tfrecord", str(path))
    # As training reads: without the checksums of the pictures, and the labels in bulk.
    index = RecordIndex(str(path), on_corrupt="skip")
    try:
        usable, _ = usable_records(index, Tokenizer(Charset.from_spec("94")))
        for i in usable:
            as_both_read(index.read_example(int(i)).encoded)
    except (RecordError, ImageError):
        pass
    # The strict way raises what is documented, or nothing.
    RecordIndex(str(path))


@functools.cache
def record_seeds(folder: pathlib.Path) -> dict[str, bytes]:
    return {"record": serialize_example(WordExample(samples.picture(), "word", "id", "png"))}


def read_record(folder: pathlib.Path, mutation: Mutation) -> None:
    """The payload, behind a checksum that is right: damage that only the parser can see."""
    with RecordWriter(folder / "w.tfrecord") as writer:
        writer.write(mutation.data)
    convert_all("tfrecord", str(folder / "w.tfrecord"))
    RecordIndex(str(folder / "w.tfrecord")).read_example(0, check=True)


@functools.cache
def label_seeds(folder: pathlib.Path) -> dict[str, bytes]:
    seeds = {}
    for source in LABEL_FILES:
        path = pathlib.Path(samples.make(source, folder / source)[0])
        seeds[source] = label_file(source, path).read_bytes()
    return seeds


def label_file(source: str, path: pathlib.Path) -> pathlib.Path:
    return next(path.rglob("gt_img_2.txt")) if source == "born_digital" else path


def read_labels(folder: pathlib.Path, mutation: Mutation) -> None:
    source = mutation.name
    given = folder / source
    files = {"svt": "train.xml", "icdar2003": "words.xml"}
    path = given if source == "born_digital" else given / files.get(source, f"labels.{source}")
    label_file(source, path).write_bytes(mutation.data)
    convert_all(source, str(path))


@functools.cache
def yaml_seeds(folder: pathlib.Path) -> dict[str, bytes]:
    configs = pathlib.Path(__file__).resolve().parents[2] / "configs"
    seeds = {path.stem: path.read_bytes() for path in sorted(configs.glob("*.yaml"))}
    seeds["interpolated"] = b"model: {charset: '${training.seed}', image_size: &x [32, 100]}\ntraining: {seed: 36}\n"
    return seeds


def read_yaml(folder: pathlib.Path, mutation: Mutation) -> None:
    path = folder / "c.yaml"
    path.write_bytes(mutation.data)
    config = config_module.load(str(path))
    # What is accepted can be written, and is the same again.
    config_module.save(config, str(folder / "again.yaml"))
    assert config_module.load(str(folder / "again.yaml")) == config


Read = Callable[[pathlib.Path, Mutation], None]
KINDS: dict[str, tuple[Callable[[pathlib.Path], dict[str, bytes]], Read, tuple[type[BaseException], ...], int]] = {
    "tfrecord": (tfrecord_seeds, read_tfrecord, (RecordError,), SLOW),
    "record": (record_seeds, read_record, (RecordError,), SLOW // 2),
    "labels": (label_seeds, read_labels, (ValueError,), SLOW),
    # OSError for what an interpolation or a charset's file names.
    "yaml": (yaml_seeds, read_yaml, (ValueError, OSError), SLOW // 2),
}


@pytest.fixture
def seed_folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    before = os.getcwd()
    # Damaged configurations may name files by relative paths.
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def fuzz(kind: str, folder: pathlib.Path, count: int, first: int, max_bytes: int) -> Trials:
    make, read, allowed, _ = KINDS[kind]
    trials = Trials(allowed, max_bytes=max_bytes)
    for mutation in mutations(make(folder), count, first):
        with trials.trial(mutation):
            read(folder, mutation)
    print(f"{kind}: {trials.summary()}")
    assert sum(trials.endings.values()) == count
    return trials


@pytest.mark.parametrize("kind", KINDS)
def test_damage_ends_in_documented_errors(kind: str, seed_folder: pathlib.Path) -> None:
    # Undamaged seeds are read: otherwise the rest would prove nothing.
    make, read, _, _ = KINDS[kind]
    for name, data in make(seed_folder).items():
        if name not in ("empty",):
            read(seed_folder, Mutation(name, 0, data))
    count = QUICK if kind != "yaml" else QUICK // 2
    fuzz(kind, seed_folder, count, 0, 64 * 2**20 if kind != "yaml" else 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_damaged_files(kind: str, seed_folder: pathlib.Path) -> None:
    fuzz(kind, seed_folder, KINDS[kind][3], QUICK, 0)


def test_yaml_within_bounds(tmp_path: pathlib.Path) -> None:
    """A value in itself, values that lead nowhere, and files that are none."""
    path = tmp_path / "c.yaml"
    for text in ("a: &a [*a]", "x" * 200_000, "a: ${b", "a: ${a}", "- 1", "{" * 999):
        path.write_text(text)
        with Trials((ValueError,)).trial(Mutation(text[:20], 0, text.encode())), pytest.raises(ValueError) as caught:
            config_module.load(str(path))
        assert caught.value.args[0]
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="no file"):
        config_module.load(str(tmp_path / "pipe"))
