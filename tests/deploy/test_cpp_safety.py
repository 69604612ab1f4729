"""The C++ reader under sanitizers, its decoder beside the Python one, its C header and the example of its README."""

from __future__ import annotations

import pathlib
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.errors import ImageError
from spin_tf.data.images import decode_image
from spin_tf.recognizer import Recognizer, Word
from tests.deploy.cpp import BUILD, MODEL, blocks, build_with_sanitizers, must_run
from tests.deploy.pictures import jpeg_files, png_files
from tests.fuzz.images import image_seeds, word_picture
from tests.fuzz.mutations import mutations

pytestmark = pytest.mark.deploy
NUM_MUTATIONS = 2000


@pytest.fixture(scope="module")
def decode_many() -> pathlib.Path:
    """The driver that reads many files in one process, under AddressSanitizer and UBSan."""
    return build_with_sanitizers("address,undefined", "decode_many")


def read_lines(program: pathlib.Path, folder: pathlib.Path, files: dict[str, bytes]) -> list[str]:
    """What the driver says about each file; it must come through all of them."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    output = must_run(program, MODEL, input="".join(f"{folder / name}\n" for name in files), errors="replace")
    lines = output.splitlines()
    assert len(lines) == len(files)
    return lines


def python_line(data: bytes, line: str) -> str:
    """The line that the driver writes, as Python's decoder gives it: without the word, and without a reason."""
    try:
        pixels = decode_image(data)
    except ImageError:
        return "error"
    # Grey with transparency has three equal channels in Python, and one in C++.
    if pixels.ndim == 3 and line.split(" ")[3:4] == ["1"] and np.ptp(pixels, axis=-1).max() == 0:
        pixels = pixels[..., 0]
    channels = 1 if pixels.ndim == 2 else 3
    return f"ok {pixels.shape[0]} {pixels.shape[1]} {channels} {zlib.crc32(pixels.tobytes())}"


def cpp_line(line: str) -> str:
    return "error" if line.startswith("error ") else line.split("\t")[0]


def test_pixels_are_those_of_the_python_decoder(decode_many: pathlib.Path, tmp_path: pathlib.Path) -> None:
    files = {**png_files(), **jpeg_files()}
    lines = read_lines(decode_many, tmp_path, files)
    ours = {name: cpp_line(line) for name, line in zip(files, lines, strict=True)}
    theirs = {name: python_line(data, line) for (name, data), line in zip(files.items(), lines, strict=True)}
    assert ours == theirs
    assert [name for name, line in ours.items() if line == "error"] == ["widened_8_bits.png", "no_end.jpg"]


def test_damaged_images_are_read_or_refused(decode_many: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """None crashes, leaks or reads where it must not; what Python reads is read, to the same pixels."""
    seeds = {name: data for name, data in image_seeds().items() if name.startswith(("png", "jpeg"))}
    files = {f"{m.number}-{m.name}": m.data for m in mutations(seeds, NUM_MUTATIONS)}
    lines = read_lines(decode_many, tmp_path, files)
    same = num_read = 0
    for data, line in zip(files.values(), lines, strict=True):
        assert line.startswith(("ok ", "error ")), line
        num_read += line.startswith("ok ")
        same += cpp_line(line) == python_line(data, line)
    assert num_read > NUM_MUTATIONS // 10
    # Some files that end early are whole to one library and not to the other.
    assert same >= 0.99 * NUM_MUTATIONS


def test_other_formats_are_refused(decode_many: pathlib.Path, tmp_path: pathlib.Path) -> None:
    others = {name: data for name, data in image_seeds().items() if not name.startswith(("png", "jpeg"))}
    assert others
    for line in read_lines(decode_many, tmp_path, others):
        assert line.startswith("error Not an image, or one of a format that is not read (JPEG, PNG). Received: b")


@pytest.mark.parametrize("max_instances", [0, 2])
def test_one_model_for_many_threads(max_instances: int, tmp_path: pathlib.Path) -> None:
    program = build_with_sanitizers("thread", "read_threads")
    paths = []
    for i, text in enumerate(["one", "two", "three", "four"]):
        paths.append(tmp_path / f"{i}.{'jpg' if i % 2 else 'png'}")
        word_picture(text).rotate(90 * (i == 3), expand=True).save(paths[-1])
    assert must_run(program, MODEL, 4, max_instances, *paths) == "48 words, 0 differ\n"


def test_the_c_header(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "word.png"
    word_picture("hello").rotate(180).save(path)
    word = Recognizer(turn="auto").read(path)
    assert isinstance(word, Word) and word.turned == 180
    lines = must_run(BUILD / "read_c", MODEL, path).splitlines()
    assert lines[0] == "absent model: 2 There is no such model. Received: model='absent.tflite'"
    assert lines.pop(1) == "no turn: 3 turn is a spin_turn, 0 to 2. Received: turn=3"
    assert lines[1].startswith("charset: 0123456789abc")
    assert lines[2] == f"{word.text} {word.confidence:.6f} {word.turned}"
    count = len(word.characters)
    assert lines[3 : 3 + count] == [f"{c.character} {c.confidence:.6f} {c.x:.6f}" for c in word.characters]
    assert [line.split(" ", 4)[:4] for line in lines[3 + count : 6 + count]] == [
        ["half", "a", "file:", "1"],
        ["nothing:", "1", "The", "image"],
        ["no", "recogniser:", "3", "recognizer"],
    ]
    assert lines[6 + count] == "pixels: 0 "
    assert lines[7 + count].startswith("two channels: 3 Pixels are rows")


def test_the_example_of_the_readme(tmp_path: pathlib.Path) -> None:
    (code,) = blocks("cpp")
    (tmp_path / "app.cc").write_text(code)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(app CXX)\n"
        f"add_subdirectory({BUILD.parents[1]}/deploy/cpp spin)\n"
        "add_executable(app app.cc)\ntarget_link_libraries(app PRIVATE spin)\n"
    )
    must_run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DSPIN_PYTHON={sys.executable}")
    must_run("cmake", "--build", tmp_path / "build", "--parallel", "2", "--target", "app")
    path = tmp_path / "word.jpg"
    Image.fromarray(np.asarray(word_picture("Hello"))).save(path)
    word = Recognizer().read(path)
    first, *others = must_run(tmp_path / "build" / "app", MODEL, path).splitlines()
    text, confidence, turned = first.split()
    assert (text, int(turned)) == (word.text, word.turned)
    assert float(confidence) == pytest.approx(word.confidence, rel=1e-4)
    assert [line.split()[0] for line in others] == list(word.text)
