from __future__ import annotations

import numpy as np
import tensorflow as tf

from spin_tf.data.augmentation import draw_light, relight, warp_and_resize
from spin_tf.data.preprocessing import preprocess

SIZE = (32, 100)


def crop(height: int = 40, width: int = 150) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return (127 + 60 * np.sin(columns / 7) + 50 * np.cos(rows / 5)).astype(np.uint8)


def warp(image: np.ndarray, strength: float, seed: int) -> np.ndarray:
    result = warp_and_resize(tf.constant(image[..., None], tf.float32), SIZE, tf.constant(strength), [7, seed])
    return np.asarray(result)


def test_strength_zero_is_the_preprocessing() -> None:
    for shape in ((40, 150), (20, 60), (64, 64)):
        image = crop(*shape)
        # In units of the model's input.
        difference = (warp(image, 0.0, 1) - 127.5) / 127.5 - preprocess(image, SIZE)
        assert np.abs(difference).max() < 1e-4


def test_a_warp_is_a_function_of_its_seed_and_stays_in_range() -> None:
    image = crop()
    np.testing.assert_array_equal(warp(image, 1.0, 1), warp(image, 1.0, 1))
    assert np.abs(warp(image, 1.0, 1) - warp(image, 1.0, 2)).mean() > 1
    for seed in range(5):
        warped = warp(image, 1.0, seed)
        assert image.min() - 1e-3 <= warped.min() and warped.max() <= image.max() + 1e-3


def test_a_stronger_warp_moves_more() -> None:
    image = crop()
    plain = warp(image, 0.0, 0)
    weak, strong = (np.mean([np.abs(warp(image, s, i) - plain).mean() for i in range(8)]) for s in (0.1, 1.0))
    assert 0 < weak < strong


def light(images: np.ndarray, strengths: list[float], first_seed: int) -> np.ndarray:
    draws = [draw_light(SIZE, tf.constant([first_seed + i, 5])) for i in range(len(images))]
    uniform, noise = (tf.stack(parts) for parts in zip(*draws, strict=True))
    return np.asarray(relight(tf.constant(images), tf.constant(strengths), uniform, noise))


def test_relight() -> None:
    images = np.stack([preprocess(crop(40, 100 + 10 * i), SIZE) for i in range(4)])
    lit = light(images, [0.0, 1.0, 1.0, 1.0], 0)
    assert np.abs(lit[0] - images[0]).max() < 1e-4
    assert lit.min() >= -1 and lit.max() <= 1
    for i in (1, 2, 3):
        assert np.abs(lit[i] - images[i]).mean() > 0.01
    np.testing.assert_array_equal(lit, light(images, [0.0, 1.0, 1.0, 1.0], 0))
    # A word alone is lit as in its batch.
    np.testing.assert_allclose(light(images[2:3], [1.0], 2)[0], lit[2], atol=1e-5)
