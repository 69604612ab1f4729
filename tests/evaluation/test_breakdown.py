from __future__ import annotations

from spin_tf.evaluation.breakdown import by_length, make_tables, wrong_readings
from spin_tf.evaluation.evaluate import Reading


def reading(truth: str, prediction: str | None) -> Reading:
    plain = truth.strip("!").lower()
    correct = None if not plain else prediction is not None and prediction.lower() == plain
    return Reading(0, "", truth, prediction, 0.5, "" if prediction is not None else "broken", correct)


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


def test_habits_are_counted_without_case_and_without_excluded_words() -> None:
    assert wrong_readings(READINGS) == [("sale", 2), ("", 1)]
    assert wrong_readings(READINGS, "exact", 1) == [("sale", 1)]


def test_tables() -> None:
    text = make_tables(READINGS)
    assert "| 3 to 5 | 3 | 1 | 33.33 |" in text
    assert text.endswith("how often: sale 2, (nothing) 1.")
