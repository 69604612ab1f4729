"""Fixtures for all tests; two logical CPUs so that tf.distribute can be tested on any machine."""

from __future__ import annotations

import os
import pathlib
import signal

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# A job in the background of a shell ignores Ctrl-C, and so would every command that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> pathlib.Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
    """The folder of research data beside the clone; it may not exist, and tests then make their own data."""
    return REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def strip_model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A `.tflite` file whose readings are known: see tests/strip_model.py."""
    from tests import strip_model

    path = tmp_path_factory.mktemp("strip_model") / "strip.tflite"
    strip_model.write(path)
    return path


@pytest.fixture
def detector(shared: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What finds the words of photographs in every command of a test, without the network: the model of words where it
    is, else that of lines which the rapidocr package carries."""
    path = shared / "detectors" / "Multilingual_PP-OCRv3_det.onnx"
    name = str(path) if path.exists() else "lines"
    monkeypatch.setenv("SPIN_TF_DETECTOR", name)
    return name
