"""Native libraries are quiet by default, in Python and in commands, and as loud as the user says otherwise."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import threading

import pytest

from spin_tf import _noise
from spin_tf._noise import LEVEL, is_noise, without_native_chatter
from tests.exports import tiny_model
from tests.pages import REPOSITORY
from tests.training import tiny

READ = "import numpy, spin_tf; spin_tf.Recognizer({}).read(numpy.full((32, 100), 255, numpy.uint8))"


def run(level: str | None, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != LEVEL} | more
    if level is not None:
        environment[LEVEL] = level
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)


def test_reading_in_python_is_silent_unless_asked() -> None:
    assert run(None, "-c", READ.format("")).stderr == ""
    # LiteRT has no setting of its own.
    assert "XNNPACK" in run("0", "-c", READ.format("")).stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A tiny `.keras` file."""
    path = tmp_path_factory.mktemp("noise") / "tiny.keras"
    tiny_model("none", "resnet32").save(path)
    return path


@pytest.mark.integration
def test_tensorflow_in_python_is_silent_unless_asked(model: pathlib.Path) -> None:
    assert run(None, "-c", READ.format(repr(str(model)))).stderr == ""
    assert re.search(r"^[IW]0000 ", run("0", "-c", READ.format(repr(str(model)))).stderr, re.MULTILINE)


@pytest.mark.integration
def test_a_training_tells_of_itself_alone(tmp_path: pathlib.Path) -> None:
    path = tiny.write_config(tmp_path)
    smaller = (tiny.PLAIN, "training.steps=1", "training.batch_size=2")
    settings = [f"--set={setting}" for setting in smaller]
    loud = run(None, "bin/train.py", f"--config={path}", f"--model_dir={tmp_path}/a", *settings)
    lines = [line for line in loud.stderr.splitlines() if line]
    assert any("words to train on" in line for line in lines)
    # Neither TensorFlow's lines nor the prefix of absl's: severity, date, process, file.
    assert not [line for line in lines if re.match(r"[IWEF]\d{4} |WARNING: All log|INFO:", line)], lines
    # The run is over; the line is one of every start.
    quiet = run(None, "bin/train.py", f"--config={path}", f"--model_dir={tmp_path}/a", *settings, "--verbosity=-1")
    assert "words to train on" not in quiet.stderr


@pytest.mark.integration
def test_an_export_is_silent(model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """TensorFlow logs in Python too, where it puts the SavedModel on the way."""
    arguments = [f"--model={model}", "--quantization=none", "--check_words=2", f"--output={tmp_path}/a.tflite"]
    assert run(None, "bin/export_tflite.py", *arguments).stderr == ""


@pytest.mark.parametrize(
    ("line", "shown_up_to"),
    [
        (b"I0000 00:00:1795979689.739109   12985 port.cc:153] oneDNN custom operations are on.", 0),
        (b"W0000 00:00:1795979689.739109   12985 port.cc:153] careful", 1),
        (b"E0000 00:00:1795979689.739109   12985 cuda_platform.cc:52] failed call to cuInit", 2),
        (b"F0000 00:00:1795979689.739109   12985 port.cc:153] this is the end", 9),
        (b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.", 0),
        (b"ERROR: a model that cannot be run", 9),
        (b"IWE are letters of a line of Python", 9),
    ],
)
def test_the_level_is_the_users(monkeypatch: pytest.MonkeyPatch, line: bytes, shown_up_to: int) -> None:
    for level in range(4):
        monkeypatch.setenv(LEVEL, str(level))
        assert is_noise(line) == (level > shown_up_to), level
    monkeypatch.delenv(LEVEL)
    assert is_noise(line) == (shown_up_to < 3)


def test_a_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setenv(LEVEL, "1")
    _noise.quiet_by_default()
    assert os.environ[LEVEL] == "1"
    monkeypatch.delenv(LEVEL)
    _noise.quiet_by_default()
    assert os.environ[LEVEL] == "3"


def test_threads_do_not_lose_stderr(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two blocks that overlap, neither inside the other: afterwards the descriptor leads where it led."""
    monkeypatch.setenv(LEVEL, "3")
    first_is_in, second_is_in = threading.Event(), threading.Event()

    def other() -> None:
        first_is_in.wait()
        with without_native_chatter():
            second_is_in.set()
            thread_may_leave.wait()

    thread_may_leave = threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    with without_native_chatter():
        first_is_in.set()
        second_is_in.wait()
        os.write(2, b"INFO: noise\nsomething happened\n")
    thread_may_leave.set()
    thread.join()
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "something happened\nafterwards\n"


@pytest.mark.parametrize("module", ["spin_tf.models", "spin_tf.layers"])
def test_a_missing_keras_is_told_with_the_way_to_get_it(module: str) -> None:
    code = (
        f"import sys; sys.modules['keras'] = None\ntry:\n    import {module}\nexcept ImportError as error: print(error)"
    )
    assert 'pip install "spin-tf[train]"' in run(None, "-c", code).stdout
