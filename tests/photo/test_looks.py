"""Tiles of large photographs, and what several of them find made one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spin_tf.photo import looks
from spin_tf.photo.looks import Look, _Found, find, joined, shrink, without_doubles


def box(left: float, top: float, width: float, height: float, rank: int = 1, score: float = 0.5) -> _Found:
    right, bottom = left + width, top + height
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return _Found(corners, score, rank)


def test_small_pictures_are_looked_at_once() -> None:
    for height, width in ((1, 1), (960, 1280), (100, 10_000)):
        assert looks.looks(height, width) == [Look(0, 0, width, height, looks.MAX_PIXELS)]
    assert len(looks.looks(3000, 4000, tile=0)) == 1
    assert len(looks.looks(500, 500, tile=500)) == 1


@pytest.mark.parametrize(("length", "side"), [(1231, 1230), (4000, 1230), (4032, 1230), (9248, 1850), (500, 64)])
def test_tiles_overlap_and_cover_everything(length: int, side: int) -> None:
    parts = looks._parts(length, side)
    assert parts[0][0] == 0 and parts[-1][1] == length
    assert len({end - start for start, end in parts}) == 1
    assert parts[0][1] <= side
    for (_, end), (start, _) in itertools.pairwise(parts):
        assert end - start >= 0.14 * side


def test_shrinking_means_the_pixels_and_makes_three_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    smooth = np.add.outer(np.linspace(0, 120, 900), np.linspace(0, 120, 1200))
    picture = np.repeat((smooth + random.integers(0, 9, smooth.shape))[..., None], 3, axis=-1).astype(np.uint8)
    seen = shrink(picture, 100_000)
    assert seen.shape == (274, 364, 3)
    means = picture[:897].reshape(299, 3, 400, 3, 3).mean(axis=(1, 3))
    rows, columns = np.linspace(0, 298, 274).astype(int), np.linspace(0, 399, 364).astype(int)
    assert np.abs(seen.astype(float) - means[rows][:, columns]).max() < 6
    # In strips or at once, it is the same picture.
    monkeypatch.setattr(looks, "_STRIP_PIXELS", 12_000)
    np.testing.assert_array_equal(shrink(picture, 100_000), seen)
    grey = shrink(picture[..., 0], 100_000)
    assert grey.shape == seen.shape
    np.testing.assert_array_equal(grey, seen)
    assert shrink(picture[:30, :40], 100_000).shape == (30, 40, 3)
    assert shrink(np.zeros((1, 60_000), np.uint8), 1000).shape == (1, 1000, 3)
    assert shrink(np.zeros((60_000, 2), np.uint8), 1000).shape == (1000, 1, 3)


def test_pieces_of_a_word_are_joined() -> None:
    """A long word that no tile holds: its parts overlap."""
    pieces = [box(100, 50, 200, 30, 3, 0.6), box(280, 51, 200, 29, 3, 0.9), box(460, 50, 150, 30, 3)]
    (word,) = joined(pieces[::-1])
    np.testing.assert_allclose(word.corners, [(100, 50), (610, 50), (610, 80), (100, 80)], atol=2)
    assert word.score == 0.9


@pytest.mark.parametrize(
    "other",
    [
        box(400, 50, 100, 30, 3),  # apart
        box(280, 75, 200, 30, 3),  # the line below
        box(280, 20, 100, 100, 3),  # much larger letters
    ],
)
def test_other_words_are_not_joined(other: _Found) -> None:
    assert len(joined([box(100, 50, 200, 30, 3), other])) == 2


def test_of_doubles_the_better_look_counts() -> None:
    whole, tile, low, piece = box(0, 0, 100, 20, 0), box(4, 0, 100, 20, 1), box(2, 1, 90, 18, 2), box(60, 0, 40, 20, 3)
    assert without_doubles([piece, low, tile, whole]) == [whole]
    assert without_doubles([piece, low, tile]) == [tile]
    beside = box(110, 0, 50, 20, 3)
    assert without_doubles([beside, tile]) == [tile, beside]
    # Two tiles, one saw more of it.
    assert without_doubles([box(0, 0, 60, 20), box(0, 0, 100, 20)])[0].corners[1, 0] == 100
    assert without_doubles([]) == []


def test_a_word_longer_than_a_tile_is_one_word() -> None:
    """Light bands on dark: one runs through all tiles, two are near seams."""
    picture = np.zeros((400, 1600, 3), np.uint8)
    picture[100:140, 50:1550] = 255
    picture[250:290, 350:450] = 255
    picture[250:290, 1000:1100] = 255

    def detector(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # As detectors of letters do not see what is too long for them.
        found = []
        for top in (100, 250):
            light = np.flatnonzero(np.diff(np.pad(part[top + 20, :, 0] > 127, 1).astype(int)))
            for start, end in zip(light[::2], light[1::2], strict=True):
                if end - start <= 500:
                    found.append([(start, top), (end, top), (end, top + 40), (start, top + 40)])
        return np.array(found, np.float32).reshape(-1, 4, 2), np.ones(len(found), np.float32)

    corners, scores = find(detector, picture, tile=400)
    spans = sorted((float(one[0, 0]), float(one[1, 0])) for one in corners)
    assert spans == [(50, 1550), (350, 450), (1000, 1100)]
    assert len(scores) == 3
