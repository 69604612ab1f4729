"""Runs that last a number of minutes."""

from __future__ import annotations

import itertools
import pathlib
import types

import numpy as np
import pytest

from spin_tf.config import OptimizerConfig
from spin_tf.training import run_state as clock_module
from spin_tf.training.loop import Trainer
from spin_tf.training.optimizer import Schedule
from spin_tf.training.run_state import Clock
from spin_tf.training.strategies import Place
from tests.training import tiny


def test_the_rate_follows_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(clock_module.time, "monotonic", lambda: now)
    schedule = Schedule(OptimizerConfig(learning_rate=1.0, warmup_steps=10, final_factor=0.0), 1010)
    clock = Clock(minutes=10, seconds=60.0)
    # The warm-up counts steps.
    assert clock.rate(schedule, 4) == pytest.approx(0.5, abs=1e-6)
    now += 240
    assert clock.seconds == 300 and not clock.is_over
    halfway = float(schedule(505))
    assert clock.rate(schedule, 10) == clock.rate(schedule, 900) == pytest.approx(halfway)
    now += 400
    assert clock.is_over
    assert clock.rate(schedule, 900) == pytest.approx(0.0, abs=1e-6)
    assert not Clock(None, seconds=1e9).is_over
    assert Clock(None).rate(schedule, 505) == pytest.approx(halfway)


@pytest.mark.integration
def test_a_run_ends_on_time_and_is_over_when_started_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fifth of a second passes whenever a run looks at its clock, however slow the machine is.
    ticks = itertools.count(100.0, 0.2)
    monkeypatch.setattr(clock_module, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr("spin_tf.training.loop.TrainingStep", tiny.StillStep)
    tiny.write_config(tmp_path)
    settings = ["training.steps=100000", "training.minutes=0.15", "training.log_every=1", tiny.PLAIN]
    trainer = Trainer(tiny.config(tmp_path, *settings), str(tmp_path / "run"))
    score = trainer.train()
    assert score.words == 12 and 10 < trainer.step < 100 and trainer.stopped_by is None
    rows = [line.split(",") for line in (tmp_path / "run" / "log.csv").read_text().splitlines()]
    rates = [float(value) for _, name, value in rows if name == "learning_rate"]
    # Through the whole schedule, up and down, though a hundred thousand steps were allowed.
    assert max(rates) == pytest.approx(1e-3, rel=0.1)
    assert rates[-1] < 0.2 * max(rates)
    again = Trainer(tiny.config(tmp_path, *settings), str(tmp_path / "run"))
    weights = [np.array(variable) for variable in again.model.variables]
    assert again.train().words == 0 and again.step == trainer.step
    for variable, before in zip(again.model.variables, weights, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), before)


def test_minutes_are_for_one_machine(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "of", classmethod(lambda cls, strategy: cls(0, 2, 2)))
    with pytest.raises(ValueError, match=r"one machine.*Received: training.minutes=1.0 on 2 machines"):
        Trainer(tiny.config(tmp_path, "training.minutes=1"), str(tmp_path / "run"))


def test_minutes_must_be_positive(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"training.minutes must be positive. Received: 0"):
        tiny.config(tmp_path, "training.minutes=0")
