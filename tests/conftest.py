"""What holds for all tests: their processes, their order, fixtures of more than one room."""

from __future__ import annotations

import gc
import os
import pathlib
import resource
import signal
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# What XLA compiles for a test runs a few times at most.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# As in the commands: see spin_tf/cli/_run.py.
gc.set_threshold(50_000, 20, 20)

# A job in the background of a shell ignores Ctrl-C, and so would every command that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
# What runs longest comes first, so that no worker is left with one of them when the others are done.
LONGEST = ("training", "models", "export", "reading", "cli")


def pytest_configure(config: pytest.Config) -> None:
    """What JAX compiles in one process serves the next, and the next run of the tests."""
    cache = getattr(config, "cache", None)
    if cache is not None:
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Only where a test needs it: importing TensorFlow takes three seconds.
    if "tensorflow" in sys.modules:
        import tests.quick_graphs  # noqa: F401

    def rank(item: pytest.Item) -> int:
        folder = item.path.parent.name
        return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)

    items.sort(key=rank)


def pytest_sessionfinish() -> None:
    # Only where a test has asked for it.
    if "tests.forked" in sys.modules:
        sys.modules["tests.forked"].stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in used)
    terminalreporter.write_line(f"{seconds:.0f} s of processor time, with all processes")


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


@pytest.fixture(scope="session")
def known_words() -> pathlib.Path:
    """A `.tflite` file that reads drawn words: see tests/known_words.py."""
    from tests import known_words

    return known_words.FILE


@pytest.fixture
def detector(shared: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What finds the words of photographs in every command of a test, without the network: the model of words where it
    is, else that of lines which the rapidocr package carries."""
    path = shared / "detectors" / "Multilingual_PP-OCRv3_det.onnx"
    name = str(path) if path.exists() else "lines"
    monkeypatch.setenv("SPIN_TF_DETECTOR", name)
    return name
