from __future__ import annotations

import collections

import numpy as np
import pytest

from spin_tf.data.feeding.sampler import Sampler, WidthSampler


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


def make_by_width(**changes: object) -> WidthSampler:
    is_wide = [np.arange(40) % 4 == 0, np.zeros(20, bool), np.arange(30) % 2 == 0]
    arguments: dict[str, object] = {
        "is_wide": is_wide,
        "weights": [0.6, 0.2, 0.2],
        "final_weights": [0.6, 0.2, 0.2],
        "batch_size": 8,
        "steps": 400,
        "seed": 3,
    }
    return WidthSampler(**{**arguments, **changes})  # type: ignore[arg-type]


def test_words_of_a_batch_are_of_one_width_and_the_mixture_stays() -> None:
    sampler = make_by_width()
    is_wide = [np.arange(40) % 4 == 0, np.zeros(20, bool), np.arange(30) % 2 == 0]
    drawn = np.zeros((2, 3))
    for step in range(400):
        sources, indices = sampler.batch(step)
        kinds = {bool(is_wide[source][index]) for source, index in zip(sources, indices, strict=True)}
        assert kinds == {sampler.is_wide(step)}
        drawn[int(sampler.is_wide(step))] += np.bincount(sources, minlength=3)
    # 0.6 / 4 + 0.2 / 2 of the words are wide.
    assert sampler.wide_share == pytest.approx(0.25)
    assert drawn[1].sum() == 0.25 * drawn.sum()
    np.testing.assert_allclose(drawn.sum(axis=0) / drawn.sum(), [0.6, 0.2, 0.2], atol=0.03)
    assert drawn[1, 1] == 0


def test_a_batch_of_either_width_is_a_function_of_seed_and_step() -> None:
    in_turn = make_by_width()
    batches = [in_turn.batch(step) for step in range(60)]
    other = make_by_width()
    for step in (59, 0, 31, 30, 32, 5):
        for ours, theirs in zip(other.batch(step), batches[step], strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", [False, True])
def test_words_may_all_be_of_one_width(kind: bool) -> None:
    sampler = make_by_width(is_wide=[np.full(5, kind)], weights=[1.0], final_weights=[1.0], steps=7)
    assert [sampler.is_wide(step) for step in range(7)] == [kind] * 7
    assert all(len(sampler.batch(step)[1]) == 8 for step in range(7))
