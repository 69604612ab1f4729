"""Photographs in C++: the steps of finding words number by number, and the words that Python finds and reads."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spin_tf.contract.errors import ImageError
from spin_tf.data.conversion.cropping import crop
from spin_tf.data.images import decode_image
from spin_tf.photo.litert_detector import LiteRTDetector, letterbox
from spin_tf.recognizer import Recognizer
from tests.deploy.cpp import BUILD, MODEL, build_with_sanitizers, must_run, run
from tests.photo import dark_detector
from tests.photo.drawn import LINES, ONNX, SIZES, TILTED, drawn_photograph, maps, read

pytestmark = pytest.mark.deploy
# From this confidence on, a word is the same in both.
SURE = 0.6
SPIN_READ, STEPS = BUILD / "spin_read", BUILD / "photo_steps"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    must_run("cmake", "-S", "deploy/cpp", "-B", BUILD, f"-DSPIN_PYTHON={sys.executable}", "-DSPIN_TESTS=ON")
    must_run("cmake", "--build", BUILD, "--parallel", "2")


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("detector") / "dark.tflite"
    dark_detector.write(path, SIZES)
    return path


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("photographs") / "drawn.png"
    drawn_photograph().save(path)
    return path


def bytes_of(*arguments: object) -> bytes:
    return subprocess.run([str(part) for part in (STEPS, *arguments)], capture_output=True, check=True).stdout


def test_rectangles_of_maps_to_the_last_digits(tmp_path: pathlib.Path) -> None:
    compared = 0
    for number, one in enumerate(maps()):
        path = tmp_path / f"{number}.map"
        path.write_bytes(np.array(one["values"], np.float32).tobytes())
        lines = must_run(STEPS, "map", one["height"], one["width"], path).splitlines()
        expected = [[*corners, score] for corners, score in one["places"]]
        np.testing.assert_allclose([list(map(float, line.split())) for line in lines], expected, atol=1e-9)
        compared += len(expected)
    assert compared > 20


@pytest.mark.parametrize(
    ("size", "mode", "orientation"), [((960, 640), "RGB", 1), ((37, 61), "L", 1), ((90, 50), "RGB", 6)]
)
def test_pictures_are_resized_to_the_bit(
    tmp_path: pathlib.Path, size: tuple[int, int], mode: str, orientation: int
) -> None:
    picture = drawn_photograph().resize(size).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "picture.png", exif=exif)
    pixels = decode_image((tmp_path / "picture.png").read_bytes())
    pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)
    for rows, columns in ((192, 288), (50, 31)):
        ours = bytes_of("letterbox", rows, columns, 200, 300, tmp_path / "picture.png")
        expected = letterbox(pixels, rows, columns, (200, 300)).astype(np.uint8).tobytes()
        assert ours == expected


def test_steps_under_sanitizers(tmp_path: pathlib.Path) -> None:
    """Maps of noise, tiny pictures and words anywhere around them: no read or write outside, no undefined behaviour."""
    steps = build_with_sanitizers("address,undefined", "photo_steps")
    rng = np.random.default_rng(4)
    for number, (height, width) in enumerate([(1, 1), (1, 90), (90, 1), (64, 96), (200, 300)]):
        path = tmp_path / f"{number}.map"
        noise = rng.random((height, width)) * (1.0, 0.6, 0.4)[number % 3]
        path.write_bytes(noise.astype(np.float32).tobytes())
        must_run(steps, "map", height, width, path)
        picture = tmp_path / f"{number}.png"
        drawn_photograph().resize((width, height)).convert("RGB" if number % 2 else "L").save(picture)
        result = subprocess.run([steps, "letterbox", "40", "70", "64", "96", picture], capture_output=True)
        assert result.returncode == 0, result.stderr.decode()
        for scale in (1, 30):
            for _ in range(8):
                corners = rng.uniform(-0.5, 1.5, (4, 2)) * [width, height] * scale
                command = [steps, "crop", *corners.ravel(), picture]
                result = subprocess.run([str(part) for part in command], capture_output=True)
                assert result.returncode == 0, result.stderr.decode()


def test_tilted_words_are_cut_out_as_in_python(photograph: pathlib.Path) -> None:
    pixels = decode_image(photograph.read_bytes())
    for corners in ([310, 450, 570, 385, 590, 470, 330, 540], [-6, 40, 250, 30, 260, 150, 4, 160]):
        head, _, body = bytes_of("crop", *corners, photograph).partition(b"\n")
        expected = crop(pixels, tuple(map(float, corners)))
        assert head.decode() == " ".join(map(str, expected.shape))
        difference = np.abs(np.frombuffer(body, np.uint8).reshape(expected.shape).astype(int) - expected)
        # Values that fall on a whole number are cut to it or to the one below, as rounding has it.
        assert difference.max() <= 1 and (difference > 0).mean() < 0.001


def words_of(detector: pathlib.Path, *photographs: pathlib.Path, **flags: object) -> list[dict[str, object]]:
    options = [f"--{name}={value}" for name, value in flags.items()]
    output = must_run(SPIN_READ, f"--detector={detector}", "--format=jsonl", *options, *photographs)
    return [json.loads(line) for line in output.splitlines()]


def compare(record: dict[str, object], detector: pathlib.Path, path: pathlib.Path, near: float) -> int:
    """The words of a photograph against Python's; returns how many there are."""
    pixels = decode_image(path.read_bytes())
    expected = read(pixels, LiteRTDetector(detector), Recognizer(num_threads=1))
    words: list[dict[str, object]] = record["words"]  # type: ignore[assignment]
    assert record["path"] == str(path) and (record["height"], record["width"]) == pixels.shape[:2]
    # The bundled model rounds activations to 8 bits: what it is unsure of may fall on either side of a threshold.
    ours, theirs = [(str(word["text"]), float(str(word["confidence"]))) for word in words], expected["words"]
    for some, others in ((ours, theirs), (theirs, ours)):
        for text, confidence in some:
            same = any(text == other and abs(confidence - its) < 0.1 for other, its in others)
            assert same or confidence < SURE, (path, text, confidence)
    places = np.array([corners for corners, _ in expected["places"]]).reshape(-1, 4, 2)
    for word in words:
        corners = np.array(word["polygon"])
        # A word that was read turned begins at another corner.
        apart = min(np.abs(np.roll(corners, k, axis=0) - places).max(axis=(1, 2)).min() for k in (0, 1, -1))
        assert apart <= near, word
    return len(words)


def test_words_are_those_of_python_in_reading_order(dark: pathlib.Path, photograph: pathlib.Path) -> None:
    (record,) = words_of(dark, photograph)
    # Polygons are written with two places behind the point.
    assert compare(record, dark, photograph, 0.02) == 6
    expected = [*LINES, [(TILTED[0], 0, 0)]]
    words: list[dict[str, object]] = record["words"]  # type: ignore[assignment]
    assert [(word["text"], word["line"]) for word in words] == [
        (text, number) for number, line in enumerate(expected) for text, *_ in line
    ]
    assert list(record) == ["path", "width", "height", "turned", "words"]
    assert list(words[0]) == ["text", "confidence", "polygon", "line", "score"]


def test_words_upside_down(dark: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Their corners begin at the upper left of the word as it is read, which is below on the right."""
    path = tmp_path / "turned.png"
    drawn_photograph().rotate(180).save(path)
    (record,) = words_of(dark, path, turn="auto")
    words: list[dict[str, Any]] = record["words"]  # type: ignore[assignment]
    assert {word["text"] for word in words} == {TILTED[0], *(text for line in LINES for text, *_ in line)}
    for word in words:
        first, second, third, _ = word["polygon"]
        assert first[0] > second[0] + 20 and first[1] > third[1] + 20


def test_photographs_with_a_real_detector(
    shared: pathlib.Path, dark: pathlib.Path, photograph: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Where the detector and photographs are at hand; elsewhere the stand-in and the drawn one go the same way."""
    detector, photographs = dark, [photograph]
    if (shared / "detectors" / ONNX).exists():
        from spin_tf.export import detector_file as converter

        detector, photographs = tmp_path / "real.tflite", []
        detector.write_bytes(converter.convert(shared / "detectors" / ONNX))
        for path in sorted((shared / "photos" / "images").glob("*.jpg"))[::6]:
            try:
                decode_image(path.read_bytes())
            except ImageError:
                continue
            photographs.append(path)
    records = words_of(detector, *photographs)
    found = sum(compare(record, detector, path, 4) for record, path in zip(records, photographs, strict=True))
    assert found >= 6 * len(photographs) // 2


def test_text_has_a_line_for_each_line_of_words(
    dark: pathlib.Path, photograph: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    empty, broken = tmp_path / "empty.png", tmp_path / "broken.png"
    Image.new("RGB", (300, 200), "white").save(empty)
    broken.write_bytes(photograph.read_bytes()[:400])
    result = run(SPIN_READ, f"--detector={dark}", empty, photograph, broken, photograph)
    lines = [f"{photograph}\t{' '.join(text for text, *_ in line)}" for line in LINES] + [f"{photograph}\t{TILTED[0]}"]
    assert result.stdout.splitlines() == lines * 2
    assert result.returncode == 1
    assert result.stderr.startswith(f"{broken}: The image is truncated or broken") and result.stderr.count("\n") == 1


def test_threads_answer_in_order(dark: pathlib.Path, photograph: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Turned and shrunk copies, so that each has words of its own."""
    paths = []
    for number in range(8):
        paths.append(tmp_path / f"{number}.png")
        drawn_photograph().resize((960 - 40 * number, 640 - 20 * number)).save(paths[-1])
    assert words_of(dark, *paths, threads=4) == words_of(dark, *paths, threads=1)


def test_what_is_no_detector_is_one_line(dark: pathlib.Path, photograph: pathlib.Path, tmp_path: pathlib.Path) -> None:
    cases = [
        ([f"--detector={MODEL}", photograph], "it is a model, no detector"),
        ([f"--model={dark}", photograph], "it is a detector for --detector, no model"),
        ([f"--detector={tmp_path / 'absent.tflite'}", photograph], "There is no such model"),
        ([f"--detector={photograph}", photograph], "bin/convert_detector.py writes them"),
    ]
    whole = dark.read_bytes()
    rng = np.random.default_rng(0)
    for number in range(20):
        damaged = bytearray(whole)
        start = int(rng.integers(0, whole.rfind(b"PK\3\4") - 64))
        damaged[start : start + 64] = rng.bytes(64)
        path = tmp_path / f"damaged-{number}.tflite"
        path.write_bytes(damaged)
        result = run(SPIN_READ, f"--detector={path}", photograph)
        # Damaged weights are weights.
        assert result.returncode in (0, 2), (number, result.returncode)
        if result.returncode == 2:
            assert re.fullmatch(r"error: .*\n", result.stderr), result.stderr
    for arguments, message in cases:
        result = run(SPIN_READ, *arguments)
        assert result.returncode == 2 and message in result.stderr and result.stderr.count("\n") == 1, result.stderr
