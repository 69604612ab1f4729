"""Batches are a function of the configuration and the step, whoever makes them and however they are split."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from spin_tf.charset import Charset, Tokenizer
from spin_tf.config import DataConfig, SourceConfig
from spin_tf.contract.preprocessing import Preprocessing
from spin_tf.data.feeding.pipeline import TrainingWords
from spin_tf.data.feeding.record_labels import LabelCounts, usable_records
from spin_tf.data.images import decode_image
from spin_tf.data.plain_images import encode_png
from spin_tf.data.records.record_file import RecordError
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample, find_shards
from tests.training import tiny

SIZE = (32, 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("words")
    tiny.write_config(folder)
    return folder


def make(folder: pathlib.Path, augmentation: float = 0.5, batch_size: int = 8, **options: str) -> TrainingWords:
    config = DataConfig(
        {
            "words": SourceConfig([f"{folder}/words-*"], 0.7, augmentation=augmentation),
            "more": SourceConfig([f"{folder}/more-*"], 0.3, augmentation=0.0),
        },
        **options,  # type: ignore[arg-type]
    )
    return TrainingWords(config, Tokenizer(Charset.from_spec("36"), 8), batch_size, 9, seed=5)


def batches(words: TrainingWords, *args: int, **options: int) -> list[dict[str, np.ndarray]]:
    dataset = words.dataset(Preprocessing(SIZE), *args, **options)
    return [{key: np.asarray(value) for key, value in batch.items()} for batch in dataset]


def test_any_split_gives_the_same_batches(folder: pathlib.Path) -> None:
    whole = batches(make(folder), 0, 9)
    assert whole[0]["image"].shape == (8, *SIZE, 1) and whole[0]["tokens"].shape == (8, 10)
    assert len(whole) == 9
    # Two processes of two replicas each: every process sees its replicas' parts in turn.
    parts = [batches(make(folder), 0, 9, worker=w, num_workers=2, replicas=2) for w in range(2)]
    for step in range(9):
        for key in ("image", "tokens"):
            joined = np.concatenate([parts[w][2 * step + r][key] for w in range(2) for r in range(2)])
            np.testing.assert_allclose(joined, whole[step][key], atol=1e-5)


def test_a_run_goes_on_from_any_step_to_the_bit(folder: pathlib.Path) -> None:
    whole = batches(make(folder), 0, 9)
    for batch, again in zip(whole[6:], batches(make(folder), 6, 9), strict=True):
        for key in ("image", "tokens"):
            np.testing.assert_array_equal(batch[key], again[key])


def test_without_augmentation_images_are_preprocessed_and_labels_fit(folder: pathlib.Path) -> None:
    words = make(folder, augmentation=0.0)
    examples, _ = words.read(words.make_sampler(), 0)
    (batch, *_) = batches(words, 0, 1)
    for example, image, row in zip(examples, batch["image"], batch["tokens"], strict=True):
        # All of it: what stands in wide ground is learnt, too.
        np.testing.assert_allclose(image, Preprocessing(SIZE).view(decode_image(example.encoded)), atol=1e-4)
        assert words.tokenizer.decode(row[1:]) == example.text
    assert words.source_ids(0)[0].split(":")[1] == examples[0].source_id


def test_an_uneven_split_is_refused(folder: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"training\.batch_size"):
        make(folder, batch_size=9).dataset(Preprocessing(SIZE), 0, 9, replicas=2)


LABELS = ["word", "Word", "", "waytoolongforeight", "a-b", "caf\u00e9", "x", "0" * 8, "0" * 9, "tab\tb", "nul\0"]


def test_labels_read_in_bulk_are_those_that_the_tokenizer_takes(tmp_path: pathlib.Path) -> None:
    """Also with records of others, where the label is not at the end, and with tiny ones."""
    with ShardWriter(str(tmp_path / "labels"), 2) as writer:
        for label in LABELS * 3:
            writer.write(WordExample(b"\x89PNG" + b"x" * 200, label, "id", "png"))
        for label in LABELS:
            writer.write(WordExample(b"", label, "", ""))
    foreign = tf.train.Example()
    foreign.features.feature["image/encoded"].bytes_list.value.append(b"x" * 300)
    foreign.features.feature["image/text"].bytes_list.value.append(b"foreign")
    foreign.features.feature["zzz"].int64_list.value.append(3)
    with tf.io.TFRecordWriter(str(tmp_path / "labels-00009-of-00010.tfrecord")) as writer:
        writer.write(foreign.SerializeToString(deterministic=True))
    index = RecordIndex(f"{tmp_path}/labels-*")
    for spec in ("36", "94"):
        tokenizer = Tokenizer(Charset.from_spec(spec), 8)
        counts = LabelCounts()
        usable, rejected = usable_records(index, tokenizer, counts)
        expected: list[int] = []
        reasons: dict[str, int] = {}
        for i in range(len(index)):
            try:
                tokenizer.check(index.read_example(i).text)
                expected.append(i)
            except ValueError as error:
                reasons[error.reason] = reasons.get(error.reason, 0) + 1  # type: ignore[attr-defined]
        assert usable.tolist() == expected
        assert rejected == reasons
        texts = "".join(index.read_example(i).text for i in range(len(index)))
        assert counts.characters == {c: texts.count(c) for c in set(texts)}
        assert counts.words == len(index)


def damage(folder: pathlib.Path, target: pathlib.Path, what: str) -> None:
    """A copy of the words in which one shard is cut off, or one image is no image."""
    target.mkdir()
    for path in [*find_shards(str(folder / "words")), *find_shards(str(folder / "more"))]:
        (target / pathlib.Path(path).name).write_bytes(pathlib.Path(path).read_bytes())
    shard = target / "words-00001-of-00002.tfrecord"
    data = bytearray(shard.read_bytes())
    if what == "shard":
        shard.write_bytes(data[: len(data) - 100])
    else:
        index = RecordIndex(str(shard))
        _, offset, _ = index.locate(3)
        position = data.index(b"IHDR", offset)
        data[position : position + 4] = b"XXXX"
        shard.write_bytes(data)


def test_a_corrupt_shard_is_named_or_skipped(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    damage(folder, tmp_path / "bad", "shard")
    with pytest.raises(RecordError, match=r"data\.train\.words: .*words-00001-of-00002\.tfrecord"):
        make(tmp_path / "bad")
    assert make(tmp_path / "bad", on_corrupt="skip").sizes == [39, 24]


def test_a_corrupt_image_is_found_and_replaced(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    damage(folder, tmp_path / "bad", "image")
    words = make(tmp_path / "bad")
    with pytest.raises(tf.errors.OpError):
        batches(words, 0, 9)
    broken = words.find_broken(0)
    assert len(broken) == 1
    assert "words-00001-of-00002.tfrecord" in str(broken[0])
    words.skip(broken)
    assert words.find_broken(0) == []
    good, whole = batches(words, 0, 9), batches(make(folder), 0, 9)
    same = [(a["tokens"] == b["tokens"]).all(axis=1) for a, b in zip(good, whole, strict=True)]
    # One word in 40 gave way to its neighbour wherever it was drawn.
    assert 0 < 72 - np.sum(same) <= 4


def write_wide(folder: pathlib.Path, count: int) -> str:
    with ShardWriter(str(folder / "wide"), 1) as writer:
        for i in range(count):
            picture = np.random.default_rng(i).integers(0, 256, (10, 80, 3)).astype(np.uint8)
            writer.write(WordExample(encode_png(picture), "abcd"[: 1 + i % 4], f"wide/{i}", "png"))
    return f"{folder}/wide-*"


@pytest.mark.parametrize("augmentation", [0.0, 0.7])
def test_wide_words_have_batches_of_their_own(
    folder: pathlib.Path, tmp_path: pathlib.Path, augmentation: float
) -> None:
    sources = {
        "words": SourceConfig([f"{folder}/words-*"], 0.5, augmentation=augmentation),
        "wide": SourceConfig([write_wide(tmp_path, 20)], 0.5, augmentation=augmentation),
    }
    tokenizer = Tokenizer(Charset.from_spec("36"), 8)
    words = TrainingWords(DataConfig(sources), tokenizer, 8, 8, seed=5, by_width=True)
    assert words.wide_share == 0.5
    sizes = Preprocessing(SIZE, (32, 64))
    whole = [{key: np.asarray(value) for key, value in batch.items()} for batch in words.dataset(sizes, 0, 8)]
    widths = [batch["image"].shape[2] for batch in whole]
    assert sorted(widths) == [32] * 4 + [64] * 4
    # The same from any step, and split among replicas.
    parts = [np.asarray(batch["image"]) for batch in words.dataset(sizes, 3, 8, replicas=2)]
    for step in range(3, 8):
        joined = np.concatenate(parts[2 * (step - 3) : 2 * (step - 3) + 2])
        np.testing.assert_allclose(joined, whole[step]["image"], atol=1e-5)
    # Without a second size, all are read at the first.
    assert {batch["image"].shape[2] for batch in words.dataset(Preprocessing(SIZE), 0, 8)} == {32}
