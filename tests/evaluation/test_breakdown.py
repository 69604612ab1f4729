from __future__ import annotations

from spin_tf.evaluation.breakdown import by_height, by_length, by_shape, make_tables, wrong_readings
from spin_tf.evaluation.word_set import Reading


def reading(truth: str, prediction: str | None, size: tuple[int, int] | None = None) -> Reading:
    plain = truth.strip("!").lower()
    correct = None if not plain else prediction is not None and prediction.lower() == plain
    return Reading(0, "", truth, prediction, 0.5, "" if prediction is not None else "broken", correct, size)


READINGS = [
    reading("Sea", "sea"),
    reading("shell", "sale"),
    reading("blur", "SALE"),
    reading("lighthouse", None),
    reading("internationally", "internationally"),
    reading("!!", "sale"),
]


def test_lengths_are_those_of_what_is_compared() -> None:
    assert by_length(READINGS) == [
        {"length": "3 to 5", "words": 3, "correct": 1},
        {"length": "9 to 11", "words": 1, "correct": 0},
        {"length": "14 and more", "words": 1, "correct": 1},
    ]
    assert by_length([]) == []


def test_shapes_and_heights_are_those_of_the_crop() -> None:
    sizes = [(30, 20), (29, 20), (20, 20), (20, 29), (15, 30), (16, 96), None, (100, 10)]
    read = [reading("word", "word" if i % 2 else "other", size) for i, size in enumerate(sizes)]
    # What the protocol excludes does not count.
    read.append(reading("!", "x", (10, 10)))
    assert by_shape(read) == [
        {"shape": "at least 1.5 times as high as wide", "words": 2, "correct": 1},
        {"shape": "higher than wide, but less so", "words": 1, "correct": 1},
        {"shape": "up to 1.5 times as wide as high", "words": 2, "correct": 1},
        {"shape": "1.5 to 3 times as wide as high", "words": 1, "correct": 0},
        {"shape": "more than 6 times", "words": 1, "correct": 1},
    ]
    assert by_height(read) == [
        {"height": "1 to 15", "words": 2, "correct": 1},
        {"height": "16 to 31", "words": 5, "correct": 3},
    ]


def test_habits_are_counted_without_case_and_without_excluded_words() -> None:
    assert wrong_readings(READINGS) == [("sale", 2), ("", 1)]
    assert wrong_readings(READINGS, "exact", 1) == [("sale", 1)]


def test_tables() -> None:
    text = make_tables(READINGS)
    assert "| 3 to 5 | 3 | 1 | 33.33 |" in text
    assert "By shape of the crop:\n\nnone\n" in text
    text = make_tables([*READINGS, reading("sea", "sea", (40, 90))])
    assert "| shape | words | correct | word accuracy |" in text
    assert "| 1.5 to 3 times as wide as high | 1 | 1 | 100.00 |" in text
    assert "| 32 to 63 | 1 | 1 | 100.00 |" in text
    assert text.endswith("how often: sale 2, (nothing) 1.")
