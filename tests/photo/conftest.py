"""What the tests of photographs share."""

from __future__ import annotations

import pathlib

import pytest

from tests.photo import dark_detector


@pytest.fixture(scope="session")
def dark_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The `.tflite` of tests/photo/dark_detector.py, with its ONNX file beside it."""
    path = tmp_path_factory.mktemp("detector") / "dark.tflite"
    dark_detector.write(path)
    return path
