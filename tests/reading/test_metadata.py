"""Models whose metadata or tensors are not what they should be: one line, ValueError, whatever it is."""

from __future__ import annotations

import io
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import zipfile
from typing import Any

import numpy as np
import pytest

from spin_tf import Charset, Recognizer
from spin_tf.contract.metadata import check_tensors, parse_metadata
from tests import strip_model as strips

WRONG: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "text", [], [1], {}, {"x": 1}, 10**30, float("nan"))
METADATA: dict[str, Any] = strips.METADATA
CHARSET: dict[str, Any] = METADATA["charset"]


def archive(content: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        file.writestr("spin_tf.json", content)
    return stream.getvalue()


def flatbuffer(model: pathlib.Path) -> bytes:
    data = model.read_bytes()
    return data[: data.rfind(b"PK\3\4")]


def variants() -> dict[str, Any]:
    """The metadata with one value replaced by each wrong one."""
    found: dict[str, Any] = {f"all of it {value!r}": value for value in WRONG}
    for key in ("format", "charset", "image_size", "max_length"):
        found |= {f"{key} {value!r}": {**METADATA, key: value} for value in WRONG if value is not True}
        found[f"no {key}"] = {k: v for k, v in METADATA.items() if k != key}
    for key in ("characters", "fold_case", "name"):
        right = bool if key == "fold_case" else str
        wrong = [value for value in WRONG if not isinstance(value, right)]
        found |= {f"{key} {v!r}": {**METADATA, "charset": {**CHARSET, key: v}} for v in wrong}
    charsets = {"repeating": "aa", "half a character": "a\ud800", "too few": "ab"}
    for name, characters in charsets.items():
        found[name] = {**METADATA, "charset": {"characters": characters}}
    found["another key"] = {**METADATA, "charset": {**CHARSET, "lang": "en"}}
    found |= {f"preprocessing {value!r}": {**METADATA, "preprocessing": value} for value in (*WRONG, 3) if value != 1}
    sizes = ([32, 100, 1], [32], [64, 200], [32.0, 100], ["32", "100"], [0, 100], [-32, 100], [10**9, 10**9])
    found |= {f"size {size}": {**METADATA, "image_size": size} for size in sizes}
    wrong = [value for value in (*WRONG, *sizes) if value is not None and value != [64, 200]]
    found |= {f"wide size {size}": {**METADATA, "wide_image_size": size} for size in wrong}
    return found


def test_every_wrong_value_is_one_line(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    body, path = flatbuffer(strip_model), tmp_path / "model.tflite"
    cases = variants()
    assert len(cases) > 80
    for name, metadata in cases.items():
        path.write_bytes(body + archive(json.dumps(metadata).encode()))
        with pytest.raises(ValueError, match="Received: ") as caught:
            Recognizer(path)
        assert type(caught.value) is ValueError, name
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000, name


def test_models_for_a_preprocessing_that_is_not_known_say_what_to_do() -> None:
    newer = json.dumps({**METADATA, "preprocessing": 3}).encode()
    message = "was written for preprocessing 3; this spin_tf knows 1 and 2: update spin_tf. Received: model='new'"
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_metadata(newer, "new")
    for number in (1, 2):
        known = {**METADATA, "preprocessing": number, "wide_image_size": None}
        assert parse_metadata(json.dumps(known).encode(), "known") == known


def test_unknown_keys_are_left_alone(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(flatbuffer(strip_model) + archive(json.dumps({**METADATA, "licence": [None]}).encode()))
    assert Recognizer(path).read(strips.draw("ab")).text == "ab"


def test_archives_that_cannot_be_read(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    body = flatbuffer(strip_model)
    good = archive(json.dumps(METADATA).encode())
    method = bytearray(good)
    # The compression method, in the directory and in the entry itself.
    method[8:10] = method[good.index(b"PK\1\2") + 10 : good.index(b"PK\1\2") + 12] = struct.pack("<H", 99)
    encrypted = bytearray(good)
    encrypted[6] = encrypted[good.index(b"PK\1\2") + 8] = 1
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("other.json", "{}")
    cases = {
        "no archive": b"",
        "cut off": good[:-1],
        "method": bytes(method),
        "encrypted": bytes(encrypted),
        "checksum": good.replace(b"charset", b"Charset", 1),
        "other files": other.getvalue(),
        "not UTF-8": archive(b"\xff\xfe{"),
        "deep": archive(b"[" * 200_000),
        "huge": archive(b" " * (17 << 20), zipfile.ZIP_DEFLATED),
    }
    path = tmp_path / "model.tflite"
    for name, end in cases.items():
        path.write_bytes(body + end)
        with pytest.raises(ValueError, match=r"spin_tf\.json") as caught:
            Recognizer(path)
        assert type(caught.value) is ValueError and "\n" not in str(caught.value), name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_models_are_regular_files(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "model.tflite")
    os.mkfifo(tmp_path / "model.keras")
    for model in (tmp_path / "model.tflite", tmp_path / "model.keras", "/dev/zero"):
        with pytest.raises(OSError, match="Only regular files are read"):
            Recognizer(model)
    with pytest.raises(ValueError, match="A model has a name"):
        Recognizer("")


def detail(*shape: int, dtype: Any = np.float32) -> dict[str, Any]:
    return {"shape": np.array(shape, np.int32), "dtype": dtype}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"image": None}, "no image"),
        ({"probabilities": None}, "no probabilities"),
        ({"positions": None}, "no positions"),
        ({"image": detail(1, 32, 100, 3)}, "takes images of shape"),
        ({"image": detail(1, 32, 100)}, "takes images of shape"),
        ({"image": detail(8, 32, 100, 1)}, "takes images of shape"),
        ({"image": detail(1, 32, 100, 1, dtype=np.uint8)}, "float32"),
        ({"probabilities": detail(1, 5, 39)}, "37 characters but its charset holds 36"),
        ({"probabilities": detail()}, "characters but"),
        ({"probabilities": detail(1, 4, 38)}, "not \\(1, steps"),
        ({"probabilities": detail(5, 38)}, "not \\(1, steps"),
        ({"positions": detail(1, 5, 1)}, "not \\(1, steps"),
        ({"probabilities": detail(1, 0, 38), "positions": detail(1, 0)}, "not \\(1, steps"),
    ],
)
def test_tensors_fit_the_metadata(changes: dict[str, Any], problem: str) -> None:
    tensors = {"image": detail(1, 32, 100, 1), "probabilities": detail(1, 5, 38), "positions": detail(1, 5)}

    def check(tensors: dict[str, Any]) -> None:
        inputs = {key: value for key, value in tensors.items() if key == "image"}
        outputs = {key: value for key, value in tensors.items() if key != "image"}
        check_tensors(inputs, outputs, METADATA, "m.tflite")

    check(tensors)
    with pytest.raises(ValueError, match=rf"{problem}.*m\.tflite"):
        check({key: value for key, value in (tensors | changes).items() if value is not None})


def test_charsets_of_strangers() -> None:
    assert Charset.from_dict({"characters": "abc"}) == Charset("abc")
    for wrong in (*WRONG, {"characters": "a", "more": 1}, {"name": "x"}, {"characters": "ab", "fold_case": 1}):
        with pytest.raises(ValueError, match="Received: "):
            Charset.from_dict(wrong)


def test_saved_models_are_checked_alike(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="is no JSON"):
        parse_metadata(b"{", "folder")
    folder = tmp_path / "model" / "1"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"\x08\x99nonsense")
    for content, problem in (
        (b"[]", "no table"),
        (b"\xff", "no JSON"),
        (json.dumps(METADATA).encode(), "loaded"),
    ):
        (folder / "assets.extra" / "spin_tf.json").write_bytes(content)
        with pytest.raises(ValueError, match=problem) as caught:
            Recognizer(tmp_path / "model")
        assert "\n" not in str(caught.value)


def test_a_command_says_it_in_one_line(
    strip_model: pathlib.Path, tmp_path: pathlib.Path, repository: pathlib.Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(flatbuffer(strip_model) + archive(b"null"))
    command = [sys.executable, "bin/recognize.py", f"--model={path}", "word.png"]
    result = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith("error: The spin_tf.json of the model is no table of keys but None.")
