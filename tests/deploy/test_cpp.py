"""The C++ reader beside the Python one: the same words, the same lines, the same pixels."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from spin_tf.contract.word import Word
from spin_tf.recognizer import Recognizer
from tests import strip_model
from tests.deploy.cpp import BUILD, MODEL, blocks, must_run, run

pytestmark = pytest.mark.deploy
SPIN_READ = BUILD / "spin_read"
REPOSITORY = BUILD.parents[1]


def draw(text: str, size: int = 30) -> Image.Image:
    font = ImageFont.load_default(size)
    image = Image.new("RGB", (int(font.getlength(text)) + 20, size + 20), (225, 225, 210))
    ImageDraw.Draw(image).text((10, 4), text, fill=(30, 20, 60), font=font)
    return image


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the commands of the README print; they build the program that all tests use."""
    word = tmp_path_factory.mktemp("readme") / "word.png"
    draw("House").save(word)
    output = ""
    (commands,) = blocks("bash")
    for line in commands.splitlines():
        output += must_run("bash", "-c", line.replace("word.png", str(word)))
    return output


def test_the_commands_of_the_readme_read_a_word(built: str) -> None:
    text, jsonl = [line for line in built.splitlines() if "word.png" in line]
    assert re.fullmatch(r".*word\.png\tHouse\t[01]\.\d{4}", text)
    assert json.loads(jsonl)["text"] == "House"


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory, shared: pathlib.Path) -> list[pathlib.Path]:
    """At least 300 words: real ones where they are, drawn ones elsewhere, and 24 drawn ones that run up or down."""
    folder = tmp_path_factory.mktemp("words")
    rng = np.random.default_rng(5)
    paths = []
    listed = shared / "data" / "real" / "validation.txt"
    if listed.exists():
        names = listed.read_text(encoding="utf-8").splitlines()
        paths = [listed.parent / name.split("\t")[0] for name in names]
    else:
        for i in range(300):
            text = "".join(rng.choice(list("abcdefghijklmnoprstuvwxyABCDEFGHKLMNPRSTW0123456789"), rng.integers(1, 12)))
            paths.append(folder / f"{i}{'.jpg' if i % 2 else '.png'}")
            draw(text, int(rng.integers(12, 60))).save(paths[-1])
    for i, text in enumerate(["Vertical", "HOTEL", "open", "Station", "2026", "Bakery"]):
        for turn in (90, -90, 85, -88):
            paths.append(folder / f"tall-{i}-{turn}.png")
            draw(text).rotate(turn, expand=True, fillcolor=(225, 225, 210)).save(paths[-1])
    return paths


def assert_same(record: dict[str, object], word: Word) -> None:
    assert (record["text"], record["turned"]) == (word.text, word.turned), record["path"]
    assert record["truncated"] == word.truncated
    theirs = [(c["character"], c["confidence"], c["x"]) for c in record["characters"]]  # type: ignore[attr-defined]
    ours = [(c.character, c.confidence, c.x) for c in word.characters]
    assert [c[0] for c in theirs] == [c[0] for c in ours]
    assert record["confidence"] == pytest.approx(word.confidence, abs=1e-5)
    assert [c[1:] for c in theirs] == [pytest.approx(c[1:], abs=1e-5) for c in ours]


def test_words_are_those_of_the_recognizer(words: list[pathlib.Path]) -> None:
    assert len(words) >= 300
    records = [json.loads(line) for line in must_run(SPIN_READ, "--format=jsonl", *words).splitlines()]
    assert [record["path"] for record in records] == list(map(str, words))
    turned = 0
    for record, word in zip(records, Recognizer().read_many(words), strict=True):
        assert isinstance(word, Word)
        assert_same(record, word)
        turned += word.turned != 0
    assert turned >= 20


def test_tall_words_stay_as_they_are_when_told_so(words: list[pathlib.Path]) -> None:
    tall = [path for path in words if path.name.startswith("tall-")]
    records = [
        json.loads(line)
        for line in must_run(SPIN_READ, "--noturn_tall", "--format=jsonl", "--threads=1", *tall).splitlines()
    ]
    for record, word in zip(records, Recognizer(turn_tall=False).read_many(tall), strict=True):
        assert isinstance(word, Word)
        assert_same(record, word)
        assert record["turned"] == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder as a user may have it: good, broken and odd files."""
    folder = tmp_path_factory.mktemp("cpp") / "odd files"
    folder.mkdir()
    for name in ("b.PNG", "a.jpg", "B.png", "é.png", "two\tfields.png", 'quo"te\\s.png', "c.JPEG", ".hidden.png"):
        draw(name[0] + "ord").save(folder / name, format="PNG" if name.lower().endswith("png") else "JPEG")
    whole = (folder / "b.PNG").read_bytes()
    with open(os.fsencode(folder) + b"/caf\xe9.png", "wb") as file:
        file.write(whole)
    (folder / "labels.txt").write_text("a.jpg\tword\n")
    (folder / "more.png").mkdir()
    (folder / "png, but called.jpg").write_bytes(whole)
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:-400])
    (folder / "empty.png").write_bytes(b"")
    (folder / "note.png").write_bytes(b'it\'s a "note"\n\xff')
    (folder / "header only.png").write_bytes(whole[:20])
    (folder / "link.png").symlink_to("b.PNG")
    (folder / "dead link.png").symlink_to("nowhere.png")
    (folder / "empty").mkdir()
    return folder


def recognize(*arguments: object, **options: object) -> tuple[int, str, str]:
    result = run(sys.executable, REPOSITORY / "bin" / "recognize.py", *arguments, errors="surrogateescape", **options)
    return result.returncode, result.stdout, result.stderr


def spin_read(*arguments: object, **options: object) -> tuple[int, str, str]:
    result = run(SPIN_READ, *arguments, errors="surrogateescape", **options)
    return result.returncode, result.stdout, result.stderr


def without_reasons_of_libraries(stderr: str) -> str:
    """Error lines without the words that libpng and Pillow have for the same fault, the list of formats, and how Python
    writes bytes that are no text and quotes within quotes."""
    stderr = re.sub(r"\\udc(..)", lambda match: chr(0xDC00 + int(match[1], 16)), stderr).replace("\\'", "'")
    stderr = re.sub(r"(is truncated or broken): .*?(\. Received: \d+ bytes)", r"\1\2", stderr)
    stderr = re.sub(r"(Not an image), or one of a format .*?\)(: this is .*?(?=\. Received))?", r"\1", stderr)
    return re.sub(r"The header of the image is broken: .*?\. Received", "Not an image. Received", stderr)


def test_lines_are_those_of_the_python_command(folder: pathlib.Path) -> None:
    arguments = [
        *(folder / "b.PNG", folder, folder / "absent.png", folder / "labels.txt", folder / "more.png" / "x.png"),
        *(folder / "a.jpg" / "x.png", folder / "note.png"),
    ]
    code, stdout, stderr = spin_read(*arguments)
    expected_code, expected_stdout, expected_stderr = recognize(*arguments)
    assert (code, stdout) == (expected_code, expected_stdout)
    assert code == 1
    assert stdout.count("\n") == 11
    assert without_reasons_of_libraries(stderr) == without_reasons_of_libraries(expected_stderr)
    assert stderr.count("\n") == 11


def test_jsonl_lines_are_those_of_the_python_command(folder: pathlib.Path) -> None:
    ours, theirs = (
        [json.loads(line) for line in run_it("--format=jsonl", folder)[1].splitlines()]
        for run_it in (spin_read, recognize)
    )
    assert len(ours) == 10
    for record, expected in zip(ours, theirs, strict=True):
        numbers, their_numbers = (
            [one.pop("confidence"), *(c.pop(key) for c in one["characters"] for key in ("confidence", "x"))]
            for one in (record, expected)
        )
        assert list(record.items()) == list(expected.items())
        assert numbers == pytest.approx(their_numbers, abs=1e-5)


@pytest.mark.parametrize("argument", ["odd files", "odd files/", ".//odd files//.", "odd files/../odd files"])
def test_paths_are_those_of_python_but_for_their_spelling(folder: pathlib.Path, argument: str) -> None:
    ours, theirs = (
        [json.loads(line)["path"] for line in run_it("--format=jsonl", argument, cwd=folder.parent)[1].splitlines()]
        for run_it in (spin_read, recognize)
    )
    assert [os.path.normpath(path) for path in ours] == [os.path.normpath(path) for path in theirs]
    assert len(ours) == 10 and all(os.path.exists(folder.parent / path) for path in ours)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model=absent.tflite", "word.png"],
        ["--model=setup.cfg", "word.png"],
        ["tests/deploy"],
        ["--modell=x", "word.png"],
        ["--format=xml", "word.png"],
        ["--turn=left", "word.png"],
        ["word.png", "--model"],
    ],
)
def test_mistakes_are_those_of_the_python_command(arguments: list[str]) -> None:
    code, stdout, stderr = spin_read(*arguments)
    expected_code, expected_stdout, expected_stderr = recognize(*arguments)
    assert (code, stdout) == (expected_code, expected_stdout) and code != 0
    expected = expected_stderr.splitlines()[0].replace("bin/recognize.py", "spin_read")
    expected = re.sub(r"\(File is not a zip file\)", "(no archive with it at the end)", expected)
    assert stderr.splitlines()[0] == re.sub(r"\. Did you mean: .*? \?", "", expected)


def test_rectified_pictures_are_for_the_python_command() -> None:
    code, stdout, stderr = spin_read("--save_rectified=rectified", "README.md")
    assert (code, stdout) == (2, "") and "--save_rectified is for bin/recognize.py" in stderr


def test_a_reader_that_stops_early(words: list[pathlib.Path]) -> None:
    script = '"$0" $(yes "$1" | head -n 1500) | head -n 1; exit "${PIPESTATUS[0]}"'
    result = run("bash", "-c", script, SPIN_READ, words[0])
    assert (result.returncode, result.stderr, result.stdout.count("\n")) == (0, "", 1)


def damaged_models(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    whole = MODEL.read_bytes()
    with zipfile.ZipFile(MODEL) as archive:
        metadata = json.loads(archive.read("spin_tf.json"))
    flatbuffer = whole[: whole.rindex(b"PK\x03\x04")]
    damaged = bytearray(flatbuffer)
    damaged[8:4000:50] = bytes(value ^ 0x55 for value in damaged[8:4000:50])
    charset = metadata["charset"]
    changes: dict[str, tuple[bytes, object]] = {
        "newer": (flatbuffer, {**metadata, "format": 2, "spin_tf_version": "9.9"}),
        "without size": (flatbuffer, {key: value for key, value in metadata.items() if key != "image_size"}),
        "odd size": (flatbuffer, {**metadata, "image_size": [32]}),
        "odd wide size": (flatbuffer, {**metadata, "wide_image_size": [32, 0]}),
        "later preprocessing": (flatbuffer, {**metadata, "preprocessing": 3}),
        "odd preprocessing": (flatbuffer, {**metadata, "preprocessing": "two"}),
        "too long": (flatbuffer, {**metadata, "max_length": 1001}),
        "repeating charset": (flatbuffer, {**metadata, "charset": {**charset, "characters": "éabcabé"}}),
        "too much": (flatbuffer, {**metadata, "padding": " " * (1 << 24)}),
        "short charset": (flatbuffer, {**metadata, "charset": {**charset, "characters": charset["characters"][:-1]}}),
        "no flatbuffer": (b"x" * 4096, metadata),
        "damaged": (bytes(damaged), metadata),
    }
    for name, (content, said) in changes.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("spin_tf.json", json.dumps(said))
        yield path
    (tmp_path / "cut.tflite").write_bytes(whole[:-10])
    yield tmp_path / "cut.tflite"


def test_models_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    for path in damaged_models(tmp_path):
        code, stdout, stderr = spin_read(f"--model={path}", "word.png")
        expected = recognize(f"--model={path}", "word.png")
        assert (code, stdout, stderr.count("\n")) == (2, "", 1), path
        assert expected[0] == 2
        # What LiteRT itself says about a model differs between its two interfaces, and lists of JSON have no spaces.
        causes = r"(LiteRT cannot load the model): .*?(\. Received)|(that can be read) \(.*?\)|(?<=\[\d\d,) (?=\d\])"
        assert re.sub(causes, r"\1\2\3", stderr) == re.sub(causes, r"\1\2\3", expected[2])


def test_a_model_without_the_signature_for_its_wide_size(tmp_path: pathlib.Path, strip_model: pathlib.Path) -> None:
    content = strip_model.read_bytes()
    path = tmp_path / "narrow.tflite"
    path.write_bytes(content[: content.rindex(b"PK\x03\x04")])
    with zipfile.ZipFile(strip_model) as archive:
        metadata = json.loads(archive.read("spin_tf.json"))
    with zipfile.ZipFile(path, "a") as archive:
        said = {**metadata, "preprocessing": 2, "wide_image_size": [32, 256]}
        archive.writestr("spin_tf.json", json.dumps(said))
    code, _, stderr = spin_read(f"--model={path}", "README.md")
    assert code == 2 and "LiteRT cannot load the model: no signature serving_default_wide. Received" in stderr


def test_the_signature_is_found_by_its_name(tmp_path: pathlib.Path) -> None:
    """Among others of other shapes, before and behind it."""
    import tensorflow as tf

    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((2, 32, 128, 1), tf.float32, name="image")])
        def batch(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": image[:, :5, :38, 0] * 2.0, "positions": image[:, 0, :5, 0] + 1.0}

        @tf.function(input_signature=[tf.TensorSpec((1, 32, 128, 1), tf.float32, name="image")])
        def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
            return dict(zip(("probabilities", "positions"), strip_model.read_strips(image), strict=True))

        @tf.function(input_signature=[tf.TensorSpec((3, 7), tf.float32, name="states")])
        def step(self, states: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"output": states * 3.0}

    model = Model()
    names = {"batch": model.batch, "serving_default": model.serve, "step": model.step}
    tf.saved_model.save(model, str(tmp_path / "many"), signatures=names)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "many"), signature_keys=list(names))
    path = tmp_path / "many.tflite"
    path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("spin_tf.json", json.dumps({**strip_model.WIDE_METADATA, "preprocessing": 1}))
    # Its four strips are eight of the model's.
    Image.fromarray(strip_model.draw("abc", 32, 128)).save(tmp_path / "word.png")
    result = spin_read(f"--model={path}", tmp_path / "word.png")
    assert result[0] == 0, result[2]
    assert result[1].split("\t")[1] == "aabbcc"
