"""What a user names to spin_read: folders of images by any name, standard input and pipes, as to bin/recognize.py."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
from PIL import Image

from tests.deploy.cpp import BUILD, REPOSITORY, must_run
from tests.fuzz.images import word_picture

pytestmark = pytest.mark.deploy
SPIN_READ = str(BUILD / "spin_read")
RECOGNIZE = f"{sys.executable} {REPOSITORY / 'bin' / 'recognize.py'}"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    must_run("cmake", "-S", "deploy/cpp", "-B", BUILD, f"-DSPIN_PYTHON={sys.executable}", "-DSPIN_TESTS=ON")
    must_run("cmake", "--build", BUILD, "--parallel", "2", "--target", "spin_read")


def run(command: str, folder: pathlib.Path) -> tuple[int, str, list[str]]:
    result = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    errors = [re.sub(r"Not an image.*", "Not an image", line) for line in result.stderr.splitlines()]
    return result.returncode, result.stdout, errors


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "words"
    folder.mkdir()
    picture = word_picture("sale")
    for name, kind in (("a.jfif", "JPEG"), ("b.JPE", "JPEG"), ("c", "PNG"), ("d.jpg.bak", "JPEG"), ("e.png", "PNG")):
        picture.save(folder / name, kind)
    picture.save(folder / "f.apng", "PNG", save_all=True, append_images=[picture.transpose(Image.Transpose.ROTATE_180)])
    (folder / "g.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "h").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "i.svg").write_text("<svg/>")
    (folder / "labels.txt").write_text("a.jfif\tsale\n")
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0")
    os.mkfifo(folder / "j.png")
    os.mkfifo(folder / "k")
    for inner in ("one", "two", "three"):
        (folder / inner).mkdir()
    picture.save(folder / "one" / "x.jif", "JPEG")
    picture.save(folder / "two" / "x.png")
    return folder


def test_folders(folder: pathlib.Path) -> None:
    ours, theirs = run(f"{SPIN_READ} words", folder.parent), run(f"{RECOGNIZE} words", folder.parent)
    assert ours == theirs
    assert ours[0] == 1
    assert [line.split("\t")[0] for line in ours[1].splitlines()] == [
        f"words/{name}" for name in ("a.jfif", "b.JPE", "c", "d.jpg.bak", "e.png", "f.apng")
    ]
    assert ours[2] == [
        "words: 2 folders in it hold images, which are not read: one, ...",
        "words/f.apng: only the first of its frames is read",
        "words/g.heic: Not an image",
        "words/h: Not an image",
        "words/i.svg: Not an image",
        "words/j.png: Only regular files are read, and this is a named pipe",
    ]


@pytest.mark.parametrize(
    "how",
    [
        "cat e.png | {} -",
        "{} - < e.png",
        "cat e.png | {} /dev/stdin",
        "{} <(cat e.png) e.png <(cat a.jfif)",
        "{} <(sleep 1; head -c 40 e.png; sleep 0.3; tail -c +41 e.png)",
        "(sleep 0.5; cat e.png > j.png) & {} j.png",
        "{} - < /dev/null",
        "{} a.jfif <(true)",
        "head -c 300000000 /dev/zero | {} -",
        "{} k a.jfif",
    ],
)
def test_pipes(how: str, folder: pathlib.Path) -> None:
    ours = run(how.format(SPIN_READ), folder)
    assert ours == run(how.format(RECOGNIZE), folder)
    assert "sale" in ours[1] or ours[0] == 1


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_model_that_was_damaged_on_its_way(share: float, folder: pathlib.Path) -> None:
    """LiteRT crashes on some of these: the checksum in the file is looked at before."""
    content = bytearray((REPOSITORY / "exported" / "spin.tflite").read_bytes())
    content[50 + int(share * len(content))] ^= 4
    (folder / "damaged.tflite").write_bytes(content)
    how = "{} --model=damaged.tflite e.png"
    ours = run(how.format(SPIN_READ), folder)
    assert ours == run(how.format(RECOGNIZE), folder)
    assert ours[0] == 2 and "The model is damaged: its first" in ours[2][0]
