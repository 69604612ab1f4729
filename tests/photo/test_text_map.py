"""From maps to rectangles: against slow code that does the same pixel by pixel, and against rectangles known."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from spin_tf.photo.text_map import find_quadrilaterals


def tilted(
    shape: tuple[int, int], centre: tuple[float, float], sides: tuple[float, float], degrees: float
) -> np.ndarray:
    """A map that is 0.9 in a rectangle, by the centres of pixels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    x, y = x - centre[0], y - centre[1]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    inside = (np.abs(x * cos + y * sin) <= sides[0] / 2) & (np.abs(y * cos - x * sin) <= sides[1] / 2)
    return np.where(inside, np.float32(0.9), np.float32(0.01))


def test_upright_rectangle_to_the_last_digit() -> None:
    probabilities = np.zeros((40, 60), np.float32)
    probabilities[10:18, 20:41] = 0.8
    corners, scores = find_quadrilaterals(probabilities, unclip=1.5)
    # One pixel wider to the right and down, measured from centre to centre: 21 x 8.
    margin = 1.5 * 21 * 8 / (2 * (21 + 8))
    left, top, right, bottom = 20.5 - margin, 10.5 - margin, 41.5 + margin, 18.5 + margin
    np.testing.assert_allclose(corners, [[[left, top], [right, top], [right, bottom], [left, bottom]]], atol=1e-12)
    np.testing.assert_allclose(scores, [np.float32(0.8) * (21 * 8) / (22 * 9)], atol=1e-7)


@pytest.mark.parametrize("degrees", [0, 7, 31, 44, -44, -20, -3, 85, -80])
def test_tilted_rectangles_are_found_where_they_are(degrees: float) -> None:
    probabilities = tilted((200, 260), (120, 90), (90, 24), degrees)
    (corners,), (score,) = find_quadrilaterals(probabilities, unclip=0)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=-1)
    upright = abs(degrees) > 45
    np.testing.assert_allclose(sides, [24, 90, 24, 90] if upright else [90, 24, 90, 24], atol=2.5)
    np.testing.assert_allclose(corners.mean(axis=0), [121, 91], atol=0.8)
    assert score > 0.8
    # Clockwise from the top left: the first side leads right, the second down.
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    assert first[0] > abs(first[1]) - 1e-9 and second[1] > abs(second[0]) - 1e-9


def regions(mask: np.ndarray) -> list[np.ndarray]:
    """Pixels (n, 2) as x, y of each region, one after another."""
    left, found = {(int(x), int(y)) for y, x in np.argwhere(mask)}, []
    while left:
        start = min(left, key=lambda pixel: pixel[::-1])
        left.remove(start)
        region, open_ends = [start], [start]
        while open_ends:
            x, y = open_ends.pop()
            for dx, dy in itertools.product((-1, 0, 1), repeat=2):
                if (x + dx, y + dy) in left:
                    left.remove((x + dx, y + dy))
                    region.append((x + dx, y + dy))
                    open_ends.append((x + dx, y + dy))
        found.append(np.array(region))
    return found


def slowly(probabilities: np.ndarray, unclip: float) -> list[list[tuple[float, float]]]:
    """Of each region that counts: the area of its smallest rectangle when widened, and its score.

    Several rectangles may be the smallest: those of all of them.
    """
    mask = probabilities > 0.3
    padded = np.pad(mask, ((1, 0), (1, 0)))
    mask = padded[1:, 1:] | padded[:-1, 1:] | padded[1:, :-1] | padded[:-1, :-1]
    result = []
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    for region in regions(mask):
        # Corners of the hull are the first or the last pixels of their rows.
        ends = {(int(f(region[region[:, 1] == y, 0])), int(y)) for y in set(region[:, 1]) for f in (np.min, np.max)}
        tried = []
        for one, other in itertools.combinations(sorted(ends), 2):
            dx, dy = other[0] - one[0], other[1] - one[1]
            u, v = region @ [dx, dy], region @ [-dy, dx]
            tried.append((float(np.ptp(u)) * float(np.ptp(v)) / (dx * dx + dy * dy), dx, dy, u, v))
        smallest = min(entry[0] for entry in tried)
        possible = []
        for _, dx, dy, u, v in (entry for entry in tried if entry[0] <= smallest * (1 + 1e-12)):
            length = np.hypot(dx, dy)
            sides = np.ptp(u) / length, np.ptp(v) / length
            margin = unclip * sides[0] * sides[1] / (2 * sum(sides))
            across, down = x * dx + y * dy, y * dx - x * dy
            inside = (u.min() <= across) & (across <= u.max()) & (v.min() <= down) & (down <= v.max())
            if min(sides) >= 3 and min(sides) + 2 * margin >= 5:
                widened = (sides[0] + 2 * margin) * (sides[1] + 2 * margin)
                possible.append((widened, float(probabilities[inside].astype(np.float64).mean())))
        if possible:
            result.append(possible)
    return result


def area(corners: np.ndarray) -> np.ndarray:
    x, y = corners[..., 0], corners[..., 1]
    return 0.5 * np.abs((x * np.roll(y, -1, axis=-1) - y * np.roll(x, -1, axis=-1)).sum(axis=-1))


def test_same_as_pixel_by_pixel() -> None:
    rng = np.random.default_rng(3)
    compared = 0
    for number in range(25):
        # Blots of all shapes, some of them up against the edge.
        blots = (rng.random((8, 9)) > 0.75).repeat(5, axis=0).repeat(4, axis=1)
        probabilities = np.where(blots, rng.uniform(0.4, 1, blots.shape), 0).astype(np.float32)
        expected = slowly(probabilities, 1.5)
        corners, scores = find_quadrilaterals(probabilities, box_threshold=0, unclip=1.5)
        assert len(corners) == len(expected), number
        for found, possible in zip(zip(area(corners), scores, strict=True), expected, strict=True):
            assert min(np.abs(np.subtract(found, one)).max() for one in possible) < 1e-6, number
        compared += len(expected)
    assert compared > 60


def test_regions_meet_at_corners_and_around_bends() -> None:
    probabilities = np.zeros((40, 60), np.float32)
    # A U, whose arms meet in its last row, and a block that touches an arm at a corner: one region.
    probabilities[5:30, 5:12] = probabilities[5:30, 25:32] = probabilities[26:34, 5:32] = 1
    probabilities[0:4, 33:40] = 1
    assert len(find_quadrilaterals(probabilities, box_threshold=0)[0]) == 1
    probabilities[0:4, 32:34] = 0
    assert len(find_quadrilaterals(probabilities, box_threshold=0)[0]) == 2


def test_what_is_too_small_or_too_faint_is_left_out() -> None:
    probabilities = np.zeros((60, 80), np.float32)
    probabilities[5:7, 5:40] = 1
    assert len(find_quadrilaterals(probabilities)[0]) == 0
    probabilities[5:9, 5:40] = 1
    assert len(find_quadrilaterals(probabilities)[0]) == 1
    probabilities[5:9, 5:40] = 0.45
    assert len(find_quadrilaterals(probabilities)[0]) == 0
    assert len(find_quadrilaterals(probabilities, box_threshold=0.3)[0]) == 1
    assert len(find_quadrilaterals(probabilities, threshold=0.5, box_threshold=0.3)[0]) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (32, 32)])
def test_empty_and_full_maps(shape: tuple[int, int]) -> None:
    for value in (0, 1, np.nan):
        corners, scores = find_quadrilaterals(np.full(shape, value, np.float32))
        assert corners.shape == (len(scores), 4, 2)
        assert len(scores) == (value == 1 and shape == (32, 32))


def test_noise_takes_no_more_than_a_moment() -> None:
    noise = np.random.default_rng(0).random((736, 1312), dtype=np.float32)
    start = time.process_time()
    for threshold in (0.3, 0.9, 0.99):
        find_quadrilaterals(noise, threshold=threshold)
    assert time.process_time() - start < 6


@pytest.mark.parametrize("wrong", [np.zeros((2, 3)), np.zeros((1, 2, 3), np.float32), np.zeros(3, np.float32)])
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="A map is a float32 array"):
        find_quadrilaterals(wrong)
