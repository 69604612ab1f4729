"""The package inside something packed: a zip file on the path of Python, and programs of PyInstaller."""

from __future__ import annotations

import configparser
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import zipapp
import zipfile

import numpy as np
import pytest

import spin_tf
from spin_tf import Recognizer, _pyinstaller
from spin_tf.reading.word_model import bundled_model, zipped_model
from tests.fuzz.images import word_picture

APP = """
import pickle, sys
from spin_tf import Recognizer
if __name__ == "__main__":
    recognizer = pickle.loads(pickle.dumps(Recognizer(num_threads=2)))
    path = sys.argv[1]
    words = [recognizer.read(path), Recognizer(n_best=2).read(path), *recognizer.read_many([path] * 40)]
    assert len({word.text for word in words}) == 1
    print(words[0].text)
"""


@pytest.fixture
def word(tmp_path: pathlib.Path) -> tuple[pathlib.Path, str]:
    """A picture, and what is read in it."""
    word_picture("sale").save(tmp_path / "word.png")
    return tmp_path / "word.png", Recognizer().read(tmp_path / "word.png").text


def write_zip(path: pathlib.Path, repository: pathlib.Path, model: str) -> pathlib.Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((repository / "spin_tf").rglob("*.py")):
            archive.write(file, file.relative_to(repository))
        archive.write(bundled_model(), model)
    return path


def run(command: list[str], folder: pathlib.Path, path: pathlib.Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.mark.parametrize("model", ["spin_tf/exported/spin.tflite", "exported/spin.tflite"])
def test_inside_a_zip_file(
    model: str, word: tuple[pathlib.Path, str], repository: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """As an installed package lies, and as a clone."""
    picture, text = word
    archive = write_zip(tmp_path / "spin_tf.zip", repository, model)
    (tmp_path / "app.py").write_text(APP)
    assert run([sys.executable, "-P", "app.py", str(picture)], tmp_path, archive) == f"{text}\n"
    code = "import spin_tf; print(spin_tf.__file__)"
    assert str(archive) in run([sys.executable, "-P", "-c", code], tmp_path, archive)
    command = [sys.executable, "-P", "-m", "spin_tf", "recognize", "--lexicon=words.txt", str(picture)]
    (tmp_path / "words.txt").write_text(f"{text}\n")
    assert run(command, tmp_path, archive).split("\t")[1] == text


def test_a_zipapp(word: tuple[pathlib.Path, str], repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    picture, text = word
    shutil.copytree(repository / "spin_tf", tmp_path / "app" / "spin_tf", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "app" / "spin_tf" / "exported").mkdir()
    shutil.copy(bundled_model(), tmp_path / "app" / "spin_tf" / "exported")
    (tmp_path / "app" / "__main__.py").write_text(APP)
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    assert run([sys.executable, str(tmp_path / "app.pyz"), str(picture)], tmp_path) == f"{text}\n"


def test_a_zip_file_without_the_model(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    archive = write_zip(tmp_path / "spin_tf.zip", repository, "elsewhere.tflite")
    code = "from spin_tf import Recognizer\ntry: Recognizer()\nexcept FileNotFoundError as error: print(error)"
    assert "There is no such model" in run([sys.executable, "-P", "-c", code], tmp_path, archive)
    # In a folder, the file is read where it is: its pages are shared, and not copied.
    assert zipped_model() is None


def test_the_hook_names_what_loads_on_first_use_and_the_model(repository: pathlib.Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg")
    assert "hook-dirs = spin_tf._pyinstaller:hook_dirs" in setup["options.entry_points"]["pyinstaller40"]
    (folder,) = _pyinstaller.hook_dirs()
    values = runpy.run_path(os.path.join(folder, "hook-spin_tf.py"))
    modules = {getattr(spin_tf, name).__module__ for name in spin_tf.__all__ if name != "__version__"}
    # Some are defined where others import them from.
    assert set(values["hiddenimports"]) >= {"spin_tf.recognizer", "spin_tf.charset"}
    assert modules <= {module for module in sys.modules if module.startswith("spin_tf.")}
    commands = runpy.run_path(os.path.join(folder, "hook-spin_tf.__main__.py"))["hiddenimports"]
    assert {"spin_tf.cli.recognize", "spin_tf.cli.train"} <= set(commands)
    ((source, target),) = values["datas"]
    assert pathlib.Path(source) == bundled_model() and target == "spin_tf/exported"


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--onefile", "--onedir"])
def test_a_program_of_pyinstaller(
    form: str, word: tuple[pathlib.Path, str], repository: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Without options, as an installed package; the program runs without Python."""
    pytest.importorskip("PyInstaller")
    picture, text = word
    installed = tmp_path / "installed"
    shutil.copytree(repository / "spin_tf", installed / "spin_tf", ignore=shutil.ignore_patterns("__pycache__"))
    (installed / "spin_tf" / "exported").mkdir()
    shutil.copy(bundled_model(), installed / "spin_tf" / "exported")
    about = installed / "spin_tf-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: spin-tf\nVersion: 0\n")
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg")
    (about / "entry_points.txt").write_text(f"[pyinstaller40]{setup['options.entry_points']['pyinstaller40']}\n")
    (tmp_path / "app.py").write_text(APP)
    run([sys.executable, "-P", "-m", "PyInstaller", form, "--log-level=ERROR", "app.py"], tmp_path, installed)
    program = tmp_path / "dist" / ("app" if form == "--onefile" else "app/app")
    result = subprocess.run([program, picture], env={}, capture_output=True, text=True, check=True)
    assert result.stdout == f"{text}\n"


def test_an_interpreter_of_bytes_names_the_file() -> None:
    from spin_tf.reading.litert import LiteRTModel

    content = bundled_model().read_bytes()
    model = LiteRTModel("inside.zip/spin.tflite", 1, content)
    size = model.metadata["image_size"]
    assert model.predict_words(np.zeros((1, *size, 1), np.float32))[0].shape[0] == 1
    with pytest.raises(ValueError, match=r"Received: model='inside\.zip/spin\.tflite'"):
        LiteRTModel("inside.zip/spin.tflite", 1, content[: len(content) // 2])
