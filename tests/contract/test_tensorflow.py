"""The TensorFlow twin of the contract against numpy, on the cases and on random pictures."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from spin_tf.contract import ground, tensorflow_twin
from spin_tf.contract.pixels import Box, rot90
from spin_tf.contract.preprocessing import Preprocessing, prepare, values_of
from spin_tf.contract.tensorflow_pixels import scaled
from tests.contract.test_numpy import LOOSE, word

SIZES = (32, 128), (32, 256)


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(11)
    images = list(LOOSE)
    for number in range(60):
        height, width = (int(side) for side in rng.integers(1, 90, 2))
        levels = rng.integers(0, 256, (2, 3 if number % 3 else 1))
        if number % 3 == 1:
            levels[1] = np.clip(levels[0] + (40, -20, -10), 0, 255)
        top, left = int(rng.integers(0, height)), int(rng.integers(0, width))
        box = Box(top, int(rng.integers(top, height)) + 1, left, int(rng.integers(left, width)) + 1)
        images.append(word(height, width, box, tuple(levels[0]), tuple(levels[1]), int(rng.integers(0, 12))))
    images.append(rng.integers(0, 256, (400, 1300, 3), np.uint8))
    images.append(word(1000, 1600, Box(300, 520, 500, 1100), (200, 80, 80), (80, 142, 80), 3))
    return images


def test_views_are_those_of_numpy() -> None:
    wide = 0
    for number, image in enumerate(pictures()):
        expected = prepare(image, Preprocessing(*SIZES))
        view, is_wide = tensorflow_twin.prepare_tensor(image, Preprocessing(*SIZES))
        assert view.shape == expected.shape and bool(is_wide) == (expected.shape[1] == 256), number
        np.testing.assert_allclose(view.numpy(), expected, rtol=0, atol=1e-5, err_msg=str(number))
        wide += bool(is_wide)
    assert wide > 5


def test_values_are_the_same_to_the_last_one() -> None:
    """At its own size, a picture is not interpolated."""
    for number, image in enumerate(pictures()):
        if image.shape[2:] == (3,):
            size = image.shape[:2]
            expected, _ = Preprocessing(size).values(image)
            view = tensorflow_twin.view_of(tf.constant(image), tensorflow_twin.whole(image), size)
            np.testing.assert_array_equal(view[..., 0], expected[: size[0], : size[1]], err_msg=str(number))


def test_whole_pictures_are_those_of_numpy() -> None:
    """As they are augmented."""
    for number, image in enumerate(pictures()):
        pixels = image if image.ndim == 3 else image[..., None]
        values = tensorflow_twin.values_of(tf.constant(pixels)[None])[0]
        np.testing.assert_array_equal(values, values_of(image)[0], err_msg=str(number))


@pytest.mark.parametrize("degrees", [0, 90, -90, 180])
def test_turned_parts_are_those_of_numpy(degrees: int) -> None:
    image = np.random.default_rng(5).integers(0, 256, (40, 70, 3), np.uint8)
    part = image[3:30, 10:65]
    expected = Preprocessing((32, 128)).view(rot90(part, degrees // 90))
    view = tensorflow_twin.view_of(tf.constant(image), tf.constant([3, 30, 10, 65]), (32, 128), degrees)
    np.testing.assert_allclose(scaled(view).numpy(), expected, rtol=0, atol=1e-5)


def test_boxes_are_those_of_numpy() -> None:
    cut = 0
    for number, image in enumerate(pictures()):
        box = ground.ground_box(image)
        expected = (0, image.shape[0], 0, image.shape[1]) if box is None else box
        pixels = tf.constant(image if image.ndim == 3 else image[..., None])
        assert tuple(tensorflow_twin.ground_box(pixels).numpy()) == tuple(expected), number
        cut += box is not None
    assert cut > 20


def test_batches_are_of_static_shape_where_there_is_one_size() -> None:
    images = tf.data.Dataset.from_tensors(tf.zeros((9, 40, 3), tf.uint8))
    prepared = images.map(lambda image: tensorflow_twin.prepare_tensor(image, Preprocessing((32, 128))))
    assert prepared.element_spec[0].shape.as_list() == [32, 128, 1]
    prepared = images.map(lambda image: tensorflow_twin.prepare_tensor(image, Preprocessing(*SIZES)))
    assert prepared.element_spec[0].shape.as_list() == [None, None, 1]


def test_graphs_scale_as_numpy_does() -> None:
    """For every side: a quotient that is rounded otherwise takes another pixel where a centre falls on one."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int32)], autograph=False)
    def centres(sizes: tf.Tensor) -> tf.Tensor:
        return tensorflow_twin._centres(sizes[:, None], 100)[0]

    sizes = np.arange(1, 5000)
    scales = sizes.astype(np.float32) / np.float32(100)
    expected = np.arange(0.5, 100, dtype=np.float32) * scales[:, None] - np.float32(0.5)
    np.testing.assert_array_equal(centres(sizes), expected)
