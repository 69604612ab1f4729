from __future__ import annotations

import pathlib
import sys

import numpy as np
import onnx
import pytest

from spin_tf import config as config_module
from spin_tf.charset import Charset
from spin_tf.importers import pp_ocr
from spin_tf.models import load_model
from tests.importers import light_recognizer


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("light") / "rec.onnx"
    light_recognizer.write(path)
    return str(path)


def test_a_start_has_the_files_features(file: str, tmp_path: pathlib.Path) -> None:
    output = tmp_path / "start.keras"
    model, difference = pp_ocr.import_backbone(file, output, Charset.from_spec("36"))
    assert difference < 1e-4
    assert model.config["backbone"] == {"name": "lcnet", "width": 32, "num_blocks": [2, 1, 1]}
    assert sorted(child.name for child in tmp_path.iterdir()) == ["start.keras", "start.yaml"]
    config = config_module.load(str(tmp_path / "start.yaml"))
    assert config.training.init_from == str(output) and config.model.charset == "36"
    again = load_model(output)
    images = np.random.default_rng(1).uniform(-1, 1, (2, 32, 128, 1)).astype("float32")
    expected = pp_ocr.published_features(pp_ocr.read_backbone(file), images)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(np.asarray(again.backbone(images)), expected, atol=1e-4)
    assert again(images)["probabilities"].shape == (2, 26, 38)


def test_what_differs_is_not_written(file: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = pp_ocr.published_features
    monkeypatch.setattr(pp_ocr, "published_features", lambda *a: exact(*a) + 2e-4)
    with pytest.raises(ValueError, match=r"differ from the file's by 2.*not written"):
        pp_ocr.import_backbone(file, tmp_path / "start.keras")
    assert not list(tmp_path.iterdir())


def test_other_files_are_refused(file: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "text.onnx").write_text("text")
    with pytest.raises(ValueError, match=r"not an ONNX file.*text\.onnx"):
        pp_ocr.read_backbone(str(tmp_path / "text.onnx"))
    model = onnx.load(file)
    del model.graph.node[-6:]
    onnx.save(model, str(tmp_path / "cut.onnx"))
    with pytest.raises(ValueError, match="not a recogniser of PP-OCR's light backbone"):
        pp_ocr.read_backbone(str(tmp_path / "cut.onnx"))
    published = pp_ocr.read_backbone(file)
    published.weights.pop(3)
    with pytest.raises(ValueError, match="is wanted"):
        pp_ocr.assign(pp_ocr.LCNet(32, (2, 1, 1)), published)


def test_the_installed_file_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    package = tmp_path / "rapidocr"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('found, not imported')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    # Another test may have imported the package itself.
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    with pytest.raises(FileNotFoundError, match=r"PP-OCRv6_rec_small\.onnx"):
        pp_ocr.find_file("rapidocr")
    path = package / "models" / "PP-OCRv6_rec_small.onnx"
    path.touch()
    assert pp_ocr.find_file("rapidocr") == str(path)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(FileNotFoundError, match="rapidocr is not installed"):
        pp_ocr.find_file("rapidocr")
