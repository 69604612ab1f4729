"""Two processes of one run: they must agree before it, and end alike, whatever happens to one of them."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from spin_tf.training.batches import told
from spin_tf.training.run_state import TrainingError
from spin_tf.training.strategies import make_strategy, settings_of
from tests import forked
from tests.training import tiny

SECONDS = 420


class Machines:
    """Two processes of bin/train.py, which end with the test."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.config = tiny.write_config(folder, 0.0)
        self.processes: list[forked.Process] = []

    def start(self, *settings: list[str]) -> None:
        with socket.socket() as first, socket.socket() as second:
            for listener in (first, second):
                listener.bind(("localhost", 0))
            workers = [f"localhost:{listener.getsockname()[1]}" for listener in (first, second)]
        for index, own in enumerate(settings):
            place = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            line = ["bin/train.py", f"--config={self.config}", f"--model_dir={self.folder}/run"]
            line += ["--strategy=multi_worker", "--set=data.validation={}"]
            line += [f"--set={setting}" for setting in (tiny.PLAIN, *own)]
            self.processes.append(forked.Process(line, TF_CONFIG=json.dumps(place)))

    def wait_for(self, row: str) -> None:
        """Waits until the log of the run has a row."""
        log = self.folder / "run" / "log.csv"
        until = time.monotonic() + SECONDS
        while not log.exists() or row not in log.read_text():
            assert time.monotonic() < until and all(process.poll() is None for process in self.processes)
            time.sleep(0.2)

    def codes(self) -> list[int]:
        return [process.wait(timeout=SECONDS) for process in self.processes]

    def said(self, index: int) -> str:
        """The last line of a process."""
        return self.errors(index).strip().splitlines()[-1]

    def errors(self, index: int) -> str:
        return self.processes[index].communicate(SECONDS)[1]


@pytest.fixture
def machines(tmp_path: pathlib.Path) -> Iterator[Machines]:
    machines = Machines(tmp_path)
    try:
        yield machines
    finally:
        for process in machines.processes:
            process.kill()
            process.wait()


def test_other_settings_are_refused_by_key_in_all_processes(machines: Machines) -> None:
    machines.start(["training.seed=1"], ["training.seed=2"])
    assert machines.codes() == [2, 2]
    for index in range(2):
        said = machines.said(index)
        assert "process 1 of this run has other settings" in said and "training.seed is 2 there and 1" in said
    assert not (machines.folder / "run").exists()


@pytest.mark.integration
def test_all_processes_say_that_one_was_stopped(machines: Machines) -> None:
    endless = ["training.steps=100000", "training.checkpoint_every=100000"]
    machines.start(endless, endless)
    machines.wait_for("2,loss")
    machines.processes[1].send_signal(signal.SIGTERM)
    assert machines.codes() == [143, 143]
    assert list((machines.folder / "run").glob("checkpoint-*.npz"))


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_machine_that_dies_is_named_in_a_line(machines: Machines, victim: int) -> None:
    endless = ["training.steps=100000", "training.checkpoint_every=1"]
    machines.start(endless, endless)
    machines.wait_for("2,loss")
    machines.processes[victim].kill()
    assert machines.codes()[1 - victim] == 1
    said = machines.said(1 - victim)
    assert said.startswith("error: step ") and f"worker {victim} at localhost:" in said
    assert "last good checkpoint: " in said and "the same command on all machines goes on" in said
    assert "Traceback" not in machines.errors(1 - victim)


def test_settings_say_what_must_be_alike(tmp_path: pathlib.Path) -> None:
    from spin_tf.charset import Charset, Tokenizer
    from spin_tf.data.feeding.pipeline import TrainingWords

    def settings(*overrides: str) -> dict[str, object]:
        config = tiny.config(tmp_path, *overrides)
        tokenizer = Tokenizer(Charset.from_spec(config.model.charset), config.model.max_length)
        t = config.training
        return settings_of(config, TrainingWords(config.data, tokenizer, t.batch_size, t.steps, t.seed))

    before = settings()
    # Where the files lie, and what only one machine looks at, may differ.
    (tmp_path / "copy").mkdir()
    for path in tmp_path.glob("words-*"):
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    moved = [f"data.train.words.files=[{tmp_path}/copy/words-*.tfrecord]", "data.validation={}"]
    assert settings(*moved, "training.init_from=elsewhere") == before
    # Other words, more words, another order of characters may not.
    tiny.write_words(tmp_path / "other", 40, seed=9)
    for override in (
        f"data.train.words.files=[{tmp_path}/other-*.tfrecord]",
        f"data.train.words.files=[{tmp_path}/other-*.tfrecord, {tmp_path}/words-*.tfrecord]",
        "model.charset=chars:3210abcdefgh",
        "training.optimizer.learning_rate=0.5",
    ):
        assert settings(override) != before, override


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        (
            "UnavailableError",
            "Collective ops is aborted by: Error reported from /job:worker/task:0: The following tasks are unhealthy "
            "(stopped sending heartbeats):\n/job:worker/replica:0/task:1\nThe tasks have crashed.",
            ["worker 1 at b:2 cannot be reached", "the same command on all machines"],
        ),
        ("AbortedError", "Connection reset by peer", ["another machine of the cluster cannot be reached"]),
        ("ResourceExhaustedError", "OOM when allocating tensor with shape[64,512]", ["no room", "batch_size"]),
        ("InvalidArgumentError", "Graph execution error:\n\n  File x\nIncompatible shapes", ["Incompatible shapes"]),
        ("MemoryError", "", ["no room", "batch_size"]),
    ],
)
def test_what_tensorflow_raises_is_one_line(tmp_path: pathlib.Path, name: str, text: str, parts: list[str]) -> None:
    import tensorflow as tf

    error = MemoryError() if name == "MemoryError" else getattr(tf.errors, name)(None, None, text)
    (tmp_path / "checkpoint-00000004.npz").write_bytes(b"")
    machines = {"worker 0": "a:1", "worker 1": "b:2"}
    with (
        pytest.raises(TrainingError) as caught,
        told(lambda: "step 5", str(tmp_path), machines, "worker 0"),
    ):
        raise error
    message = str(caught.value)
    assert message.startswith("step 5: ") and "checkpoint-00000004.npz" in message and "\n" not in message
    assert all(part in message for part in parts), message


@pytest.mark.parametrize("text", ['{"cluster": ["a:1"]}', '{"cluster": {"worker": "a:1"}}', "[]", "{", '{"task": [1]}'])
def test_a_tf_config_of_another_form(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG is not the JSON it should be"):
        make_strategy("multi_worker")


def test_texts_are_exchanged_through_numbers() -> None:
    """One process with itself; two do it in the tests above."""
    from spin_tf.training.strategies import Place, exchange

    text = "Größe \U0001f600"
    assert exchange(make_strategy("one"), Place(), text) == [text]
    assert np.frombuffer(text.encode(), np.uint8).max() > 127
