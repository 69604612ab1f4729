"""The bundled model on an emulated ARM processor, read by Python and by C++: the words of this machine."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from spin_tf.contract.word import Word
from spin_tf.recognizer import Recognizer
from tests.deploy.cpp import BUILD, MODEL, REPOSITORY, must_run
from tests.deploy.pictures import jpeg_files, png_files
from tests.fuzz.images import word_picture

pytestmark = pytest.mark.deploy
SYSROOT = REPOSITORY / "build" / "arm"
# Dot products of int8 weights are rounded in other places on ARM's processors: 0.013 is the most that was seen.
CONFIDENCE = 0.03


@pytest.fixture(scope="module")
def spin_read() -> pathlib.Path:
    must_run("deploy/cpp/arm/make_sysroot.sh", SYSROOT)
    folder = BUILD.with_name("cpp_arm")
    must_run(
        *(
            "cmake",
            "-S",
            "deploy/cpp",
            "-B",
            folder,
            f"-DCMAKE_TOOLCHAIN_FILE={REPOSITORY}/deploy/cpp/arm/toolchain.cmake",
        ),
        *(f"-DSPIN_ARM_SYSROOT={SYSROOT}", f"-DLITERT_LIBRARY={SYSROOT}/packages/ai_edge_litert/libLiteRt.so"),
    )
    must_run("cmake", "--build", folder, "--parallel", "2", "--target", "spin_read")
    return folder / "spin_read"


def emulated(*command: object) -> str:
    """What a command prints on the emulated machine."""
    environment = {
        **os.environ,
        # The default processor silently computes wrong numbers.
        "QEMU_CPU": "neoverse-n1",
        "PYTHONPATH": f"{SYSROOT}/packages:{REPOSITORY}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return must_run("qemu-aarch64-static", "-L", SYSROOT, *command, env=environment)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory, shared: pathlib.Path) -> list[pathlib.Path]:
    """50 words, tall ones and all kinds of files among them."""
    folder = tmp_path_factory.mktemp("words")
    listed = shared / "data" / "real" / "validation.txt"
    names = listed.read_text(encoding="utf-8").splitlines()[::20] if listed.exists() else []
    paths = [listed.parent / name.split("\t")[0] for name in names]
    kinds = {**png_files(), **jpeg_files()}
    for name in ("palette4_alpha.png", "rgba16.png", "exif_6.png", "cmyk.jpg", "exif_8.jpg", "progressive.jpg"):
        paths.append(folder / name)
        paths[-1].write_bytes(kinds[name])
    for i in range(50 - len(paths)):
        paths.append(folder / f"{i}.png")
        word_picture(f"Word{i}").rotate(90 * (i % 4 == 0), expand=True).save(paths[-1])
    return paths


def check(output: str, words: list[pathlib.Path]) -> None:
    lines = [line.split("\t") for line in output.splitlines()]
    assert [line[0] for line in lines] == list(map(str, words))
    for line, word in zip(lines, Recognizer().read_many(words), strict=True):
        assert isinstance(word, Word)
        assert line[1] == word.text, line[0]
        assert float(line[2]) == pytest.approx(word.confidence, abs=CONFIDENCE), line[0]


def test_cpp_reads_the_same_words(spin_read: pathlib.Path, words: list[pathlib.Path]) -> None:
    check(emulated(spin_read, f"--model={MODEL}", *words), words)


def test_python_reads_the_same_words(spin_read: pathlib.Path, words: list[pathlib.Path]) -> None:
    assert sys.platform == "linux"
    check(emulated(SYSROOT / "usr" / "bin" / "python3", "bin/recognize.py", *words), words)
