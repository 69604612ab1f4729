"""What is built and installed: the wheel, the source archive, a clone under `pip install -e`."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

from spin_tf import config
from spin_tf._resources import presets, recipes
from spin_tf._version import __version__
from tests.pages import REPOSITORY, copy_repository, targets

BUILD = (
    "import sys; from setuptools import build_meta\nprint(getattr(build_meta, f'build_{sys.argv[1]}')(sys.argv[2]))\n"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A clone called as clones are, by the name of the package."""
    return copy_repository(tmp_path_factory.mktemp("install") / "spin_tf")


def build(source: pathlib.Path, kind: str, target: pathlib.Path) -> pathlib.Path:
    """Builds a "wheel" or "sdist" as pip would, with the setuptools that is here."""
    result = subprocess.run(
        [sys.executable, "-c", BUILD, kind, str(target)], cwd=source, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return target / result.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def installed(source: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with what the wheel holds, far from the clone."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(source, "wheel", tmp_path_factory.mktemp("wheel"))
    assert wheel.name == f"spin_tf-{__version__}-py3-none-any.whl"
    # The index takes no more than 100 MB.
    assert wheel.stat().st_size < 90e6
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: pathlib.Path, cwd: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )


def test_wheel_holds_code_model_recipes_and_weights(installed: pathlib.Path) -> None:
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {name.split("/")[0] for name in names} == {"spin_tf", f"spin_tf-{__version__}.dist-info"}
    expected = {"exported/spin.tflite", "py.typed", "cli/recognize.py"}
    expected |= {f"configs/{name}.yaml" for name in recipes()}
    expected |= {f"exported/weights/{name}/config.yaml" for name in presets()}
    assert {f"spin_tf/{name}" for name in expected} <= names
    for name in presets():
        assert any(part.startswith(f"spin_tf/exported/weights/{name}/weights-") for part in names)
    metadata = (installed / f"spin_tf-{__version__}.dist-info" / "METADATA").read_text()
    assert re.search(r"^License(-Expression)?: Apache-2\.0$", metadata, re.MULTILINE)


def test_wheel_reads_with_the_model_inside_it(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    code = (
        "import numpy, spin_tf, spin_tf.recognizer\n"
        "word = spin_tf.Recognizer().read(numpy.full((32, 100), 255, numpy.uint8))\n"
        "print(spin_tf.recognizer.bundled_model(), len(word.characters) == len(word.text))"
    )
    result = run(installed, tmp_path, "-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(installed / "spin_tf" / "exported" / "spin.tflite"), "True"]


def test_wheel_knows_recipes_and_weights_by_name(installed: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Where no clone is: `--config=quickstart` trains from weights that are found, and so does the path in a recipe."""
    code = (
        "import pathlib\n"
        "from spin_tf import _resources, config\n"
        "from spin_tf.models import SPINRecognizer\n"
        "loaded = config.load('quickstart')\n"
        "assert loaded == config.load('configs/quickstart.yaml')\n"
        "start = loaded.training.init_from\n"
        "model = SPINRecognizer.from_preset(start)\n"
        "assert model.config['name'] == start.split('/')[-1]\n"
        "print(_resources.find_model(start))"
    )
    result = run(installed, tmp_path, "-c", code)
    assert result.returncode == 0, result.stderr
    start = config.load("quickstart").training.init_from
    assert start is not None
    assert result.stdout.split() == [str(installed / "spin_tf/exported/weights" / pathlib.PurePath(start).name)]


def test_source_archive_builds_the_same_wheel(
    source: pathlib.Path, installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    archive = build(source, "sdist", tmp_path)
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    unpacked = tmp_path / f"spin_tf-{__version__}"
    for name in (
        "tests/test_readme.py",
        "Makefile",
        "mkdocs.yml",
        "docs/tutorial/draw_displays.py",
        "deploy/cpp/README.md",
    ):
        assert (unpacked / name).exists(), name
    with zipfile.ZipFile(build(unpacked, "wheel", tmp_path)) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    assert names == {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}


def test_a_script_beside_the_clone_imports_the_package(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The clone bears the package's name: to a script in the folder above it is a package without modules, which a
    regular one on the path must win over."""
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "--quiet"]
    # Its build needs setuptools, which is here.
    (own,) = environment.glob("lib/python*/site-packages")
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    arguments = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(source)]
    result = subprocess.run([*pip, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    script = source.parent / "script.py"
    script.write_text("from spin_tf import Recognizer\nprint(len(Recognizer().charset.characters))\n")
    for arguments in (["script.py"], ["-c", script.read_text()]):
        result = subprocess.run([python, *arguments], cwd=source.parent, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert int(result.stdout) > 30
    # And elsewhere.
    result = subprocess.run([python, script], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_has_a_name(name: str) -> None:
    assert config.load(name) == config.load(str(REPOSITORY / "configs" / f"{name}.yaml"))


@pytest.mark.parametrize("repository", ["", "https://example.org/team/spin_tf"])
def test_links_of_the_package_index_lead_somewhere(
    source: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, repository: str
) -> None:
    monkeypatch.setenv("SPIN_TF_REPOSITORY", repository)
    wheel = build(source, "wheel", tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        head, page = archive.read(name).decode().split("\n\n", 1)
    assert "Description-Content-Type: text/markdown" in head and page.lstrip().startswith("# spin_tf")
    assert targets(page) == []
    links = re.findall(r"\]\((https://example\.org/[^)]*)\)", page)
    if not repository:
        assert "Project-URL" not in head and "docs/reading.md" not in page and not links
        # The words of a link stay.
        assert "[reading]" not in page and "reading. Words are found in whole\nphotographs" in page
        return
    assert f"Project-URL: Source, {repository}" in head
    raw, blob = f"{repository}/raw/v{__version__}/", f"{repository}/blob/v{__version__}/"
    assert len(links) == len(targets((REPOSITORY / "README.md").read_text(encoding="utf-8")))
    for link in links:
        where = link.removeprefix(raw).removeprefix(blob).split("#")[0]
        assert (REPOSITORY / where).is_file(), link
    assert any(link.startswith(raw) and link.endswith(".png") for link in links)
