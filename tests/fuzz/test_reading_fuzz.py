"""Damaged images and models: reading raises documented errors only, in bounded time and memory, and does not crash.

A few hundred in `make test`; ten thousand images and two thousand LiteRT files in `make test_slow`, whose numbers begin
where the quick ones end.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from spin_tf.contract.errors import ImageError
from spin_tf.reading.inputs import load_image
from spin_tf.reading.litert import SIGNATURE, LiteRTInterpreter
from spin_tf.recognizer import ReadError, Recognizer, Word
from tests import strip_model as strips
from tests.fuzz.images import image_seeds
from tests.fuzz.mutations import MAX_SECONDS, Trials, mutations

QUICK_IMAGES, SLOW_IMAGES = 300, 10_000
QUICK_MODELS, SLOW_MODELS = 60, 2_000
NUM_KERAS = 40
# The strips need 10 MB; damaged shapes may ask for more, but not for the machine.
MAX_MODEL_BYTES = 512 * 2**20

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")


def fuzz_images(count: int, first: int, max_bytes: int) -> Trials:
    # ImageError is a ValueError; decoding bytes opens no file, so nothing else is documented for it.
    trials = Trials((ImageError,), max_bytes=max_bytes)
    for mutation in mutations(image_seeds(), count, first):
        with trials.trial(mutation):
            image = load_image(mutation.data)
            assert image.dtype == np.uint8 and image.ndim in (2, 3) and image.size
    print(f"images: {trials.summary()}")
    assert sum(trials.endings.values()) == count
    # Damage that the decoder forgives and damage that it finds: both are tried.
    assert min(trials.endings["ok"], trials.endings["ImageError"]) > count // 10
    return trials


def test_damaged_images_end_in_documented_errors() -> None:
    # Undamaged seeds are read: otherwise the rest would prove nothing.
    assert {tuple(sorted(load_image(data).shape[:2])) for data in image_seeds().values()} == {(32, 100)}
    fuzz_images(QUICK_IMAGES, 0, 64 * 2**20)


@pytest.mark.slow
def test_ten_thousand_damaged_images() -> None:
    fuzz_images(SLOW_IMAGES, QUICK_IMAGES, 0)


def test_damaged_images_of_a_stream_leave_the_others_readable(strip_model: pathlib.Path) -> None:
    damaged = [mutation.data for mutation in mutations(image_seeds(), 60)]
    whole = strips.draw("ab1")
    results = list(
        Recognizer(strip_model, num_threads=1).read_many(image for data in damaged for image in (data, whole))
    )
    assert [result.text for result in results[1::2] if isinstance(result, Word)] == ["ab1"] * len(damaged)
    errors = [result for result in results[::2] if isinstance(result, ReadError)]
    assert len(errors) > 10
    for error in errors:
        assert error.reason and "\n" not in error.reason and error.kind not in ("", "no_image", "cannot_open")


def fuzz_models(model: pathlib.Path, count: int, first: int) -> collections.Counter[str]:
    """Reads damaged copies, each in a process of its own; returns how many ended how."""
    root = pathlib.Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.fuzz.reading_child", str(model), str(first), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    endings: collections.Counter[str] = collections.Counter()
    slowest, largest = 0.0, 0
    for line in result.stdout.splitlines():
        number, ending, message, seconds, num_bytes = json.loads(line)
        where = f"mutation {number}"
        assert ending in ("ok", "ValueError", "OSError"), f"{where}: {ending} {message}"
        if ending != "ok":
            assert "Received: " in message and "\n" not in message and len(message) < 1000, f"{where}: {message}"
        assert seconds < MAX_SECONDS, f"{where}: took {seconds:.1f} s"
        assert num_bytes < MAX_MODEL_BYTES, f"{where}: took {num_bytes / 2**20:.0f} MiB"
        endings[ending] += 1
        slowest, largest = max(slowest, seconds), max(largest, num_bytes)
    print(f"models: {dict(endings)}; slowest {slowest:.2f} s, largest {largest / 2**20:.0f} MiB")
    assert sum(endings.values()) == count
    return endings


@needs_fork
def test_damaged_models_end_in_documented_errors(strip_model: pathlib.Path) -> None:
    assert Recognizer(strip_model).read(strips.draw("ab1")).text == "ab1"
    fuzz_models(strip_model, QUICK_MODELS, 0)


@needs_fork
@pytest.mark.slow
def test_two_thousand_damaged_models(strip_model: pathlib.Path) -> None:
    endings = fuzz_models(strip_model, SLOW_MODELS, QUICK_MODELS)
    # Some damage is to what nothing reads: those files go all the way.
    assert endings["ok"] and endings["ValueError"] > SLOW_MODELS // 2


@needs_fork
def test_crashes_and_other_errors_of_a_trial_are_seen() -> None:
    """The trial itself: what it must tell apart."""
    from tests.fuzz.reading_child import in_child

    def raise_error(error: Exception) -> None:
        raise error

    assert in_child(0, lambda: None).ending == "ok"
    assert in_child(0, lambda: raise_error(ValueError("said"))).message == "said"
    assert "KeyError: 7" in in_child(0, lambda: raise_error(KeyError(7))).message
    assert in_child(0, lambda: os.kill(os.getpid(), signal.SIGSEGV)).ending == "SIGSEGV"
    assert in_child(0, lambda: np.ones(2**24)).num_bytes > 2**26


def test_errors_of_a_running_model_name_it_in_one_line(
    strip_model: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What LiteRT finds only when a signature runs, or when it is described."""
    interpreter = LiteRTInterpreter(str(strip_model))

    class Damaged:
        def __call__(self, **_: np.ndarray) -> dict[str, np.ndarray]:
            raise RuntimeError("Input tensor 16 lacks data.\nNode number 0 (RESHAPE) failed to invoke.")

        def get_input_details(self) -> dict[str, object]:
            raise TypeError("TensorName(): incompatible function arguments.\n 1. (self, arg0: int)")

    image = np.zeros((1, 32, 100, 1), np.float32)
    monkeypatch.setitem(interpreter._runners, SIGNATURE, Damaged())
    monkeypatch.setitem(interpreter._described, SIGNATURE, Damaged())
    for act, what in ((lambda: interpreter.predict_words(image), "run"), (interpreter.tensors, "describe")):
        with pytest.raises(ValueError, match=rf"^LiteRT cannot {what} the model: .*Received: model='.*strip\.tflite'$"):
            act()
    monkeypatch.setitem(interpreter._runners, SIGNATURE, lambda **_: {"probabilities": image})
    with pytest.raises(ValueError, match="cannot run the model: 'positions'"):
        interpreter.predict_words(image)


@pytest.mark.slow
def test_damaged_keras_files(tmp_path: pathlib.Path) -> None:
    from spin_tf.models import SPINRecognizer, load_model
    from tests.training import tiny

    path = tmp_path / "model.keras"
    SPINRecognizer(tiny.VALUES["model"]).save(path)
    seed = path.read_bytes()
    load_model(path)
    # Building a whole model takes Keras longer than reading a file may.
    trials = Trials((ValueError, OSError), seconds=20, max_bytes=0)
    for mutation in mutations({"keras": seed}, NUM_KERAS):
        path.write_bytes(mutation.data)
        with trials.trial(mutation):
            load_model(path)
    print(f"keras: {trials.summary()}")
    assert trials.endings["ValueError"] > NUM_KERAS // 2
