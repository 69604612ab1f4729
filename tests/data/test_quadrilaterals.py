"""Areas and overlaps against polygons whose values are known."""

from __future__ import annotations

import numpy as np
import pytest

from spin_tf.data import quadrilaterals as geometry

SQUARE = [(0, 0), (4, 0), (4, 4), (0, 4)]
# A square with a notch from above.
NOTCHED = [(0, 0), (1, 0), (1, 3), (3, 3), (3, 0), (4, 0), (4, 4), (0, 4)]


def test_areas_in_either_direction() -> None:
    assert geometry.area(SQUARE) == geometry.area(SQUARE[::-1]) == 16
    assert geometry.signed_area(SQUARE) == 16
    assert geometry.area(NOTCHED) == 10


@pytest.mark.parametrize(
    ("one", "two", "common"),
    [
        (SQUARE, SQUARE, 16),
        (SQUARE, [(2, 2), (6, 2), (6, 6), (2, 6)], 4),
        (SQUARE, [(2, 2), (2, 6), (6, 6), (6, 2)], 4),
        (SQUARE, [(4, 0), (8, 0), (8, 4), (4, 4)], 0),
        (SQUARE, [(2, -2), (6, 2), (2, 6), (-2, 2)], 16),
        (NOTCHED, [(1, 0), (3, 0), (3, 3), (1, 3)], 0),
        (NOTCHED, [(0, 2), (4, 2), (4, 4), (0, 4)], 6),
        (NOTCHED, NOTCHED[::-1], 10),
        ([(0, 0), (4, 0), (4, 4), (0, 4)], [(1, 1), (1, 1), (1, 1)], 0),
    ],
)
def test_intersections(one: list[tuple[int, int]], two: list[tuple[int, int]], common: float) -> None:
    assert geometry.intersection(one, two) == pytest.approx(common)
    assert geometry.intersection(two, one) == pytest.approx(common)


def test_intersections_of_bent_words_agree_with_counted_pixels() -> None:
    """Words of Total-Text are bands with many corners."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(5)

    def band(phase: float) -> list[tuple[float, float]]:
        angles = np.linspace(0.2 + phase, 2.2 + phase, 7)
        outer = [(300 + 250 * np.cos(a), 300 + 250 * np.sin(a)) for a in angles]
        inner = [(300 + 150 * np.cos(a), 300 + 150 * np.sin(a)) for a in angles[::-1]]
        return outer + inner

    def pixels(points: list[tuple[float, float]]) -> np.ndarray:
        image = Image.new("1", (600, 600))
        ImageDraw.Draw(image).polygon(points, fill=1)
        return np.asarray(image)

    for _ in range(10):
        one = band(random.uniform(0, 3))
        two = band(random.uniform(0, 3))
        counted = int((pixels(one) & pixels(two)).sum())
        assert geometry.intersection(one, two) == pytest.approx(counted, abs=1500)


def test_widening_adds_the_same_on_all_sides() -> None:
    box = np.array([[(10, 10), (110, 10), (110, 30), (10, 30)]], np.float32)
    wider = geometry.widen(box, 0.1)
    np.testing.assert_allclose(wider, [[(8, 8), (112, 8), (112, 32), (8, 32)]])


def test_smallest_rectangle_of_a_tilted_word() -> None:
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([(0, 0), (100, 0), (100, 20), (0, 20)]) @ turn + 50
    points = np.concatenate([corners, (corners + np.roll(corners, 1, axis=0)) / 2, corners.mean(axis=0)[None]])
    np.testing.assert_allclose(geometry.smallest_rectangle(points[::-1]), corners, atol=1e-3)


def test_smallest_rectangle_of_one_place() -> None:
    assert geometry.smallest_rectangle([(3, 4), (3, 4)]).tolist() == [[3, 4]] * 4
