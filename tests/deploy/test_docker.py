"""The images of deploy/docker: checked by hadolint, and the reading one built step by step without Docker."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import venv

import pytest
from PIL import Image

from tests.explanation.test_trace import draw
from tests.pages import REPOSITORY, copy_repository

FILES = sorted((REPOSITORY / "deploy" / "docker").glob("*.Dockerfile"))
PAGE = (REPOSITORY / "docs" / "docker.md").read_text(encoding="utf-8")
NAMES = [path.name for path in FILES]


def instructions(path: pathlib.Path) -> list[tuple[str, str]]:
    """Keywords and what follows them, continued lines joined."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(words[0], words[1]) for line in text.splitlines() if line.strip() for words in [line.split(maxsplit=1)]]


def values(path: pathlib.Path, keyword: str) -> list[str]:
    return [rest for name, rest in instructions(path) if name == keyword]


def let_in() -> list[str]:
    """What .dockerignore, which keeps everything else out, lets into a build."""
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_there_are_two() -> None:
    assert NAMES == ["reading.Dockerfile", "serving.Dockerfile"]
    for name in NAMES:
        assert f"docker build --file=deploy/docker/{name} " in PAGE


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_hadolint_has_nothing_to_say(path: pathlib.Path) -> None:
    hadolint = shutil.which("hadolint", path=str(pathlib.Path(sys.executable).parent))
    assert hadolint, "the extra dev brings it"
    result = subprocess.run([hadolint, "--no-color", str(path)], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")
    # It does speak up.
    worse = path.read_text().replace("--no-cache-dir ", "")
    result = subprocess.run([hadolint, "--no-color", "-"], input=worse, capture_output=True, text=True)
    assert result.returncode == 1 and "DL3042" in result.stdout


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_what_is_copied_is_there_and_let_in(path: pathlib.Path) -> None:
    copied = [word for rest in values(path, "COPY") if "--from" not in rest for word in shlex.split(rest)[:-1]]
    assert {"spin_tf", "exported", "setup.py"} <= set(copied)
    for source in copied:
        assert (REPOSITORY / source).exists(), source
        assert any(source == name or source.startswith(f"{name}/") for name in let_in()), source
    # All that the build of the package reads.
    assert {"pyproject.toml", "setup.cfg", "configs", "README.md", "LICENSE", "NOTICE"} <= set(copied)


def test_serving_is_started_as_in_compose() -> None:
    path = REPOSITORY / "deploy" / "docker" / "serving.Dockerfile"
    compose = (REPOSITORY / "deploy" / "tf_serving" / "compose.yaml").read_text()
    (command,) = values(path, "CMD")
    assert json.loads(command) == re.findall(r"^ +- (--\S+)$", compose, re.MULTILINE)
    assert values(path, "EXPOSE") == ["8500 8501"]
    (healthcheck,) = values(path, "HEALTHCHECK")
    (test,) = re.findall(r"test: \[\"CMD\", (.*)\]$", compose, re.MULTILINE)
    assert healthcheck.endswith(f" CMD [{test}]")
    assert "--output=/models/spin" in values(path, "RUN")[1] and "--from=export /models/spin /models/spin" in (
        values(path, "COPY")
    )
    assert 'base_path: "/models/spin"' in (REPOSITORY / "deploy/tf_serving/models.config").read_text()


@dataclasses.dataclass
class Stage:
    """A stage of a build as far as it goes without Docker: a folder for the root, a virtual environment for Python."""

    root: pathlib.Path
    workdir: str = "/"

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True)
        venv.create(self.root / "venv", with_pip=True)

    def at(self, path: str) -> pathlib.Path:
        """Where a path of the image lies."""
        return self.root / os.path.normpath(os.path.join(self.workdir, path)).lstrip("/")

    def run(self, command: str | list[str]) -> subprocess.CompletedProcess[str]:
        """A line by the shell, or words, in the working folder; absolute paths are those of the image."""
        environment = {"PATH": f"{self.root}/venv/bin:/usr/bin:/bin", "HOME": str(self.root)}
        environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        if isinstance(command, str):
            command = ["sh", "-c", re.sub(r"(?<![\w.])/(?=\w)", f"{self.root}/", command)]
        return subprocess.run(command, cwd=self.at("."), env=environment, capture_output=True, text=True)


def build(path: pathlib.Path, context: pathlib.Path, folder: pathlib.Path) -> tuple[Stage, list[str]]:
    """Carries out the steps of a Dockerfile; returns the last stage and its entry point."""
    stages: dict[str, Stage] = {}
    entry: list[str] = []
    for keyword, rest in instructions(path):
        words = shlex.split(rest)
        if keyword == "FROM":
            assert words[0] == "python:${PYTHON}-slim"
            name = words[2] if len(words) > 2 else "last"
            stage = stages[name] = Stage(folder / name)
        elif keyword == "WORKDIR":
            stage.workdir = rest
            stage.at(".").mkdir(parents=True, exist_ok=True)
        elif keyword == "COPY":
            for source in words[:-1]:
                if (context / source).is_dir():
                    shutil.copytree(context / source, stage.at(words[-1]))
                else:
                    shutil.copy(context / source, stage.at(words[-1]))
        elif keyword == "RUN":
            if mount := re.match(r"--mount=type=bind,from=(\w+),source=(\S+),target=(\S+) +", rest):
                stage.at(mount[3]).symlink_to(stages[mount[1]].at(mount[2]))
                rest = rest[mount.end() :]
            result = stage.run(rest)
            assert result.returncode == 0, f"{rest}\n{result.stdout}\n{result.stderr}"
            if mount:
                stage.at(mount[3]).unlink()
        elif keyword == "ENTRYPOINT":
            entry = json.loads(rest)
        else:
            assert keyword in ("ARG", "USER", "CMD"), keyword
    return stage, entry


@pytest.mark.deploy
def test_the_reading_image_reads(tmp_path: pathlib.Path) -> None:
    """Its steps, in a copy of the repository as a build would get it."""
    context = copy_repository(tmp_path / "context")
    for path in context.iterdir():
        if path.name not in {name.split("/")[0] for name in let_in()}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    stage, entry = build(REPOSITORY / "deploy/docker/reading.Dockerfile", context, tmp_path / "build")
    shutil.rmtree(context)
    Image.fromarray(draw("House")).save(stage.at("house.png"))
    result = stage.run([str(stage.root / "venv/bin" / entry[0]), *entry[1:], "house.png"])
    assert (result.returncode, result.stderr) == (0, "")
    name, word, confidence = result.stdout.split("\t")
    assert (name, word.lower()) == ("house.png", "house") and float(confidence) > 0.5
    # No TensorFlow came along, and what CMD asks for is answered.
    listed = stage.run("python -m pip list").stdout
    assert "spin-tf" in listed and "tensorflow" not in listed
    assert "Reads word images" in stage.run([str(stage.root / "venv/bin" / entry[0]), *entry[1:], "--help"]).stdout
