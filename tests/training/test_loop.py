"""The loop as a whole, on tiny runs: what it writes, what stops it, and what it says then."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
from typing import Any

import numpy as np
import pytest

from spin_tf.data.records.tfrecord import RecordIndex
from spin_tf.models import load_model
from spin_tf.training import checkpoints
from spin_tf.training.dry_run import dry_run
from spin_tf.training.loop import Trainer
from spin_tf.training.run_state import LossGuard, TrainingError
from spin_tf.training.strategies import Place, make_strategy
from tests import forked
from tests.training import tiny


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    tiny.write_config(tmp_path)
    return tmp_path


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spin_tf.training.loop.TrainingStep", tiny.StillStep)


def test_a_run_from_first_to_last_with_a_frozen_stage(folder: pathlib.Path) -> None:
    """One run shows all that it leaves behind, since starting one is what takes the time."""
    trainer = Trainer(
        tiny.config(folder, "training.freeze=[backbone]", "training.validate_every=3", "training.label_smoothing=0.1"),
        str(folder / "run"),
    )
    before = {v.path: np.array(v) for v in trainer.model.variables}
    score = trainer.train()
    assert (score.words, trainer.step) == (12, 6)
    changed = {path.split("/")[1] for path, value in before.items() if (value != find(trainer, path)).any()}
    assert changed == {"transformation", "encoder", "decoder"}

    assert {"best.keras", "best.json", "config.yaml", "log.csv", "tensorboard"} <= set(os.listdir(folder / "run"))
    assert sorted(p.name for p in (folder / "run").glob("*.npz")) == [
        "checkpoint-00000004.npz",
        "checkpoint-00000006.npz",
    ]
    rows = [line.split(",") for line in (folder / "run" / "log.csv").read_text().splitlines()]
    names = {name for _, name, _ in rows[1:]}
    assert {"loss", "learning_rate", "gradient_norm", "words_per_second", "waiting_share"} <= names
    assert {"check_accuracy", "all_accuracy", "one_minus_ned"} <= names
    # Only the last weights are also validated as they are.
    assert [step for step, name, _ in rows if name == "unaveraged_all_accuracy"] == ["6"]
    events = (folder / "run" / "tensorboard").glob("events*")
    content = b"".join(path.read_bytes() for path in events)
    assert b"rectification" in content and b"attention" in content and b"PNG" in content

    # What is shipped are the averages, in float32.
    best = load_model(str(folder / "run"))
    record = json.loads((folder / "run" / "best.json").read_text())
    if record["step"] == 6 and record["averaged"]:
        averages = dict(zip([v.path for v in trainer.model.trainable_variables], trainer.averages, strict=True))
        for variable in best.trainable_variables:
            path = "spin_recognizer/" + variable.path.split("/", 1)[1]
            if path in averages:
                np.testing.assert_array_equal(np.asarray(variable), np.asarray(averages[path]))

    # Started again, a finished run has nothing to do.
    again = Trainer(trainer.config, str(folder / "run"))
    assert again.step == 6 and again.best.accuracy == trainer.best.accuracy
    again.train()
    assert again.step == 6


def test_what_interrupts_a_run_loses_nothing_of_it(still: None, folder: pathlib.Path) -> None:
    """A signal while it validates, at any step; then a start that cannot be."""
    run = folder / "run"
    options = ["training.steps=2", "training.validate_every=1", "training.checkpoint_every=100", tiny.PLAIN]
    for step in (1, 2):
        trainer = Trainer(tiny.config(folder, *options), str(run))
        assert trainer.step == step - 1
        score = trainer.validator.score

        def stopped(read: Any, trainer: Trainer = trainer, score: Any = score) -> Any:
            trainer._on_signal(signal.SIGTERM, None)
            return score(read)

        trainer.validator.score = stopped  # type: ignore[method-assign, assignment]
        trainer.train()
        # The last step counts as well: its validation is still to come.
        assert (trainer.step, trainer.stopped_by) == (step, signal.SIGTERM)
        assert (run / f"checkpoint-0000000{step}.npz").exists() and not (run / "best.keras").exists()

    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file() and path.name != "lock"}
    with pytest.raises(
        ValueError, match=r"training\.freeze was \[\], is \['backbone'\]: the run .*training\.init_from="
    ):
        Trainer(tiny.config(folder, *options, "training.freeze=[backbone]", "training.steps=3"), str(run))
    with pytest.raises(ValueError, match=r"training\.optimizer\.ema was 0\.9, is 0\.0"):
        Trainer(tiny.config(folder, *options, "training.optimizer.ema=0", "training.steps=3"), str(run))
    with pytest.raises(FileNotFoundError, match=r"data\.train\.words"):
        Trainer(tiny.config(folder, *options, "data.train.words.files=[absent]"), str(run))
    with pytest.raises(FileNotFoundError, match=r"data\.train\.words"):
        Trainer(tiny.config(folder, *options, "data.train.words.files=[absent]"), str(folder / "new"))
    assert before == {path.name: path.read_bytes() for path in run.iterdir() if path.is_file() and path.name != "lock"}
    assert not (folder / "new").exists()

    trainer = Trainer(tiny.config(folder, *options), str(run))
    assert trainer.train().words == 12
    assert trainer.stopped_by is None and (run / "best.keras").exists() and trainer.state.validated == 2


def find(trainer: Trainer, path: str) -> np.ndarray:
    return np.asarray(next(v for v in trainer.model.variables if v.path == path))


def test_a_loss_that_is_not_finite_stops_with_its_words(still: None, folder: pathlib.Path) -> None:
    config = tiny.config(folder, "training.checkpoint_every=1", "training.steps=4", tiny.PLAIN)
    trainer = Trainer(config, str(folder / "run"))
    check = trainer.guard.problem

    def third_is_nan(loss: float, norm: float) -> str | None:
        return check(float("nan") if trainer.step == 3 else loss, norm)

    trainer.guard.problem = third_is_nan  # type: ignore[method-assign, assignment]
    with pytest.raises(TrainingError) as caught:
        trainer.train()
    message = str(caught.value)
    assert message.startswith("step 3: the loss is nan")
    assert "checkpoint-00000002.npz" in message
    for source_id in trainer.words.source_ids(2):
        assert source_id in message

    # The same trainer's disk is full from now on: nothing is lost, and it is told in a line.
    trainer.guard = LossGuard(0.0)

    def full(path: str, **_: Any) -> None:
        pathlib.Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    saved = sorted(os.listdir(folder / "run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints.np, "savez", full)
        with pytest.raises(TrainingError, match=r"cannot be saved.*No space left.*checkpoint-00000002"):
            trainer._save()
    assert sorted(os.listdir(folder / "run")) == saved


def test_a_broken_image_stops_the_run_or_is_left_out(still: None, folder: pathlib.Path) -> None:
    (shard,) = folder.glob("words-00001-*")
    data = bytearray(shard.read_bytes())
    _, offset, _ = RecordIndex(str(shard)).locate(3)
    position = data.index(b"IHDR", offset)
    data[position : position + 4] = b"XXXX"
    shard.write_bytes(data)
    options = ["training.steps=12", "training.validate_every=100", "data.validation={}", tiny.PLAIN]
    with pytest.raises(TrainingError, match=r"data\.train\.words.*words-00001.*offset"):
        Trainer(tiny.config(folder, *options), str(folder / "stops")).train()
    trainer = Trainer(tiny.config(folder, *options, "data.on_corrupt=skip"), str(folder / "goes_on"))
    trainer.train()
    assert trainer.step == 12


def test_guard() -> None:
    guard = LossGuard(10.0)
    assert [guard.problem(loss, 1.0) for loss in (4.0, 3.0, 20.0)] == [None] * 3
    assert "exploded" in str(guard.problem(100.0, 1.0))
    assert "nan" in str(guard.problem(float("nan"), 1.0))
    assert "inf" in str(guard.problem(1.0, float("inf")))
    assert LossGuard(0.0, mean=1.0).problem(1e9, 1.0) is None


def test_dry_run_says_what_would_happen_and_writes_nothing(folder: pathlib.Path) -> None:
    config = tiny.config(folder, "model.charset=chars:abcdefgh01z", "training.freeze=[encoder]")
    before = sorted(os.listdir(folder))
    text = "\n".join(dry_run(config, str(folder / "run"), make_strategy("one")))
    assert sorted(os.listdir(folder)) == before
    for part in (
        "data.train.words:",
        "rejected:",
        "70% of a batch at first",
        "validation words: check 12",
        "never in a label: z",
        "outside it: '",
        "-> logits (9, 13)",
        "MiB for the activations of 8 words",
        "a new run",
        "would train 6 steps of 8 words in float32 on 1 device of 1 process; frozen: encoder",
    ):
        assert part in text, f"{part}\n{text}"


def test_strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Place.of(make_strategy("one")) == Place(0, 1, 1)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="TF_CONFIG"):
        make_strategy("multi_worker")
    monkeypatch.setenv("TF_CONFIG", "nonsense")
    with pytest.raises(ValueError, match=r"TF_CONFIG.*nonsense"):
        make_strategy("auto")
    with pytest.raises(ValueError, match=r"--strategy.*parallel"):
        make_strategy("parallel")


@pytest.mark.integration
def test_a_processor_split_in_two_trains_and_goes_on(folder: pathlib.Path) -> None:
    """bin/train.py --cpu_devices=2 with Muon and the CTC head, by the clock; the second call goes on from the first."""

    def train(*flags: str) -> subprocess.CompletedProcess[str]:
        # Muon's steps are many operations a kernel: this backbone has few.
        smaller = [tiny.PLAIN, "model.backbone={name: lcnet, width: 16, num_blocks: [1, 1, 1]}"]
        smaller += ["training.ctc_weight=0.3", "training.optimizer.name=muon"]
        flags = (*flags, *(f"--set={override}" for override in [*smaller, "training.minutes=60"]))
        return forked.run(
            ["bin/train.py", f"--config={tiny.write_config(folder)}", f"--model_dir={folder}/split", *flags]
        )

    split = ("--strategy=mirrored", "--cpu_devices=2")
    first = train(*split, "--set", "training.steps=2", "--set", "training.optimizer.schedule=constant")
    assert first.returncode == 0, first.stderr
    assert "step 2 of 2: " in first.stdout
    assert "on 2 devices" in train(*split, "--dry_run").stdout
    second = train(*split, "--set", "training.optimizer.schedule=constant")
    assert second.returncode == 0, second.stderr
    assert "going on at step 2" in second.stderr and "step 6 of 6: " in second.stdout
    assert "6,learning_rate,0.001\n" in (folder / "split" / "log.csv").read_text()
    wrong = train("--cpu_devices=2")
    assert wrong.returncode != 0
    assert "--cpu_devices is for --strategy=mirrored" in wrong.stderr
    assert "Traceback" not in wrong.stderr
