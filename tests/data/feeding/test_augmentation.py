from __future__ import annotations

import io
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from spin_tf.contract.pixels import to_grey
from spin_tf.contract.preprocessing import Preprocessing, prepare, preprocess
from spin_tf.data.feeding.augmentation import (
    NUM_LIGHT_DRAWS,
    NUM_SHAPE_DRAWS,
    augment,
    relight,
    warp,
    warp_tensor,
)
from spin_tf.data.images import decode_image

SIZE = (32, 100)
SHAPES = ((40, 150), (20, 60), (64, 64), (9, 31), (120, 30))


def crop(height: int = 40, width: int = 150) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return (127 + 60 * np.sin(columns / 7) + 50 * np.cos(rows / 5)).astype(np.uint8)


def shape_draws(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(NUM_SHAPE_DRAWS, np.float32)


def warped(image: np.ndarray, strength: float, seed: int) -> np.ndarray:
    return warp(to_grey(image), SIZE, strength, shape_draws(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_strength_zero_is_the_preprocessing(shape: tuple[int, int]) -> None:
    image = crop(*shape)
    in_graph = np.asarray(warp_tensor(tf.constant(to_grey(image)), SIZE, tf.constant(0.0), tf.ones(NUM_SHAPE_DRAWS)))
    for result in (warped(image, 0.0, 1), in_graph):
        # In units of the model's input.
        assert np.abs((result - 127.5) / 127.5 - preprocess(image, SIZE)).max() < 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_the_twins_warp_alike(shape: tuple[int, int]) -> None:
    image = to_grey(crop(*shape))
    for seed, strength in enumerate((1.0, 1.0, 1.0, 2.0)):
        draws = shape_draws(seed)
        in_graph = warp_tensor(tf.constant(image), SIZE, tf.constant(strength), tf.constant(draws))
        # Grey values; Pillow computes places in float64.
        np.testing.assert_allclose(np.asarray(in_graph), warp(image, SIZE, strength, draws), atol=0.1)


def test_a_warp_stays_in_range_and_moves_more_when_stronger() -> None:
    image = crop()
    plain = warped(image, 0.0, 0)
    for seed in range(5):
        strong = warped(image, 1.0, seed)
        assert image.min() - 1e-3 <= strong.min() and strong.max() <= image.max() + 1e-3
    weak, strong = (np.mean([np.abs(warped(image, s, i) - plain).mean() for i in range(8)]) for s in (0.1, 1.0))
    assert 0 < weak < strong


def test_edges_move_no_further_beyond_strength_one() -> None:
    # Rows that tell where they are in a crop: how much is cut off is what the first and last columns show.
    image = np.tile(np.linspace(0, 255, 400, dtype=np.float32), (60, 1))[..., None]
    only_edges = np.concatenate([[2, -2, 2, -2], np.zeros(NUM_SHAPE_DRAWS - 4)]).astype(np.float32)
    once, twice = (warp(image, SIZE, strength, only_edges) for strength in (1.0, 2.0))
    np.testing.assert_allclose(once, twice, atol=1e-3)
    # Two standard deviations of 3 %, less the one that a crop is widened by.
    assert once[16, 0, 0] == pytest.approx(255 * 0.05, abs=2)
    turned = np.concatenate([np.zeros(12), [1], np.zeros(NUM_SHAPE_DRAWS - 13)]).astype(np.float32)
    assert np.abs(warp(image, SIZE, 2.0, turned) - warp(image, SIZE, 1.0, turned)).max() > 1


def light(xp: ModuleType, images: np.ndarray, strengths: list[float], first_seed: int) -> np.ndarray:
    rngs = [np.random.default_rng(first_seed + i) for i in range(len(images))]
    uniform = np.stack([rng.random(NUM_LIGHT_DRAWS, np.float32) for rng in rngs])
    noise = np.stack([rng.standard_normal((*SIZE, 1), np.float32) for rng in rngs])
    arguments = (images, np.asarray(strengths, np.float32), uniform, noise)
    if xp is not np:
        arguments = tuple(tf.constant(a) for a in arguments)
    return np.asarray(relight(xp, *arguments))


def test_relight() -> None:
    images = np.stack([preprocess(crop(40, 100 + 4 * i), SIZE) for i in range(12)])
    strengths = [0.0] + [1.0] * 7 + [2.0] * 4
    lit = light(np, images, strengths, 0)
    assert lit.dtype == np.float32 and lit.shape == images.shape
    assert np.abs(lit[0] - images[0]).max() < 1e-4
    assert lit.min() >= -1 and lit.max() <= 1
    for i in range(1, 12):
        assert np.abs(lit[i] - images[i]).mean() > 0.01
    np.testing.assert_allclose(light(keras.ops, images, strengths, 0), lit, atol=1e-5)
    # A word alone is lit as in its batch.
    np.testing.assert_allclose(light(np, images[2:3], [1.0], 2)[0], lit[2], atol=1e-5)


def test_blur_grows_with_the_strength_and_keeps_the_light() -> None:
    stripes = np.zeros((3, *SIZE, 1), np.float32)
    stripes[:, ::4] = stripes[:, :, ::4] = 1.0
    # Nothing but blur: neither polarity, gamma, contrast, brightness, low resolution nor noise.
    uniform = np.full((3, NUM_LIGHT_DRAWS), 0.99, np.float32)
    uniform[:, [1, 3]], uniform[:, 2] = 0.5, 0.75
    uniform[:, [4, 6]], uniform[:, [5, 7]] = 0.0, 0.8
    strengths = np.asarray([0.0, 1.0, 2.0], np.float32)
    blurred = relight(np, stripes, strengths, uniform, np.zeros_like(stripes))
    spread = [float(image.std()) for image in blurred]
    assert spread[0] == pytest.approx(float(stripes[0].std()), abs=1e-3)
    assert spread[0] > 1.5 * spread[1] > 1.5 * spread[2]
    for image in blurred[1:]:
        assert image.mean() == pytest.approx(stripes[0].mean(), abs=0.02)
    # A plain wall stays what it is, up to its border.
    wall = relight(np, np.full_like(stripes, 0.25), strengths, uniform, np.zeros_like(stripes))
    np.testing.assert_allclose(wall, 0.25, atol=1e-4)


def test_a_word_is_a_function_of_seed_and_number() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.stack([crop(), 255 - crop(), crop()], axis=-1)).save(stream, "PNG")
    encoded = stream.getvalue()
    word = augment(encoded, SIZE, 1.0, 3, 2**40)
    assert word.dtype == np.float32 and word.shape == (*SIZE, 1) and np.abs(word).max() <= 1
    np.testing.assert_array_equal(word, augment(encoded, SIZE, 1.0, 3, 2**40))
    for seed, number in ((3, 2**40 + 1), (4, 2**40)):
        assert np.abs(word - augment(encoded, SIZE, 1.0, seed, number)).mean() > 0.01
    np.testing.assert_array_equal(
        augment(encoded, SIZE, 0.0, 3, 5), prepare(decode_image(encoded), Preprocessing(SIZE))
    )
