"""The Recognizer, against a model whose readings are known."""

from __future__ import annotations

import io
import json
import pathlib
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

import spin_tf
from spin_tf.charset import Charset
from spin_tf.contract.errors import ImageError
from spin_tf.contract.preprocessing import preprocess
from spin_tf.reading.inputs import ImageLike, load_image
from spin_tf.reading.litert import LiteRTModel
from spin_tf.recognizer import Character, ReadError, Recognizer, Word, bundled_model
from tests import strip_model as strips


@pytest.fixture(scope="module")
def recognizer(strip_model: pathlib.Path) -> Recognizer:
    return Recognizer(strip_model)


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **options)
    return buffer.getvalue()


def test_reads_characters_with_places(recognizer: Recognizer) -> None:
    word = recognizer.read(strips.draw("k9z"))
    assert isinstance(word, Word)
    assert word.text == "k9z"
    assert [c.character for c in word.characters] == ["k", "9", "z"]
    assert [c.x for c in word.characters] == [0.125, 0.375, 0.625]


def test_confidence_is_the_product_with_the_end(recognizer: Recognizer) -> None:
    image = strips.draw("ab")
    image[:, :25] += 2  # Between two levels: a doubtful first character.
    word = recognizer.read(image)
    probabilities, _ = strips.read(((image.astype(np.float64) - 127.5) / 127.5)[None, ..., None])
    expected = probabilities[0].max(axis=-1)[:3]
    assert word.text == "ab"
    assert expected[0] < 0.95
    assert [c.confidence for c in word.characters] == pytest.approx(expected[:2], abs=1e-5)
    assert word.confidence == pytest.approx(expected.prod(), abs=1e-5)


@pytest.mark.parametrize("word", ["", "a", "ab12", "zzzz", "0"])
def test_words_of_every_length(recognizer: Recognizer, word: str) -> None:
    assert recognizer.read(strips.draw(word)).text == word


@pytest.mark.parametrize(("quarters", "turned"), [(0, 0), (1, -90), (-1, 90)])
def test_words_that_run_up_or_down(recognizer: Recognizer, quarters: int, turned: int) -> None:
    image = np.rot90(strips.draw("k9z"), quarters)
    word = recognizer.read(image)
    assert (word.text, word.turned) == ("k9z", turned)
    assert [c.x for c in word.characters] == [0.125, 0.375, 0.625]
    assert recognizer.read([image, strips.draw("ab")]) == [word, recognizer.read(strips.draw("ab"))]
    assert list(recognizer.read_many([image])) == [word]


@pytest.mark.parametrize("options", [{"turn_tall": False}, {"turn": "none"}, {"turn": "auto", "turn_tall": False}])
def test_crops_are_left_as_they_are_on_request(strip_model: pathlib.Path, options: dict[str, Any]) -> None:
    word = Recognizer(strip_model, **options).read(np.rot90(strips.draw("k9z")))
    assert word.turned == 0 and word.text != "k9z"


def test_directions_are_kept_and_checked(strip_model: pathlib.Path) -> None:
    """What is read upside down stands in tests/contract."""
    recognizer = pickle.loads(pickle.dumps(Recognizer(strip_model, turn="auto")))
    assert recognizer.turn == "auto"
    # The model is as sure of a word from behind: the upright reading comes first, and counts.
    word = recognizer.read(strips.draw("k9z1"))
    assert (word.text, word.turned) == ("k9z1", 0)
    with pytest.raises(ValueError, match=r"turn is tall, none or auto\. Received: turn='down'"):
        Recognizer(strip_model, turn="down")


def test_one_letter_alone_is_not_turned(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Model:
        def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            assert len(images) == 3
            probabilities = np.full((3, 4, 38), 0.001, np.float32)
            for view, (text, confidence) in enumerate([((2,), 0.5), ((3,), 0.9), ((4, 5), 0.6)]):
                for step in range(4):
                    probabilities[view, step, text[step] if step < len(text) else 1] = confidence
            return probabilities, np.zeros((3, 4), np.float32)

    monkeypatch.setattr(recognizer, "model", Model())
    # 1.5 times as high as wide is tall enough.
    word = recognizer.read(np.zeros((60, 40), np.uint8))
    # 0.5 ** 2 for "0" as it is, 0.9 ** 2 for "1" turned one way, 0.6 ** 3 for "23" turned the other.
    assert (word.text, word.turned) == ("0", 0)
    with pytest.raises(AssertionError):
        recognizer.read(np.zeros((59, 40), np.uint8))


class _Endless:
    """A model that never predicts the end, and once the start token."""

    def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probabilities = np.full((len(images), 4, 38), 0.01, np.float32)
        for step, token in enumerate([2, 0, 3, 4]):
            probabilities[:, step, token] = 0.5
        return probabilities, np.linspace(0, 1, 4, dtype=np.float32)[None].repeat(len(images), axis=0)


def test_word_without_an_end_and_start_tokens(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizer, "model", _Endless())
    word = recognizer.read(strips.draw("a"))
    assert word.text == "012"
    assert word.confidence == pytest.approx(0.5**4)
    assert [c.x for c in word.characters] == pytest.approx([0.0, 2 / 3, 1.0])


def test_every_kind_of_input_reads_the_same(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    grey = strips.draw("q4w")
    rgb = np.stack([grey] * 3, axis=-1)
    rgba = np.concatenate([rgb, np.full((*grey.shape, 1), 255, np.uint8)], axis=-1)
    path = tmp_path / "word.png"
    Image.fromarray(grey).save(path)
    inputs: list[ImageLike] = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), Image.open(path)]
    inputs += [grey, grey[..., None], rgb, rgba, rgb[:, ::-1][:, ::-1], Image.fromarray(rgba)]
    expected = recognizer.read(grey)
    assert expected.text == "q4w"
    assert recognizer.read(inputs) == [expected] * len(inputs)
    assert [recognizer.read(image) for image in inputs] == [expected] * len(inputs)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "CMYK", "YCbCr", "HSV", "F", "PA"])
def test_every_pil_mode(recognizer: Recognizer, mode: str) -> None:
    image = Image.fromarray(strips.draw("abc"))
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    assert image.mode == mode
    assert recognizer.read(image).text == "abc"


def test_16_bit_pil_image(recognizer: Recognizer) -> None:
    image = Image.fromarray(strips.draw("abc").astype(np.uint16) * 257)
    assert image.mode == "I;16"
    assert recognizer.read(image).text == "abc"


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 98}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_file_formats(recognizer: Recognizer, file_format: str, options: dict[str, object]) -> None:
    assert recognizer.read(encode(Image.fromarray(strips.draw("spin")), file_format, **options)).text == "spin"


def test_transparency_is_white(recognizer: Recognizer) -> None:
    rgba = np.zeros((32, 100, 4), np.uint8)
    rgba[..., 3] = 255
    rgba[:, 25:50, 3] = 0
    assert recognizer.read(rgba).text == ""
    rgba[:, :25, :3] = 255
    assert recognizer.read(rgba).text == "zz"


def test_rotation_of_a_photograph_is_undone(recognizer: Recognizer) -> None:
    image = Image.fromarray(strips.draw("turn")).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(image, "JPEG", quality=98, exif=exif)
    assert recognizer.read(data).text == "turn"
    assert recognizer.read(Image.open(io.BytesIO(data))).text == "turn"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((32, 100), np.float32),
        np.zeros((32, 100), bool),
        np.zeros((32, 100), np.uint16),
        np.zeros((32, 100, 2), np.uint8),
        np.zeros((3, 32, 100), np.uint8),
        np.zeros((1, 32, 100, 3), np.uint8),
        np.zeros((0, 100), np.uint8),
        np.zeros(100, np.uint8),
    ],
)
def test_other_arrays_are_refused(recognizer: Recognizer, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Received: .*shape=") as caught:
        recognizer.read(array)
    assert str(array.shape) in str(caught.value)


def test_what_is_no_image_is_refused(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    with pytest.raises(TypeError, match=r"Received: a builtins\.int"):
        recognizer.read(3)  # type: ignore[call-overload]
    with pytest.raises(FileNotFoundError):
        recognizer.read(tmp_path / "absent.png")
    with pytest.raises(ImageError):
        recognizer.read(b"no image")
    mixed: list[ImageLike] = [strips.draw("a"), b"no image"]
    with pytest.raises(ImageError):
        recognizer.read(mixed)
    assert recognizer.read([]) == []


def test_read_many_keeps_order_and_goes_on_after_errors(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    alphabet = strips.CHARSET.characters
    words = [alphabet[i % 36] + alphabet[i // 36] for i in range(100)]
    images: list[ImageLike] = [strips.draw(word) for word in words]
    images[7] = tmp_path / "absent.png"
    images[50] = b"\x89PNG broken"
    images[99] = np.zeros((2, 2), np.float64)
    results = list(recognizer.read_many(images))
    assert [i for i, result in enumerate(results) if isinstance(result, ReadError)] == [7, 50, 99]
    assert results[7] == ReadError("No such file or directory")
    assert [r.text for r in results if isinstance(r, Word)] == [w for i, w in enumerate(words) if i not in (7, 50, 99)]


def test_read_many_takes_several_images(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    """A path has letters, bytes are numbers and an array has lines: none of them is an image."""
    image = strips.draw("ab")
    path = tmp_path / "word.png"
    Image.fromarray(image).save(path)
    rgb = np.stack([image] * 3, axis=-1)
    opened = Image.open(path)
    for one in (path, str(path), path.read_bytes(), bytearray(b"x"), memoryview(b"x"), image, rgb, opened):
        with pytest.raises(TypeError, match=r"read_many takes several images.*Received: "):
            recognizer.read_many(one)  # type: ignore[arg-type]
    stack = np.stack([rgb, 255 - rgb])
    assert list(recognizer.read_many(stack)) == recognizer.read(list(stack))
    for several in ([path], (image,), iter([opened]), {str(path): None}):
        assert [word.text for word in recognizer.read_many(several)] == ["ab"]  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="not iterable"):
        recognizer.read_many(3)  # type: ignore[arg-type]


class _Failing(Image.Image):
    """An image whose decoder fails in its own way."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error
        self._size = (9, 9)
        self._mode = "RGB"

    def load(self) -> None:  # type: ignore[override]
        raise self._error


def test_read_many_never_raises_for_one_image(recognizer: Recognizer, tmp_path: pathlib.Path) -> None:
    closed = Image.new("RGB", (9, 9))
    closed.close()
    kinds = (
        struct.error("x"),
        AttributeError("x"),
        KeyError("x"),
        MemoryError(),
        RecursionError("x"),
        AssertionError(),
    )
    odd: list[object] = [
        *map(_Failing, kinds),
        closed,
        Image.new("RGB", (0, 9)),
        None,
        object(),
        [],
        "a\0b",
        "",
        tmp_path,
    ]
    results = list(recognizer.read_many([*odd, strips.draw("ab")]))  # type: ignore[list-item]
    assert [type(result) for result in results] == [ReadError] * len(odd) + [Word]
    assert all(result.reason and "\n" not in result.reason for result in results[:-1])  # type: ignore[union-attr]
    for image in odd[:5]:
        with pytest.raises((ValueError, MemoryError)):
            recognizer.read(image)  # type: ignore[call-overload]


def test_read_many_is_a_stream(recognizer: Recognizer) -> None:
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield strips.draw("ab")

    stream = recognizer.read_many(endless())
    assert [next(stream).text for _ in range(10)] == ["ab"] * 10  # type: ignore[union-attr]
    stream.close()  # type: ignore[attr-defined]
    assert taken <= 10 + (4 * recognizer.num_threads + 1) * LiteRTModel.batch_size


def test_models_that_take_batches(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    class Batches:
        metadata = strips.METADATA

        def predict_words(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            sizes.append(len(images))
            return strips.read(images)

    model = Batches()
    monkeypatch.setattr("spin_tf.recognizer.load_word_model", lambda path, num_threads: model)
    batched = Recognizer("any.keras", num_threads=1)
    images: list[ImageLike] = [strips.draw("abc"), b"broken"] * 64
    images.append(strips.draw("xyz"))
    results = list(batched.read_many(images))
    assert sizes == [32, 32, 1]
    assert [type(r) for r in results] == [Word, ReadError] * 64 + [Word]
    assert results[-1].text == "xyz"  # type: ignore[union-attr]


def test_one_thread_and_several_agree(strip_model: pathlib.Path) -> None:
    images = [strips.draw(word) for word in ("ab", "cd", "ef", "gh")] * 5
    assert Recognizer(strip_model, num_threads=1).read(images) == Recognizer(strip_model, num_threads=3).read(images)
    with pytest.raises(ValueError, match="Received: num_threads=0"):
        Recognizer(strip_model, num_threads=0)


def test_charset_and_size_come_from_the_file(recognizer: Recognizer) -> None:
    assert recognizer.charset == strips.CHARSET
    assert recognizer.image_size == (32, 100)
    assert recognizer.metadata["name"] == "strips"


def _with_metadata(model: pathlib.Path, path: pathlib.Path, **changes: object) -> pathlib.Path:
    with zipfile.ZipFile(model) as archive:
        size = archive.infolist()[0].header_offset
    path.write_bytes(model.read_bytes()[:size])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("spin_tf.json", json.dumps({**strips.METADATA, **changes}))
    return path


def test_another_charset_gives_other_text(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    reversed_charset = Charset(strips.CHARSET.characters[::-1])
    path = _with_metadata(strip_model, tmp_path / "reversed.tflite", charset=reversed_charset.to_dict())
    assert Recognizer(path).read(strips.draw("0z")).text == "z0"


def test_models_that_cannot_be_used(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such model.*absent\.tflite"):
        Recognizer(tmp_path / "absent.tflite")
    with pytest.raises(ValueError, match="Received: format=2"):
        Recognizer(_with_metadata(strip_model, tmp_path / "newer.tflite", format=2))
    with pytest.raises(ValueError, match="36 characters but its charset holds 3"):
        Recognizer(_with_metadata(strip_model, tmp_path / "other.tflite", charset=Charset("abc").to_dict()))
    incomplete = tmp_path / "incomplete.tflite"
    with zipfile.ZipFile(incomplete, "w") as archive:
        archive.writestr("spin_tf.json", '{"format": 1, "max_length": 4}')
    with pytest.raises(ValueError, match="misses charset, image_size"):
        Recognizer(incomplete)
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(b"TFL3" * 100)
    with pytest.raises(ValueError, match=r"carries no spin_tf\.json"):
        Recognizer(bare)
    broken = tmp_path / "broken.tflite"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("spin_tf.json", json.dumps(strips.METADATA))
    with pytest.raises(ValueError, match=r"LiteRT cannot load.*broken\.tflite"):
        Recognizer(broken)
    with pytest.raises(ValueError, match=r"Only \.keras models and \.tflite files"):
        Recognizer(strip_model).rectify(strips.draw("a"))


def test_bundled_model_reads_on_the_core_install(repository: pathlib.Path) -> None:
    """TensorFlow, Keras and everything else of the extras made unimportable."""
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'omegaconf', 'scipy', 'lmdb', 'tensorboard'): sys.modules[name] = None\n"
        "import numpy, spin_tf\n"
        "word = spin_tf.Recognizer().read(numpy.full((32, 100), 255, numpy.uint8))\n"
        "assert 0 <= word.confidence <= 1 and isinstance(word.text, str)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert bundled_model().name == "spin.tflite"


@pytest.mark.slow
def test_a_folder_costs_little_more_than_the_model(tmp_path: pathlib.Path) -> None:
    """1,000 photographs take at most 1.15 times what the model alone takes one after another; best of three."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(1000):
        paths.append(tmp_path / f"{i}.jpg")
        pixels = rng.integers(0, 256, (12, 30, 3), np.uint8)
        Image.fromarray(pixels).resize((150, 60), Image.Resampling.BICUBIC).save(paths[-1])
    recognizer = Recognizer()
    prepared = [preprocess(load_image(path), recognizer.image_size)[None] for path in paths]
    ratios = []
    for _ in range(3):
        start = time.perf_counter()
        for image in prepared:
            recognizer.model.predict_words(image)
        model_seconds = time.perf_counter() - start
        start = time.perf_counter()
        assert sum(isinstance(word, Word) for word in recognizer.read_many(paths)) == len(paths)
        ratios.append((time.perf_counter() - start) / model_seconds)
    assert min(ratios) <= 1.15


def test_public_names() -> None:
    assert spin_tf.Recognizer is Recognizer
    assert spin_tf.Word is Word
    assert spin_tf.ReadError is ReadError
    assert set(spin_tf.__all__) <= set(dir(spin_tf))
    assert Character("a", 0.5, 0.1) == Character("a", 0.5, 0.1)
