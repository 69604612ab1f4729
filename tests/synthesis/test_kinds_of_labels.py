"""Kinds of labels that usual words do not teach: how many there are, and what each is."""

# ruff: noqa: RUF001 (typographic signs are what is tested)
from __future__ import annotations

import random
import re

import pytest

from spin_tf.charset import Charset
from spin_tf.synthesis import figures, writings
from spin_tf.synthesis.alphabet import characters_of
from spin_tf.synthesis.labels import Label, LabelSampler
from spin_tf.synthesis.probabilities import LabelShares

LATIN = characters_of(Charset.from_spec("latin"))
WORDS = ["straße", "señor", "żółw", "tea", "house", "mirror", "bridge", "harbour", "lighthouse"]


def drawn(count: int = 1500, **shares: float) -> list[Label]:
    rest = dict.fromkeys(("signs", "long", "codes", "accents", "words", "spaces"), 0.0)
    sampler = LabelSampler(WORDS, characters=LATIN, shares=LabelShares(**{**rest, **shares}))
    return [sampler.draw(random.Random(i)) for i in range(count)]


def share(labels: list[Label], pattern: str) -> float:
    return sum(bool(re.search(pattern, label.text)) for label in labels) / len(labels)


def test_signs_stand_everywhere() -> None:
    labels = drawn(6000, signs=1.0)
    assert all(set(label.text) <= set(LATIN) for label in labels)
    for pattern in (
        r"^\+\d{2}.*\d$",  # a telephone number
        r"\(\d+\)\d",  # brackets around its area
        r"^[€£¥$]\d",
        r"\d[€£¥$]$",
        r"^\w+://\w",
        r"^\S+@\S+\.\w+$",
        r"°C$",
        r"^§",
        r"^„.*“$",
        r"^«.*»$",
        r"\d–\d",
        r"…$",
        r"^\d\d[./-]\d\d[./-]\d\d",
        r"½|¼|¾",
        r"™|®|©",
    ):
        assert share(labels, pattern) > 0.001, pattern
    for sign in "#$_\\|&^=@:/+":
        assert any(0 < label.text.find(sign) < len(label.text) - 1 for label in labels), sign
    assert {c for label in labels for c in label.text} >= {c for c in LATIN if not c.isalnum() and c != " "}


def test_long_labels_are_long() -> None:
    labels = drawn(long=1.0)
    lengths = sorted(len(label.text) for label in labels)
    assert lengths[len(lengths) // 20] >= 12 and lengths[len(lengths) // 2] >= 20 and lengths[-1] <= 40
    assert share(labels, r"^\d{16,24}$") > 0.05
    assert share(labels, r"^[^\W\d_]{18,30}$") > 0.25
    # Account numbers, whole and in groups.
    assert share(labels, r"^[A-Z]{2}\d{2}[A-Z0-9]{11,}$") > 0.03
    assert share(labels, r"^[A-Z]{2}\d{2}([-.][A-Z0-9]{1,4})+$") > 0.02


def test_account_numbers_have_the_length_of_their_country() -> None:
    lengths = {"DE": 22, "AT": 20, "FR": 27, "ES": 24, "PL": 28, "IT": 27, "NL": 18, "GB": 22, "BE": 16, "CH": 21}
    lengths |= {"SE": 24, "IE": 22, "PT": 25, "HU": 28}
    numbers = [figures.account(random.Random(i)).replace("-", "").replace(".", "") for i in range(800)]
    assert {number[:2] for number in numbers} == set(lengths)
    assert {(number[:2], len(number)) for number in numbers} == set(lengths.items())


def test_codes_are_of_what_looks_alike() -> None:
    labels = drawn(codes=1.0)
    assert all(label.is_code for label in labels)
    text = "".join(label.text for label in labels)
    assert sum(c in "0O1Il5S8B2Z6GQD" for c in text) / len(text) > 0.7
    assert all({a, b} <= set(text) for a, b in ("0O", "1I", "5S", "8B", "2Z"))


def test_accents_come_with_words_and_with_every_letter() -> None:
    labels = drawn(12000, accents=1.0)
    assert sum(any(c.isalpha() and not c.isascii() for c in label.text) for label in labels) / len(labels) > 0.85
    assert share(labels, "(?i)^(straße|strasse|señor|żółw)$") > 0.5
    letters = {c for c in LATIN if c.isalpha() and not c.isascii() and c != "µ"}
    assert {c for label in labels for c in label.text} >= letters
    # Without accents in the charset there are none, and the labels are as all others.
    plain = LabelSampler(["sea", "tea"], shares=LabelShares(accents=0.9, signs=0, long=0, codes=0))
    texts = [plain.sample(random.Random(i)) for i in range(500)]
    assert all(text.isascii() for text in texts) and len(set(texts)) > 100


def test_spaces_stand_inside_of_labels() -> None:
    labels = drawn(spaces=1.0)
    assert share(labels, r"^\S+( \S+){1,3}$") > 0.99
    for pattern in (
        r"^[A-Z]{1,3} \d{2,4} \w+$",
        r"^\d+( \d+)+$",
        r"^\d+ kg$",
        r"^[a-z]+ [a-z]+$",
        r"^[A-Z][a-z]+ [A-Z]",
        "^[A-Z]+ [A-Z]+$",
    ):
        assert share(labels, pattern) > 0.005, pattern
    # Other kinds have none, and without a space in the charset no label has one.
    assert not share(drawn(signs=0.4, long=0.3, codes=0.3), " ") and not share(drawn(), " ")
    plain = LabelSampler(WORDS, characters=LATIN.replace(" ", ""), shares=LabelShares(0, 0, 0, 0, 0, 1))
    assert not any(" " in plain.sample(random.Random(i)) for i in range(500))


def test_words_alone() -> None:
    labels = drawn(words=1.0)
    assert {label.text.lower().replace("ss", "ß") for label in labels} == set(WORDS)


def test_shares_are_kept() -> None:
    labels = drawn(4000, codes=0.25)
    assert 0.22 < sum(label.is_code for label in labels) / len(labels) < 0.32
    usual = LabelSampler(WORDS, characters=LATIN)
    assert usual.shares == LabelShares()
    one, two = ([usual.draw(random.Random(i)) for i in range(200)] for _ in range(2))
    assert one == two


@pytest.mark.parametrize(("items", "message"), [
    (["sign=0.1"], "sign=0.1"), (["signs"], "'signs'"), (["signs=-1"], "'signs=-1'"), (["signs=x"], "'signs=x'"),
    (["signs=0.7", "long=0.6"], "at most 1 together"), (["signs=2"], r"Received: signs=2\.0"),
])  # fmt: skip
def test_wrong_shares_are_told(items: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelShares.parse(items)


def test_named_shares_make_room() -> None:
    assert LabelShares.parse([]) == LabelShares()
    assert LabelShares.parse(["words=1"]) == LabelShares(0, 0, 0, 0, 1, 0)
    assert LabelShares.parse(["signs=0.2"]) == LabelShares(signs=0.2)
    full = LabelShares.parse(["signs=0.5", "long=0.4"])
    assert full.codes + full.accents + full.spaces == pytest.approx(0.1)
    assert full.accents > full.codes > full.spaces > 0


def test_marks_that_print_has_are_words_of_their_own_kind() -> None:
    spans = [writings.span(random.Random(i), lambda: "mon") for i in range(400)]
    assert {"–", "—", "-"} <= set("".join(spans)) and any(re.fullmatch(r"\d+–\d+", text) for text in spans)
    assert all(re.fullmatch(r"[^:]+", figures.telephone(random.Random(i)).replace("Tel:", "")) for i in range(200))
