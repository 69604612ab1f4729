"""Two replicas, and two processes, do what one device does with the whole batch.

In float64 and on images that are the same to the bit, so that what is compared is what is computed and not how it is
rounded. In float32 even the order of the words in a batch tells: a unit falls to the other side of its ReLU, and Adam
makes whole steps of gradients that are rounding. That a word's image does not depend on the split of the batch is for
tests/data/feeding/test_pipeline.py.
"""

from __future__ import annotations

import json
import pathlib
import socket

import numpy as np
import pytest

from tests import forked
from tests.training import tiny

AUGMENTATION = 0.0
OPTIONS = [f"--augmentation={AUGMENTATION}"]
OPTIONS += [f"--set=training.{key}=5" for key in ("steps", "checkpoint_every", "validate_every")]
# The tests among the slow ones have the transformation.
PLAIN = f"--set={tiny.PLAIN}"
TOLERANCE = 1e-5


def start(
    folder: pathlib.Path,
    name: str,
    strategy: str = "one",
    flags: tuple[str, ...] = ("--float64", PLAIN),
    **environment: str,
) -> forked.Process:
    command = ["-m", "tests.training.run_tiny", folder, name, f"--strategy={strategy}"]
    return forked.Process([*command, *OPTIONS, *flags], **environment)


def finish(*processes: forked.Process) -> None:
    try:
        for process in processes:
            _, errors = process.communicate(timeout=900)
            assert process.returncode == 0, errors[-3000:]
    finally:
        for process in processes:
            process.kill()


def weights(folder: pathlib.Path, name: str) -> dict[str, np.ndarray]:
    with np.load(folder / name / "checkpoint-00000005.npz") as data:
        return {key: data[key] for key in data.files if "spin_recognizer/" in key or "average" in key}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("distribution")
    tiny.write_config(folder, AUGMENTATION)
    finish(start(folder, "one"))
    return folder


def difference(folder: pathlib.Path, name: str, other: str) -> tuple[float, str]:
    """The largest between the weights of two runs, and of which weight it is."""
    ours, reference = weights(folder, name), weights(folder, other)
    assert ours.keys() == reference.keys() and len(ours) > 50
    return max((float(np.abs(ours[key] - reference[key]).max()), key) for key in reference)


def assert_close(folder: pathlib.Path, name: str) -> None:
    largest, weight = difference(folder, name, "one")
    assert largest < TOLERANCE, weight


def test_mirrored_over_two_devices(folder: pathlib.Path) -> None:
    finish(start(folder, "mirrored", "mirrored"))
    assert_close(folder, "mirrored")
    assert (folder / "mirrored" / "best.keras").exists()


@pytest.mark.integration
def test_two_processes(folder: pathlib.Path) -> None:
    with socket.socket() as first, socket.socket() as second:
        for listener in (first, second):
            listener.bind(("localhost", 0))
        workers = [f"localhost:{listener.getsockname()[1]}" for listener in (first, second)]
    processes = [
        start(
            folder,
            "workers",
            "multi_worker",
            TF_CONFIG=json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}}),
        )
        for i in range(2)
    ]
    finish(*processes)
    assert_close(folder, "workers")
    assert (folder / "workers" / "best.keras").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "backbone",
    ["{width: 16, num_blocks: [1, 1, 1, 1]}", "{name: lcnet, width: 16, num_blocks: [2, 1, 1]}"],
    ids=["resnet32", "lcnet"],
)
def test_mirrored_with_the_transformation(folder: pathlib.Path, backbone: str) -> None:
    name, flags = f"whole{len(backbone)}", ("--float64", f"--set=model.backbone={backbone}")
    finish(start(folder, name, flags=flags), start(folder, f"{name}_mirrored", "mirrored", flags=flags))
    largest, weight = difference(folder, f"{name}_mirrored", name)
    assert largest < TOLERANCE, weight


@pytest.mark.slow
def test_float32_is_no_measure(folder: pathlib.Path) -> None:
    """One device alone, the words of its batches in reverse order, is further from itself than replicas may be."""
    finish(start(folder, "forwards", flags=()), start(folder, "backwards", flags=("--reverse",)))
    largest, weight = difference(folder, "forwards", "backwards")
    print(f"{largest:.1e} at {weight}")
    assert TOLERANCE < largest < 0.1, weight
