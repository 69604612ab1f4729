"""Labels have the lengths, cases and kinds of those on signs."""

from __future__ import annotations

import collections
import pathlib
import random

import pytest

from spin_tf.charset import Charset
from spin_tf.synthesis.alphabet import DrawableWords
from spin_tf.synthesis.fonts import CHARACTERS
from spin_tf.synthesis.labels import LabelSampler
from spin_tf.synthesis.vocabulary import COMMON_WORDS


@pytest.fixture(scope="module")
def labels() -> list[str]:
    sampler = LabelSampler()
    return [sampler.sample(random.Random(i)) for i in range(6000)]


def test_labels_can_be_learnt(labels: list[str]) -> None:
    assert all(1 <= len(label) <= 40 and set(label) <= set(CHARACTERS) for label in labels)
    assert len(CHARACTERS) == 94
    # Every character turns up, for the decoder to learn it.
    assert set("".join(labels)) == set(CHARACTERS)


def test_shares_of_lengths_cases_and_kinds(labels: list[str]) -> None:
    lengths = collections.Counter(min(len(label), 10) for label in labels)
    assert 0.35 < sum(lengths[n] for n in (3, 4, 5)) / len(labels) < 0.65
    assert 0.04 < sum(lengths[n] for n in (1, 2)) / len(labels) < 0.15
    words = [label for label in labels if label.isalpha() and len(label) > 1]
    assert 0.6 < len(words) / len(labels) < 0.85
    assert 0.4 < sum(word.isupper() for word in words) / len(words) < 0.6
    assert 0.2 < sum(word.istitle() for word in words) / len(words) < 0.35
    assert 0.1 < sum(word.islower() for word in words) / len(words) < 0.25
    assert 0.08 < sum(any(c.isdigit() for c in label) for label in labels) / len(labels) < 0.2
    for kind in ("$", "%", "#", ":", "www.", "@"):
        assert any(kind in label for label in labels), kind


def test_max_length_is_kept() -> None:
    sampler = LabelSampler(["lighthouse", "sea"], max_length=4)
    assert max(len(sampler.sample(random.Random(i))) for i in range(2000)) == 4
    with pytest.raises(ValueError, match="Received: max_length=41"):
        LabelSampler(max_length=41)
    with pytest.raises(ValueError, match="at most 3 characters"):
        LabelSampler(["lighthouse"], max_length=3)


def test_lexicon_must_be_drawable() -> None:
    with pytest.raises(ValueError, match=r"Received: lexicon=\['two words'\]"):
        LabelSampler(["one", "two words"])
    with pytest.raises(ValueError, match=r"Received: lexicon=\[\]"):
        LabelSampler([])


def test_lists_of_words_are_read(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(
        "\ufeffSea\n# a comment\n\nlight-house\nna\u00efve\ntwo words\n" + "x" * 41 + "\n", encoding="utf-8"
    )
    assert DrawableWords.read([file], Charset.from_spec("94")).words == ["Sea", "light-house"]
    file.write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"Received: lexicon=.*words\.txt"):
        DrawableWords.read([file], Charset.from_spec("94"))
    with pytest.raises(OSError):
        DrawableWords.read([tmp_path / "missing.txt"], Charset.from_spec("94"))


def test_vocabulary_is_clean() -> None:
    assert len(COMMON_WORDS) == len(set(COMMON_WORDS)) > 500
    assert all(word.isascii() and word.isalpha() and word.islower() for word in COMMON_WORDS)


@pytest.mark.parametrize("charset", [None, "chars:İIZMRizmrankd"])
@pytest.mark.parametrize("odd", ["İzmir", "İ", "IİI", "straße", "ǰabc", "ŉa"])
def test_one_odd_word_ends_no_lexicon(tmp_path, charset, odd):
    """Words whose other cases are more code points, or cannot be written, are drawn as they are or left out."""
    path = tmp_path / "words.txt"
    path.write_text(f"{odd}\nankara\nadana\n", encoding="utf-8")
    found = DrawableWords.read([path], Charset.from_spec(charset) if charset else None)
    assert {"ankara", "adana"} <= set(found.words)
    sampler = LabelSampler(found.words, characters=found.characters)
    rng = random.Random(0)
    labels = [sampler.sample(rng) for _ in range(400)]
    assert all(set(found.characters).issuperset(label) and 1 <= len(label) <= 40 for label in labels)
    assert any(label.lower() == "ankara" for label in labels)
    if odd == "İzmir":
        assert "İzmir" in found.words and any(label in ("İzmir", "İZMİR") for label in labels)


def test_words_that_differ_in_case_alone_are_one():
    sampler = LabelSampler(["Ankara", "ANKARA", "ankara", "adana"])
    assert sorted(word for bucket in sampler._buckets for word in bucket) == ["adana", "ankara"]
