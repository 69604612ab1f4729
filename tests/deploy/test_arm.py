"""The bundled model on an emulated ARM processor, read by Python and by C++: the words of this machine."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from spin_tf.contract.word import Word
from spin_tf.recognizer import Recognizer
from tests.contract.make_cases import CASES, EXPECTED
from tests.deploy.cpp import BUILD, MODEL, REPOSITORY, must_run
from tests.deploy.pictures import jpeg_files, png_files
from tests.fuzz.images import word_picture

pytestmark = pytest.mark.deploy
SYSROOT = REPOSITORY / "build" / "arm"
# Dot products of int8 weights are rounded in other places on ARM's processors; what is read with less than this may be
# another word there.
CONFIDENCE, SURE = 0.03, 0.6


@pytest.fixture(scope="module")
def built() -> pathlib.Path:
    """The folder of what was built for ARM."""
    must_run("deploy/cpp/arm/make_sysroot.sh", SYSROOT)
    folder = BUILD.with_name("cpp_arm")
    must_run(
        *("cmake", "-S", "deploy/cpp", "-B", folder, "-DSPIN_TESTS=ON", f"-DSPIN_ARM_SYSROOT={SYSROOT}"),
        *(
            f"-DCMAKE_TOOLCHAIN_FILE={REPOSITORY}/deploy/cpp/arm/toolchain.cmake",
            f"-DLITERT_LIBRARY={SYSROOT}/packages/ai_edge_litert/libLiteRt.so",
        ),
    )
    must_run("cmake", "--build", folder, "--parallel", "2", "--target", "spin_read", "prepare")
    return folder


def emulated(*command: object, **options: object) -> str:
    """What a command prints on the emulated machine."""
    environment = {
        **os.environ,
        # The default processor silently computes wrong numbers.
        "QEMU_CPU": "neoverse-n1",
        "PYTHONPATH": f"{SYSROOT}/packages:{REPOSITORY}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return must_run("qemu-aarch64-static", "-L", SYSROOT, *command, env=environment, **options)


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


@pytest.fixture(scope="module")
def lines(built: pathlib.Path, words: list[pathlib.Path]) -> dict[str, list[list[str]]]:
    """The fields of each line that C++ and Python write there."""
    outputs = {
        "C++": emulated(built / "spin_read", f"--model={MODEL}", *words),
        "Python": emulated(SYSROOT / "usr" / "bin" / "python3", "bin/recognize.py", *words),
    }
    return {name: [line.split("\t") for line in output.splitlines()] for name, output in outputs.items()}


@pytest.mark.parametrize("name", ["C++", "Python"])
def test_the_words_of_this_processor(name: str, lines: dict[str, list[list[str]]], words: list[pathlib.Path]) -> None:
    assert [line[0] for line in lines[name]] == list(map(str, words))
    num_other = 0
    for line, word in zip(lines[name], Recognizer().read_many(words), strict=True):
        assert isinstance(word, Word)
        if line[1] == word.text:
            assert float(line[2]) == pytest.approx(word.confidence, abs=CONFIDENCE), line[0]
        else:
            assert word.confidence < SURE, (line, word.text)
            num_other += 1
    assert num_other <= len(words) // 20


def test_cpp_and_python_read_the_same_there(lines: dict[str, list[list[str]]]) -> None:
    for ours, theirs in zip(lines["C++"], lines["Python"], strict=True):
        assert ours[:2] == theirs[:2]
        assert float(ours[2]) == pytest.approx(float(theirs[2]), abs=1e-3), ours[0]


def test_what_models_read_to_the_byte(built: pathlib.Path) -> None:
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    names = [name for name, case in expected["files"].items() if not case["error"] and name.endswith(".png")]
    sizes = [*expected["image_size"], *expected["wide_image_size"], expected["preprocessing"]]
    output = emulated(built / "prepare", *sizes, input="".join(f"{CASES / name}\n" for name in names))
    for name, line in zip(names, output.splitlines(), strict=True):
        ours = json.loads(line)["views"]
        for degrees, view in expected["files"][name]["views"].items():
            assert ours[degrees]["crc32"] == view["crc32"], (name, degrees)
