"""A copy of the repository in which a reader of deploy/tf_serving/README.md has exported a model."""

from __future__ import annotations

import pathlib
import re
import socket
import subprocess
import sys

import pytest
from PIL import Image

from spin_tf.synthesis import WordSynthesizer
from tests.pages import copy_repository

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
README = (REPOSITORY / "deploy" / "tf_serving" / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- not run: (.*?) -->\n)?```bash\n(.*?)```", re.DOTALL)
# The page leaves the number of check words to its default.
EXPORT = re.compile(r"^(\S+python bin/export_saved_model\.py .*)$", re.MULTILINE)


def commands() -> list[str]:
    """The lines of the page that are run, in order."""
    return [line for reason, text in BLOCK.findall(README) if not reason for line in text.splitlines()]


def run(line: str, place: pathlib.Path) -> str:
    result = subprocess.run(["bash", "-c", line], cwd=place, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    place = copy_repository(tmp_path_factory.mktemp("serving") / "spin_tf")
    (place / ".venv-serving").symlink_to(sys.prefix)
    Image.fromarray(WordSynthesizer().word(0)[0]).save(place / "word.png")
    return place


@pytest.fixture(scope="session")
def models(place: pathlib.Path) -> pathlib.Path:
    """models/spin with version 1, by the page's own command."""
    first = next(line for line in commands() if EXPORT.match(line))
    output = run(f"{first} --check_words=20", place)
    assert "from bytes, 100.00% of 20 words read the same" in output
    return place / "models" / "spin"
