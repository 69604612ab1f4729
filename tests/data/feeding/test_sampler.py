from __future__ import annotations

import collections

import numpy as np
import pytest

from spin_tf.data.feeding.sampler import Sampler


def make(**changes: object) -> Sampler:
    arguments: dict[str, object] = {
        "sizes": [13, 7, 5],
        "weights": [0.6, 0.3, 0.1],
        "final_weights": [0.2, 0.3, 0.5],
        "batch_size": 8,
        "steps": 200,
        "seed": 3,
    }
    return Sampler(**{**arguments, **changes})  # type: ignore[arg-type]


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    in_turn = make()
    batches = [in_turn.batch(step) for step in range(60)]
    other = make()
    # Steps in any order, backwards too, from another sampler.
    for step in (59, 0, 31, 30, 32, 5):
        for ours, theirs in zip(other.batch(step), batches[step], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    differing = make(seed=4).batch(0)
    assert any((a != b).any() for a, b in zip(differing, batches[0], strict=True))


def test_every_word_comes_once_before_any_comes_again() -> None:
    sampler = make()
    drawn: dict[int, list[int]] = collections.defaultdict(list)
    for step in range(200):
        for source, index in zip(*sampler.batch(step), strict=True):
            drawn[int(source)].append(int(index))
    for source, size in enumerate([13, 7, 5]):
        epochs = [drawn[source][i : i + size] for i in range(0, len(drawn[source]) - size + 1, size)]
        assert len(epochs) > 5
        for epoch in epochs:
            assert sorted(epoch) == list(range(size))
        # Another order each time.
        assert len({tuple(epoch) for epoch in epochs}) > 1


def test_shares_move_from_the_first_weights_to_the_last() -> None:
    sampler = make(batch_size=2000, steps=11)
    for step, expected in ((0, [0.6, 0.3, 0.1]), (5, [0.4, 0.3, 0.3]), (10, [0.2, 0.3, 0.5])):
        np.testing.assert_allclose(sampler.shares(step), expected, atol=1e-12)
        counts = np.bincount(sampler.batch(step)[0], minlength=3) / 2000
        np.testing.assert_allclose(counts, expected, atol=0.05)


def test_a_source_of_weight_zero_is_never_drawn() -> None:
    sampler = make(weights=[1.0, 0.0, 1.0], final_weights=[1.0, 0.0, 1.0])
    assert not any((sampler.batch(step)[0] == 1).any() for step in range(50))


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one word"):
        make(sizes=[3, 0, 1])
