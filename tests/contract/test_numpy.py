"""The rules of preprocessing 2 in numpy, against their definition written without any haste."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.colour import colour_axis
from spin_tf.contract.ground import ground_box
from spin_tf.contract.pixels import Box, colour_planes, weighted_grey
from spin_tf.contract.preprocessing import Preprocessing, prepare, preprocess
from spin_tf.contract.views import views, warped
from spin_tf.data.picture import Picture


def word(
    height: int, width: int, box: Box, ground: tuple[int, ...], ink: tuple[int, ...], noise: int = 0
) -> np.ndarray:
    """Something like letters in a box of an even picture, uint8 (height, width, channels)."""
    image = np.empty((height, width, len(ground)), np.int64)
    image[:] = ground
    part = image[box.top : box.bottom, box.left : box.right]
    part[:, ::3] = ink
    part[0] = part[-1] = ink
    rng = np.random.default_rng(height * width)
    return np.clip(image + rng.integers(-noise, noise + 1, image.shape), 0, 255).astype(np.uint8)


def slow_box(image: np.ndarray) -> Box | None:
    """The definition, pixel by pixel."""
    height, width = image.shape[:2]
    if height < 4 or width < 4:
        return None
    rows, columns = min(height, 128), min(width, 512)
    pixels = image.reshape(height, width, -1).tolist()
    sample = [[pixels[i * height // rows][j * width // columns] for j in range(columns)] for i in range(rows)]
    across = [[line[j] for line in sample] for j in range(columns)]
    sides = [sample, sample[::-1], across, across[::-1]]
    cuts = []
    for lines in sides:
        middle = [sorted(channel)[len(lines[0]) // 2] for channel in zip(*lines[0], strict=True)]
        deviations = [[max(abs(a - b) for a, b in zip(pixel, middle, strict=True)) for pixel in line] for line in lines]
        allowed = min(max(max(map(max, deviations)) // 5, 8), 40)
        even = [max(line) <= allowed for line in deviations]
        if max(deviations[0]) > 40:
            cuts.append(0)
        elif all(even):
            return None
        else:
            cuts.append(even.index(False))
    top, bottom = cuts[0] * height // rows, height - cuts[1] * height // rows
    left, right = cuts[2] * width // columns, width - cuts[3] * width // columns
    if bottom <= top or right <= left:
        return None
    margin = min((bottom - top) // 5, right - left)
    box = Box(max(0, top - margin), min(height, bottom + margin), max(0, left - margin), min(width, right + margin))
    small = 5 * (box.right - box.left) < 4 * width or 10 * (box.bottom - box.top) < 7 * height
    return box if small else None


LOOSE = [
    word(40, 200, Box(10, 30, 80, 130), (240,), (20,)),
    word(40, 200, Box(10, 30, 80, 130), (240,), (20,), noise=8),
    word(40, 200, Box(10, 30, 80, 130), (90, 120, 60), (160, 120, 200), noise=3),
    word(300, 900, Box(100, 210, 400, 700), (30,), (210,), noise=4),
    word(7, 90, Box(2, 6, 0, 20), (255,), (0,)),
    word(600, 40, Box(500, 590, 10, 30), (200, 200, 200), (10, 30, 20)),
    # Ground so close to the ink that the largest deviation decides.
    word(30, 90, Box(5, 20, 60, 80), (100,), (112,)),
    word(30, 90, Box(5, 20, 60, 80), (100,), (107,)),
    # The word touches a side; it fills the picture; there is none.
    word(30, 90, Box(0, 20, 60, 90), (200,), (10,)),
    word(30, 90, Box(1, 29, 1, 89), (200,), (10,)),
    np.full((30, 90), 128, np.uint8),
    # Half of the outermost line is of another colour: its middle element is not in the middle of the values.
    np.repeat(np.array([[0] * 45 + [60] * 45], np.uint8), 30, 0),
]


@pytest.mark.parametrize("number", range(len(LOOSE)))
def test_even_ground_is_found_as_defined(number: int) -> None:
    image = LOOSE[number]
    assert ground_box(image) == slow_box(image)


def test_even_ground_of_random_pictures_is_found_as_defined() -> None:
    rng = np.random.default_rng(7)
    found = 0
    for number in range(120):
        height, width = (int(side) for side in rng.integers(1, 90, 2))
        levels = rng.integers(0, 256, (2, 3 if number % 2 else 1))
        top, left = int(rng.integers(0, height)), int(rng.integers(0, width))
        box = Box(top, int(rng.integers(top, height)) + 1, left, int(rng.integers(left, width)) + 1)
        image = word(height, width, box, tuple(levels[0]), tuple(levels[1]), int(rng.integers(0, 12)))
        expected = slow_box(image)
        assert ground_box(image) == expected, number
        found += expected is not None
    assert found > 20


def test_of_loose_crops_the_word_is_left_with_a_margin() -> None:
    assert ground_box(LOOSE[0]) == Box(6, 34, 76, 134)


def slow_values(taps: np.ndarray) -> np.ndarray:
    """The definition: numpy's own covariances, in float64 of numbers that it holds exactly."""
    signs = "+.. .+. ..+ ++. +.+ .++ +-. +.- .+- +++ ++- +-+ +--"
    directions = [tuple(".+-".index(c) if c != "-" else -1 for c in word) for word in signs.split()]
    x = taps.reshape(-1, 3).astype(np.int64)
    grey = (x @ [9798, 19235, 3735] + 16384) // 32768

    def variance(values: np.ndarray) -> int:
        return len(values) * int((values * values).sum()) - int(values.sum()) ** 2

    unit = {d: 6 // sum(abs(c) for c in d) for d in directions}
    largest = max(variance(x @ d) * unit[d] for d in directions)
    if largest < 6 * 16 * variance(grey) or largest < 600 * len(x) ** 2:
        return grey.reshape(taps.shape[:-1])
    best = next(d for d in directions if variance(x @ d) * unit[d] == largest)
    places = x @ best
    span = int(places.max() - places.min())
    return (((places - places.min()) * 510 + span) // (2 * span)).reshape(taps.shape[:-1])


def test_colours_are_read_along_the_axis_as_defined() -> None:
    rng = np.random.default_rng(3)
    along = 0
    for number in range(200):
        ground = rng.integers(0, 256, 3)
        ink = np.clip(ground + rng.integers(-160, 161, 3), 0, 255)
        if number % 3:
            # Of the same grey, as nearly as green allows.
            ink[1] = np.clip(ground[1] - ((ink - ground)[[0, 2]] @ [9798, 3735]) // 19235, 0, 255)
        taps = np.where(rng.random((12, 40, 1)) < 0.3, ink, ground) + rng.integers(-6, 7, (12, 40, 3))
        taps = np.clip(taps, 0, 255).astype(np.uint8)
        planes = colour_planes(taps)
        grey = weighted_grey(planes)
        axis = colour_axis(planes, grey)
        np.testing.assert_array_equal(grey if axis is None else axis.values(taps), slow_values(taps))
        along += axis is not None
    assert 40 < along < 160


def test_the_first_of_equal_axes_counts() -> None:
    """Red and blue change places: red alone spreads as far as blue, and their difference further."""
    taps = np.array([[[200, 90, 100], [100, 90, 200]]], np.uint8)
    axis = colour_axis(colour_planes(taps), np.zeros((1, 2), np.float32))
    assert axis is not None and axis.direction == (1, 0, -1)
    taps = np.array([[[200, 90, 100], [100, 90, 100], [100, 90, 200], [200, 90, 200]]], np.uint8)
    axis = colour_axis(colour_planes(taps), np.zeros((1, 4), np.float32))
    assert axis is not None and axis.direction == (1, 0, 0)


def test_colours_beyond_the_taps_are_clipped() -> None:
    taps = np.array([[[200, 90, 100], [100, 90, 200]]], np.uint8).repeat(8, 0)
    axis = colour_axis(colour_planes(taps), np.zeros((8, 2), np.float32))
    assert axis is not None
    assert axis.values(np.array([[255, 0, 0], [0, 0, 255], [150, 0, 150]], np.uint8)).tolist() == [255, 0, 128]


def test_other_views_read_the_axis_of_the_plain_one() -> None:
    """Grey would show next to nothing in any of them; without margin and turn, a view is the plain one."""
    image = word(26, 80, Box(2, 24, 3, 77), (200, 80, 80), (80, 142, 80))
    rules = Preprocessing((32, 128))
    plain, *others = views(image, rules, 6)
    for view in others:
        assert view.std() > 0.7 * plain.std() > 0.4
        assert view.min() >= -1 and view.max() <= 1
    assert all(view.std() < 0.02 for view in views(image, Preprocessing((32, 128), number=1), 6))
    again = warped(image, (32, 128), axis=rules.values(image)[1])
    np.testing.assert_allclose(again, plain, rtol=0, atol=1e-4)


def test_size_follows_the_aspect_of_what_is_left() -> None:
    two_sizes = Preprocessing((32, 128), (32, 256))
    rng = np.random.default_rng(0)

    def size(height: int, width: int) -> tuple[int, ...]:
        return prepare(rng.integers(0, 256, (height, width), np.uint8), two_sizes).shape

    assert size(20, 100) == (32, 128, 1)
    assert size(20, 101) == (32, 256, 1)
    # Wide as it lies, short once it is cut.
    assert prepare(word(40, 400, Box(10, 30, 80, 130), (240,), (20,)), two_sizes).shape == (32, 128, 1)
    assert prepare(rng.integers(0, 256, (20, 200), np.uint8), Preprocessing((32, 128))).shape == (32, 128, 1)


def test_first_preprocessing_knows_none_of_it() -> None:
    old = Preprocessing.of({"image_size": [32, 128], "wide_image_size": [32, 256]})
    image = word(40, 400, Box(10, 30, 80, 130), (200, 80, 80), (80, 152, 20))
    np.testing.assert_array_equal(prepare(image, old), preprocess(image, (32, 128)))
    new = Preprocessing.of({"image_size": [32, 128], "preprocessing": 2})
    assert np.abs(prepare(image, new) - prepare(image, old)).max() > 0.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("side", [60, 700])
def test_part_of_a_picture_is_that_of_its_array(orientation: int, side: int) -> None:
    rng = np.random.default_rng(side)
    picture = Picture(Image.fromarray(rng.integers(0, 256, (side, side + 9, 3), np.uint8)), orientation)
    array = picture.to_array()
    part = picture.crop(Box(3, side - 8, 5, side - 5)).crop(Box(2, side - 30, 1, side - 40))
    np.testing.assert_array_equal(part.to_array(), array[5 : side - 27, 6 : side - 35])
    assert part.shape == (side - 32, side - 41, 3)
    for quarters in range(4):
        turned = part.rot90(quarters)
        np.testing.assert_array_equal(turned.to_array(), np.rot90(part.to_array(), quarters))
        rows, columns = rng.integers(0, turned.shape[0], 9), rng.integers(0, turned.shape[1], 7)
        np.testing.assert_array_equal(turned.take(rows, columns), turned.to_array()[rows][:, columns])
    turned = part.rot90(1).crop(Box(1, 15, 2, 16))
    np.testing.assert_array_equal(turned.to_array(), np.rot90(part.to_array())[1:15, 2:16])


def test_pictures_and_their_arrays_are_prepared_alike() -> None:
    """However large: large ones are looked at line by line."""
    for side in (1, 12):
        pixels = word(
            40 * side, 200 * side, Box(10 * side, 30 * side, 80 * side, 130 * side), (200, 80, 80), (80, 152, 20)
        )
        expected = prepare(pixels, Preprocessing((32, 128)))
        np.testing.assert_array_equal(prepare(Picture(Image.fromarray(pixels)), Preprocessing((32, 128))), expected)
