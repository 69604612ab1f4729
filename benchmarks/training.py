#!/usr/bin/env python3
"""Training speed beside a PyTorch model of the same layers, input pipelines included.

    benchmarks/training.py [--torch_python=PYTHON] [--width=512] [--batch_size=16] [--steps=2] [--rounds=5]

Both train on the same 256 generated words, float32, the same number of threads, in turns: whatever else the machine
does disturbs both, so that the ratio means more than either time. Other work on the same cores still takes more from
one than from the other, so the ratio of processor seconds is printed as well; this project's hold its pipeline, the
peer's do not. That one means something with --threads=1 only: threads that spin while they wait burn processor time.
--torch_python is an interpreter with torch, numpy and pillow; without it only this project is timed.
The pipeline is also timed alone.
"""

from __future__ import annotations

import io
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
from absl import app, flags
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from spin_tf._cores import num_cores  # noqa: E402

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

_TORCH = flags.DEFINE_string("torch_python", None, "Interpreter that has torch.")
_WIDTH = flags.DEFINE_integer("width", 512, "Width of the backbone.", 16)
_BATCH = flags.DEFINE_integer("batch_size", 16, "Words a step.", 1)
_STEPS = flags.DEFINE_integer("steps", 2, "Steps a round.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds; the median counts.", 1)
_THREADS = flags.DEFINE_integer("threads", num_cores(), "Threads of either.", 1)


def write_words(folder: pathlib.Path, count: int = 256) -> list[tuple[bytes, str]]:
    from spin_tf.data.records.tfrecord import ShardWriter, WordExample
    from spin_tf.synthesis import WordSynthesizer

    synthesizer = WordSynthesizer(size=(48, 160))
    words = []
    with ShardWriter(str(folder / "words"), 8) as writer:
        for seed in range(count):
            image, label = synthesizer.word(seed)
            stream = io.BytesIO()
            Image.fromarray(image).save(stream, "PNG")
            words.append((stream.getvalue(), label))
            writer.write(WordExample(stream.getvalue(), label, str(seed), "png"))
    return words


def make_ours(folder: pathlib.Path) -> tuple[Any, Any, Any]:
    """A trainer, its batches without end, and one round of steps as a function."""
    import tensorflow as tf

    from spin_tf.config import (
        BackboneConfig,
        Config,
        DataConfig,
        ModelConfig,
        OptimizerConfig,
        SourceConfig,
        TrainingConfig,
        validate,
    )
    from spin_tf.training.loop import Trainer
    from spin_tf.training.step import TrainingStep
    from spin_tf.training.strategies import keep_freed_memory

    keep_freed_memory()
    tf.config.threading.set_intra_op_parallelism_threads(_THREADS.value)
    tf.config.threading.set_inter_op_parallelism_threads(_THREADS.value)
    config = validate(
        Config(
            ModelConfig(charset="94", backbone=BackboneConfig(_WIDTH.value)),
            DataConfig({"words": SourceConfig([f"{folder}/words-*"], augmentation=0.3)}),
            TrainingConfig(steps=1 << 24, batch_size=_BATCH.value, optimizer=OptimizerConfig(warmup_steps=0)),
        )
    )
    trainer = Trainer(config, str(folder / "run"))
    take_step = TrainingStep(trainer.strategy, trainer.model, trainer.optimizer, [], 0.0, 0.0)
    return trainer, trainer._batches(), take_step


def main(_: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        words = write_words(folder)
        trainer, batches, take_step = make_ours(folder)
        peer = _start_peer(folder, words, trainer) if _TORCH.value else None
        print(f"weights: spin_tf {trainer.model.count_params():,}" + (f", PyTorch {next_line(peer)}" if peer else ""))
        _our_round(batches, take_step, trainer)
        if peer:
            _peer_round(peer)
        ours, waits, theirs = [], [], []
        for _round in range(_ROUNDS.value):
            seconds, processor, waited = _our_round(batches, take_step, trainer)
            ours.append((seconds, processor))
            waits.append(waited)
            if peer:
                theirs.append(_peer_round(peer))
            # A long run that is broken off has measured something, too.
            print(
                *(f"{what[-1][0]:.2f} s (processor {what[-1][1]:.2f})" for what in (ours, theirs) if what), flush=True
            )
        if peer:
            peer.kill()
        alone = _pipeline_alone(trainer)
    images = _STEPS.value * _BATCH.value
    mine = images / statistics.median(seconds for seconds, _ in ours)
    print(f"\nwidth {_WIDTH.value}, batch {_BATCH.value}, {_THREADS.value} threads, {_ROUNDS.value} rounds\n")
    print("| | images a second |\n|---|---|")
    print(f"| spin_tf, pipeline and augmentation included | {mine:.2f} |")
    if theirs:
        print(f"| PyTorch, pipeline included | {images / statistics.median(seconds for seconds, _ in theirs):.2f} |")
        for i, what in enumerate(("ratio", "ratio of images a processor second")):
            ratios = [b[i] / a[i] for a, b in zip(ours, theirs, strict=True)]
            middle = statistics.median(ratios)
            print(f"| {what}, median of rounds ({min(ratios):.2f} to {max(ratios):.2f}) | {middle:.2f} |")
    print(f"| spin_tf's pipeline alone | {alone:.0f} |")
    print(f"\nthe pipeline alone gives {alone / mine:.0f} times what the model takes; ", end="")
    print(f"share of the time spent waiting for words: {sum(waits) / sum(seconds for seconds, _ in ours):.1%}")


def _our_round(batches: Any, take_step: Any, trainer: Any) -> tuple[float, float, float]:
    start, processor, waited = time.perf_counter(), time.process_time(), 0.0
    for _ in range(_STEPS.value):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        # All decoder steps, as the peer does.
        float(take_step(batch["image"], batch["tokens"], False)[0])
    return time.perf_counter() - start, time.process_time() - processor, waited


def _start_peer(folder: pathlib.Path, words: list[tuple[bytes, str]], trainer: Any) -> subprocess.Popen[str]:
    encoded = np.empty(len(words), object)
    encoded[:] = [np.frombuffer(data, np.uint8) for data, _ in words]
    tokens = np.stack([trainer.tokenizer.encode(label) for _, label in words])
    points = trainer.model.transformation.num_control_points
    # Columns of the spline's constant matrix: the grids of unit control points.
    units = np.zeros((points, points, 2), "float32")
    units[np.arange(points), np.arange(points), 0] = 1
    matrix = np.asarray(trainer.model.transformation.tps(units))[..., 0].reshape(points, -1).T
    path = folder / "peer.npz"
    np.savez(path, encoded=encoded, tokens=tokens, matrix=matrix, classes=trainer.tokenizer.vocabulary_size)
    arguments = [str(path), *map(str, (_WIDTH.value, _BATCH.value, _STEPS.value, _THREADS.value))]
    return subprocess.Popen(
        [_TORCH.value, str(ROOT / "benchmarks" / "torch_peer.py"), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def next_line(peer: subprocess.Popen[str]) -> str:
    assert peer.stdout is not None
    line = peer.stdout.readline().strip()
    if not line:
        raise RuntimeError("the PyTorch process has ended; its error is above")
    return f"{int(line):,}" if line.isdigit() else line


def _peer_round(peer: subprocess.Popen[str]) -> tuple[float, float]:
    assert peer.stdin is not None
    peer.stdin.write("go\n")
    peer.stdin.flush()
    seconds, processor = map(float, next_line(peer).split())
    return seconds, processor


def _pipeline_alone(trainer: Any, batches: int = 60) -> float:
    iterator = trainer._batches()
    # What is ahead already is not what it can keep up.
    for _ in range(10):
        next(iterator)
    start = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    return batches * _BATCH.value / (time.perf_counter() - start)


if __name__ == "__main__":
    app.run(main)
