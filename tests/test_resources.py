"""Recipes and weights by name."""

from __future__ import annotations

import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from spin_tf import Recognizer, _resources, config
from spin_tf._resources import find_model, find_recipe, presets, recipes
from spin_tf.models import SPINRecognizer, load_model
from tests.pages import REPOSITORY, blocks


def test_every_folder_of_weights_has_its_name() -> None:
    folders = {path.name for path in (REPOSITORY / "exported" / "weights").iterdir() if path.is_dir()}
    assert set(presets()) == folders and len(folders) >= 2


def test_names_hold_in_any_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in presets():
        for spelling in (name, f"exported/weights/{name}"):
            assert find_model(spelling) == REPOSITORY / "exported" / "weights" / name
    for name in recipes():
        for spelling in (name, f"configs/{name}.yaml"):
            assert find_recipe(spelling) == REPOSITORY / "configs" / f"{name}.yaml"
    # What lies in the working folder is meant first, and nothing else is taken for a name.
    (tmp_path / presets()[0]).mkdir()
    assert find_model(presets()[0]) == pathlib.Path(presets()[0])
    assert find_model(f"other/{presets()[0]}") == pathlib.Path(f"other/{presets()[0]}")
    assert find_model("exported/weights/../weights") == pathlib.Path("exported/weights/../weights")


def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(FileNotFoundError, match=rf"no such configuration; by name there are .*{recipes()[0]}"):
        config.load("quickstartt")
    with pytest.raises(FileNotFoundError, match=rf"no such model; by name there are .*{presets()[0]}"):
        load_model("spin_wordss")
    with pytest.raises(FileNotFoundError, match=rf"no such model; by name there are .*{presets()[0]}"):
        Recognizer("spin_wordss")
    with pytest.raises(FileNotFoundError, match=r"no such model\. Received: model='absent\.tflite'"):
        Recognizer("absent.tflite")


def test_a_package_without_weights_says_who_has_them(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(_resources, "_PACKAGE", tmp_path / "spin_tf")
    assert presets() == []
    with pytest.raises(FileNotFoundError, match="the repository holds them"):
        load_model("spin_words")


def test_from_preset_is_the_trained_model() -> None:
    model = SPINRecognizer.from_preset("spin_small")
    image = np.zeros((1, *model.image_size, 1), "float32")
    same = load_model(REPOSITORY / "exported" / "weights" / "spin_small")
    np.testing.assert_array_equal(model.read(image)["probabilities"], same.read(image)["probabilities"])
    fresh = SPINRecognizer.from_preset("spin_small", load_weights=False)
    assert fresh.config == model.config and fresh.charset == model.charset
    assert not np.array_equal(fresh.backbone.stages[0].conv.kernel, model.backbone.stages[0].conv.kernel)


def test_a_recognizer_by_name_travels(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    data = pickle.dumps(Recognizer("spin_small"))
    monkeypatch.chdir(tmp_path)
    image = np.full((32, 100), 255, np.uint8)
    assert pickle.loads(data).read(image) == Recognizer("spin_small").read(image)


def test_the_example_of_the_page_runs(tmp_path: pathlib.Path) -> None:
    page = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    (example,) = [block.text for block in blocks(page) if block.language == "python"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "weights" in result.stdout
