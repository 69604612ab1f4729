"""What a user names to bin/recognize.py: folders of images by any name, standard input and pipes."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from spin_tf.data.formats import readable_formats
from tests import strip_model as strips

COMMAND = [sys.executable, str(pathlib.Path(__file__).resolve().parents[2] / "bin" / "recognize.py")]
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")


def recognize(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


def save(path: pathlib.Path, word: str, kind: str | None = None) -> pathlib.Path:
    Image.fromarray(strips.draw(word)).save(path, kind, quality=98)
    return path


def test_images_of_a_folder_by_any_name(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Each is read, or named on stderr with exit code 1; what is no image by name or content is no mistake."""
    folder = tmp_path / "words"
    folder.mkdir()
    for name, word, kind in (
        *(("a.jfif", "a", "JPEG"), ("b.JPE", "b", "JPEG"), ("c.mpo", "c", "JPEG"), ("d.apng", "d", "PNG")),
        *(("e.dib", "e", "BMP"), ("f without a suffix", "f", "PNG"), ("g.jpg.bak", "g", "JPEG"), ("h.jp2", "h", "PNG")),
        *(("i.png", "i", "PNG"), ("j.JPEG", "j", "JPEG"), (".hidden.png", "x", "PNG")),
    ):
        save(folder / name, word, kind)
    (folder / "k.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "l.svg").write_text("<svg/>")
    (folder / "labels.txt").write_text("a.jfif\ta\n")
    (folder / "notes").write_text("BM: a note")
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "without a suffix either")
    result = recognize(f"--model={strip_model}", folder)
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == list("abcdefghij")
    errors = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in errors] == [str(folder / "k.heic"), str(folder / "l.svg")]
    assert "this is HEIC" in errors[0] and "this is SVG" in errors[1]
    assert result.returncode == 1


def test_folders_in_a_folder_are_told(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    save(tmp_path / "a.png", "a")
    (tmp_path / "inner" / "deep").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "labels.txt").write_text("x")
    assert recognize(f"--model={strip_model}", tmp_path).stderr == ""
    save(tmp_path / "inner" / "b.png", "b")
    one = recognize(f"--model={strip_model}", tmp_path)
    assert one.stderr == f"{tmp_path}: a folder in it holds images, which are not read: inner\n"
    assert (one.returncode, one.stdout.count("\n")) == (0, 1)
    (tmp_path / "another").mkdir()
    save(tmp_path / "another" / "c.JPE", "c", "JPEG")
    several = recognize(f"--model={strip_model}", tmp_path)
    assert several.stderr == f"{tmp_path}: 2 folders in it hold images, which are not read: another, ...\n"
    assert recognize(f"--model={strip_model}", tmp_path / "inner" / "deep").returncode == 2


def test_further_frames_and_pages_are_told(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first, second = (Image.fromarray(strips.draw(word)) for word in ("1st", "2nd"))
    kinds = {"a.gif": "frames", "b.png": "frames", "c.tif": "pages", "d.webp": "frames"}
    if "AVIF" in readable_formats():
        kinds["e.avif"] = "frames"
    for name in kinds:
        first.save(tmp_path / name, save_all=True, append_images=[second], lossless=True)
    result = recognize(f"--model={strip_model}", tmp_path)
    assert {line.split("\t")[1] for line in result.stdout.splitlines() if ".avif" not in line} == {"1st"}
    assert result.stderr.splitlines() == [
        f"{tmp_path / name}: only the first of its {what} is read" for name, what in kinds.items()
    ]
    assert result.returncode == 0


@needs_pipes
@pytest.mark.parametrize(
    "how",
    [
        "cat word.png | {} -",
        "{} - < word.png",
        "cat word.png | {} /dev/stdin",
        "{} /dev/stdin < word.png",
        "{} <(cat word.png)",
        "{} <(sleep 1; head -c 40 word.png; sleep 0.3; tail -c +41 word.png)",
        "mkfifo pipe; (sleep 0.5; cat word.png > pipe) & {} pipe",
        "cat word.png | {} --format=jsonl - ",
        "cat word.png | {} --lexicon=<(echo k9z) -",
        "mkfifo pipe; (sleep 0.5; echo k9z > pipe) & {} --lexicon=pipe word.png",
        "exec 7< <(cat word.png); {} /dev/fd/7",
    ],
)
def test_pipes_that_are_named(how: str, known_words: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from tests.fuzz.images import word_picture

    word_picture("sale").save(tmp_path / "word.png")
    command = how.replace("k9z", "sale").format(" ".join([*COMMAND, f"--model={known_words}"]))
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert "sale" in result.stdout


@needs_pipes
def test_several_pipes_among_files(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for word in ("one", "two", "thre", "four"):
        save(tmp_path / f"{word}.png", word)
    command = (
        f"{' '.join(COMMAND)} --model={strip_model} <(cat one.png) two.png <(echo x) <(true) <(cat thre.png) four.png"
    )
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["one", "two", "thre", "four"]
    assert result.stderr.count("\n") == 2 and "Not an image" in result.stderr and "0 bytes" in result.stderr
    assert result.returncode == 1


@needs_pipes
def test_pipes_that_cannot_be_read(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "nobody writes")
    start = time.monotonic()
    result = recognize(
        f"--model={strip_model}",
        tmp_path / "nobody writes",
        "-",
        save(tmp_path / "a.png", "a"),
        stdin=subprocess.DEVNULL,
    )
    assert time.monotonic() - start < 30
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["a"]
    assert "Nobody writes to this named pipe" in result.stderr and "-: The image file is empty" in result.stderr
    assert result.returncode == 1
    endless = subprocess.run(
        ["bash", "-c", f"head -c 300000000 /dev/zero | {' '.join(COMMAND)} --model={strip_model} -"],
        capture_output=True,
        text=True,
    )
    assert (endless.returncode, endless.stdout) == (1, "")
    assert "Files may have up to 268435456 bytes" in endless.stderr


@needs_pipes
def test_an_interrupt_ends_the_waiting(strip_model: pathlib.Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, f"--model={strip_model}", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert process.stdin and process.stderr
    process.stdin.close()
    assert process.stderr.read() == "interrupted\n"


@needs_pipes
def test_explained_from_a_pipe(known_words: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from tests.fuzz.images import word_picture

    word_picture("sale").save(tmp_path / "word.png")
    with open(tmp_path / "word.png", "rb") as file:
        result = recognize(f"--model={known_words}", f"--explain={tmp_path / 'page'}", "-", stdin=file)
    assert (result.returncode, result.stderr) == (0, "")
    assert "sale" in (tmp_path / "page" / "explain.html").read_text(encoding="utf-8")
