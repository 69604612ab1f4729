"""CTC against the sum over all alignments, on both backends, and in a run."""

from __future__ import annotations

import itertools
import pathlib

import numpy as np
import pytest

from spin_tf.models import load_model
from spin_tf.training.loop import Trainer
from spin_tf.training.losses import ctc_loss
from tests.training import tiny
from tests.training.test_jax import python

TIME, CHARACTERS = 4, 3
TARGETS = np.array([[2, 1, 0, 0, 0], [2, 3, 4, 1, 0], [3, 3, 1, 0, 0], [3, 3, 3, 1, 0], [1, 0, 0, 0, 0]], "int32")


def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(TARGETS), TIME, CHARACTERS + 1)).astype("float32")


def by_enumeration() -> float:
    """The loss of every word that fits: the probability of each path of frames that spells it, summed."""
    total = 0.0
    for values, row in zip(logits().astype(float), TARGETS, strict=True):
        probabilities = np.exp(values) / np.exp(values).sum(-1, keepdims=True)
        word = [token - 2 for token in row if token >= 2]
        likelihood = 0.0
        for path in itertools.product(range(CHARACTERS + 1), repeat=TIME):
            if [label for label, _ in itertools.groupby(path) if label < CHARACTERS] == word:
                likelihood += np.prod([probabilities[t, label] for t, label in enumerate(path)])
        if word and likelihood:
            total -= np.log(likelihood)
    return total


def test_against_every_alignment() -> None:
    """Three equal letters need five frames, and no letter at all is no word: neither counts, nor spoils the others."""
    assert float(ctc_loss(logits(), TARGETS)) == pytest.approx(by_enumeration(), rel=1e-5)


def test_the_same_under_jax(tmp_path: pathlib.Path) -> None:
    np.savez(tmp_path / "input.npz", logits=logits(), targets=TARGETS)
    code = (
        "import sys\nsys.modules['tensorflow'] = None\nsys.path.insert(0, '.')\n"
        "import jax, numpy as np\nfrom spin_tf.training.losses import ctc_loss\n"
        "data = np.load(sys.argv[1])\n"
        "print(float(ctc_loss(data['logits'], data['targets'])))\n"
        "print(bool(np.isfinite(jax.grad(lambda x: ctc_loss(x, data['targets']))(data['logits'])).all()))\n"
    )
    result = python(tmp_path, code, str(tmp_path / "input.npz"))
    assert result.returncode == 0, result.stderr[-3000:]
    value, finite = result.stdout.split()
    assert float(value) == pytest.approx(by_enumeration(), rel=1e-5)
    assert finite == "True"


@pytest.mark.integration
def test_a_run_learns_with_the_head_and_ships_without_it(tmp_path: pathlib.Path) -> None:
    settings = ["training.ctc_weight=0.3", "training.steps=4", "training.validate_every=4", tiny.PLAIN]
    config = tiny.config(tmp_path, *settings)
    tiny.write_config(tmp_path)
    trainer = Trainer(config, str(tmp_path / "run"))
    head = np.array(trainer.learner.head.kernel)
    trainer.train()
    assert (head != np.array(trainer.learner.head.kernel)).any()
    shipped = load_model(str(tmp_path / "run"))
    assert [v.shape for v in shipped.variables] == [v.shape for v in trainer.model.variables]
    # The head goes on where it was.
    again = Trainer(config, str(tmp_path / "run"))
    assert again.step == 4
    for ours, theirs in zip(again.learner.variables, trainer.learner.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
