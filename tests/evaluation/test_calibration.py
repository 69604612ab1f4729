"""Calibration: confidences against shares that are right."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from spin_tf.evaluation.calibration import Calibration


def test_numbers_by_hand() -> None:
    pairs = [(0.95, True), (0.97, True), (0.99, False), (0.55, True), (0.52, False), (0.05, False)]
    calibration = Calibration.of(pairs)
    bins = calibration.bins()
    assert [words for words, _, _ in bins] == [1, 2, 3]
    assert bins[2][1:] == pytest.approx((0.97, 2 / 3))
    expected = (1 * 0.05 + 2 * abs(0.535 - 0.5) + 3 * (0.97 - 2 / 3)) / 6
    assert calibration.expected_error == pytest.approx(expected)
    given = [0.95, 0.97, 0.01, 0.55, 0.48, 0.95]
    assert calibration.cross_entropy == pytest.approx(-np.log(given).mean())
    assert [calibration.at_least(level) for level in (0.5, 0.9, 0.99, 1.0)] == [(5, 3), (3, 2), (1, 0), (0, 0)]
    assert "| 0.9 | 3 | 50.0 % | 66.7 % |" in calibration.table()
    assert calibration.to_dict()["at_least"]["0.5"] == {"words": 5, "correct": 3}


def test_confidence_that_is_the_share_has_no_error() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0, 1, 100_000)
    honest = Calibration(confidences, rng.uniform(0, 1, 100_000) < confidences)
    assert honest.expected_error < 0.01
    assert Calibration(confidences**0.25, honest.correct).expected_error > 0.2


def test_one_is_in_the_last_bin_and_no_words_have_no_error() -> None:
    assert Calibration.of([(1.0, True)]).bins() == [(1, 1.0, 1.0)]
    empty = Calibration.of([])
    assert (empty.bins(), empty.expected_error, empty.cross_entropy) == ([], 0, 0.0)
    assert "| 0.5 | 0 | - | - |" in empty.table()
    ElementTree.fromstring(empty.diagram())


def test_the_diagram_shows_a_dot_a_bin_where_it_belongs() -> None:
    calibration = Calibration.of([(0.25, False)] * 3 + [(0.75, True)])
    picture = ElementTree.fromstring(calibration.diagram(size=100))
    circles = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in circles] == [(34 + 25, 117), (34 + 75, 17)]
    assert float(circles[0].attrib["r"]) > float(circles[1].attrib["r"])
