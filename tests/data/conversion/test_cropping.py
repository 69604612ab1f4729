"""Words cut out of larger pictures."""

from __future__ import annotations

import numpy as np
import pytest

from spin_tf.data.conversion.cropping import crop, visible_share
from spin_tf.data.conversion.entry import EntryError


def test_words_are_cut_out_straight():
    """A picture that is a perspective view of vertical stripes gives vertical stripes again."""
    height, width = 120, 200
    corners = np.array([(30, 20), (170, 45), (150, 95), (40, 100)], float)
    picture = np.zeros((height, width), np.uint8)
    target = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    rows, values = [], []
    for (u, v), (x, y) in zip(target, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
        values += [u, v]
    h = np.append(np.linalg.solve(np.array(rows), np.array(values)), 1).reshape(3, 3)
    ys, xs = np.mgrid[:height, :width] + 0.5
    projected = np.stack([xs, ys, np.ones_like(xs)], -1) @ h.T
    u = projected[..., 0] / projected[..., 2]
    picture[(np.floor(u * 4) % 2) == 1] = 255
    straight = crop(picture, tuple(corners.ravel()))
    assert straight.shape == (81, 142)
    means = straight[5:-5].astype(float)
    for stripe, expected in enumerate((0, 255, 0, 255)):
        part = means[:, stripe * 142 // 4 + 6 : (stripe + 1) * 142 // 4 - 6]
        assert abs(part - expected).mean() < 3


def test_boxes_partly_outside_repeat_the_border_or_are_rejected():
    picture = np.arange(200, dtype=np.uint8).reshape(10, 20)
    assert visible_share((-5, 0, 15, 10), 20, 10) == 0.75
    np.testing.assert_array_equal(crop(picture, (-5, 0, 15, 10)), picture[:, :15])
    straight = crop(picture, (-5, 0, 15, 0, 15, 10, -5, 10))
    assert straight.shape == (10, 20)
    np.testing.assert_array_equal(straight[:, :5], np.repeat(picture[:, :1], 5, axis=1))
    np.testing.assert_allclose(straight[:, 5:].astype(int), picture[:, :15], atol=1)
    for box in [(-6, 0, 14, 10), (0, 0, 0, 5), (3, 3, float("nan"), 9), (1e9, 0, 2e9, 9), (0, 0, 5, 5, 0, 0, 5, 5)]:
        with pytest.raises(EntryError, match="lies inside the picture"):
            crop(picture, box)
