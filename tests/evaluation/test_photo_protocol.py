"""The protocol on cases that are counted by hand."""

from __future__ import annotations

import math

import pytest

from spin_tf.evaluation.photo_protocol import Counts, PlacedWord, is_short, match, same_text


def word(text: str, left: float, top: float = 0, width: float = 100, height: float = 20) -> PlacedWord:
    right, bottom = left + width, top + height
    return PlacedWord(text, [(left, top), (right, top), (right, bottom), (left, bottom)], ignored=text == "###")


def numbers(counts: Counts) -> tuple[int, int, int]:
    return counts.matched, counts.labelled, counts.found


def test_a_perfect_answer() -> None:
    labels = [word("one", 0), word("two", 200)]
    for comparison in (None, "alphanumeric", "icdar"):
        counts = match(labels, labels[::-1], comparison).counts
        assert numbers(counts) == (2, 2, 2)
        assert counts.precision == counts.recall == counts.hmean == 1


def test_a_half_is_not_enough() -> None:
    """100 x 20 against its left or right part: the union is the label."""
    label = [word("one", 0)]
    assert match(label, [word("one", 0, width=50)]).pairs == ()
    assert match(label, [word("one", 0, width=51)]).pairs == ((0, 0, True),)
    assert match(label, [word("one", 0, width=199)]).pairs == ((0, 0, True),)
    assert match(label, [word("one", 0, width=200)]).pairs == ()


def test_one_to_one_in_the_order_given() -> None:
    """Two boxes on one word: the first counts, the second is invented; a box on two words is one of them."""
    result = match([word("one", 0)], [word("two", 5), word("one", 0)], "alphanumeric")
    assert result.pairs == ((0, 0, False),)
    assert result.invented == (1,)
    # The text is wrong, and the right one comes too late, as the competition's script has it.
    assert numbers(result.counts) == (0, 1, 2)
    both = match([word("one", 0), word("two", 3)], [word("one", 1)])
    assert both.pairs == ((0, 0, True),) and both.missed == (1,)
    assert numbers(both.counts) == (1, 2, 1)


def test_what_lies_on_illegible_words_counts_for_nothing() -> None:
    labels = [word("###", 0), word("two", 200)]
    readings = [word("any", 0), word("two", 200), word("air", 500)]
    result = match(labels, readings, "alphanumeric")
    assert result.ignored == (0,)
    assert numbers(result.counts) == (1, 1, 2)
    # By the area of what was found: three quarters lie on the illegible word, half do not suffice.
    assert match([word("###", 0)], [word("x", 25)]).ignored == (0,)
    assert match([word("###", 0)], [word("x", 50)]).ignored == ()
    # A box around both: less than half of it is illegible, and it is none of both.
    around = match(labels, [word("x", 0, width=300)], "alphanumeric")
    assert around.ignored == () and around.invented == (0,) and around.missed == (1,)


def test_a_box_on_an_illegible_word_is_no_pair_of_another() -> None:
    """It would fit the word beneath, but is set aside first."""
    labels = [word("two", 0, height=30), word("###", 0, height=30)]
    result = match(labels, [word("two", 0, height=30)])
    assert result.ignored == (0,) and result.missed == (0,)
    assert numbers(result.counts) == (0, 1, 0)


def test_short_words_count_for_places_but_not_end_to_end() -> None:
    labels = [word("to", 0), word("the", 200), word("A-1", 400)]
    readings = [word("to", 0), word("the", 200), word("A-1", 400)]
    assert numbers(match(labels, readings).counts) == (3, 3, 3)
    assert numbers(match(labels, readings, "alphanumeric").counts) == (1, 1, 1)
    assert numbers(match(labels, readings, "alphanumeric", min_letters=2).counts) == (3, 3, 3)
    # A short word somewhere else is invented all the same.
    assert numbers(match(labels, [word("x", 700)], "alphanumeric").counts) == (0, 1, 1)
    assert is_short("A-1") and is_short("...") and not is_short("abc") and not is_short("größe")


def test_bent_words_by_their_polygon() -> None:
    """A label like an L, 3 squares: the box around it has 4, so 3/4; that around its foot 2, so 2/3."""
    bent = PlacedWord("ELBOW", [(0, 0), (10, 0), (10, 10), (20, 10), (20, 20), (0, 20)])
    assert match([bent], [word("ELBOW", 0, width=20)]).pairs == ((0, 0, True),)
    assert match([bent], [word("ELBOW", 0, top=10, width=20, height=10)]).pairs == ((0, 0, True),)
    # The corner that it leaves out, and one more square: 1 of 4.
    assert match([bent], [word("ELBOW", 10, width=10)]).pairs == ()


def test_counts_add_up_over_photographs() -> None:
    """By words, not by photographs: 1 of 2 found of 1, and 1 of 1 found of 4."""
    total = Counts(1, 2, 1) + Counts(1, 1, 4)
    assert numbers(total) == (2, 3, 5)
    assert total.precision == pytest.approx(2 / 5) and total.recall == pytest.approx(2 / 3)
    assert total.hmean == pytest.approx(0.5)


def test_nothing_to_find_and_nothing_found() -> None:
    assert match([], []).counts == Counts()
    assert math.isnan(Counts(0, 0, 3).recall) and math.isnan(Counts(0, 0, 3).hmean)
    assert Counts(0, 3, 0).precision == 0 and Counts(0, 3, 0).hmean == 0
    degenerate = PlacedWord("x", [(5, 5)] * 4)
    assert match([word("one", 0)], [degenerate]).counts == Counts(0, 1, 1)
    assert match([degenerate], [word("one", 0)]).counts == Counts(0, 1, 1)


@pytest.mark.parametrize(
    ("truth", "read", "alphanumeric", "icdar"),
    [
        ("Street", "STREET", True, True),
        ("[Street]", "Street", True, True),
        ("Street!", "Street", True, True),
        ("'(Street", "Street", True, False),
        ("Don't", "Dont", True, False),
        ("Street", "Street!", True, False),
        ("Street", "Stret", False, False),
        ("...", "", False, False),
        ("...", "...", True, True),
        ("", "", True, True),
        ("5.00", "500", True, False),
    ],
)
def test_texts(truth: str, read: str, alphanumeric: bool, icdar: bool) -> None:
    assert same_text(truth, read, "alphanumeric") is alphanumeric
    assert same_text(truth, read, "icdar") is icdar


def test_other_comparisons_are_refused() -> None:
    with pytest.raises(ValueError, match="Received: comparison='exact'"):
        same_text("a", "a", "exact")
