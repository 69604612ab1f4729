"""Images that are open files: in memory, on a disk, behind a pipe, uploads."""

from __future__ import annotations

import io
import os
import pathlib
import tempfile
import threading
from typing import Any

import pytest
from PIL import Image

from spin_tf import ReadError, Recognizer, Word
from spin_tf.data.images import ImageError
from spin_tf.reading.inputs import load_image
from tests import strip_model as strips


@pytest.fixture(scope="module")
def recognizer(strip_model: pathlib.Path) -> Recognizer:
    return Recognizer(strip_model, num_threads=2)


@pytest.fixture
def word(tmp_path: pathlib.Path) -> pathlib.Path:
    Image.fromarray(strips.draw("k9z")).save(tmp_path / "word.png")
    return tmp_path / "word.png"


class Upload:
    """What web frameworks hand over: a name and a read() that gives a little at a time."""

    filename = "word.png"

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(min(size, 100) if size >= 0 else size)


def test_every_kind_of_open_file(recognizer: Recognizer, word: pathlib.Path) -> None:
    data = word.read_bytes()
    written = io.BytesIO()
    written.write(data)
    with (
        open(word, "rb") as file,
        open(word, "rb", buffering=0) as raw,
        tempfile.SpooledTemporaryFile() as spooled,
    ):
        spooled.write(data)
        files: list[Any] = [io.BytesIO(data), written, file, raw, spooled, Upload(data)]
        # A second time too: what was read is read from its start again.
        assert [recognizer.read(one).text for one in files + files[:-1]] == ["k9z"] * 11
        assert [one.text for one in recognizer.read(files[:-1])] == ["k9z"] * 5
        results = list(recognizer.read_many(iter([*files[:-1], io.BytesIO(b"none")])))
    assert [one.text for one in results[:-1] if isinstance(one, Word)] == ["k9z"] * 5
    assert isinstance(results[-1], ReadError) and results[-1].kind == "not_an_image"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no such pipes")
def test_a_pipe(recognizer: Recognizer, word: pathlib.Path) -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as reader, open(write_end, "wb") as writer:

        def write() -> None:
            writer.write(word.read_bytes())
            writer.close()

        thread = threading.Thread(target=write)
        thread.start()
        assert recognizer.read(reader).text == "k9z"
        thread.join()


class Awaited:
    async def seek(self, offset: int) -> None: ...

    async def read(self, size: int = -1) -> bytes:
        return b""


@pytest.mark.filterwarnings("error")
def test_what_gives_no_bytes(recognizer: Recognizer) -> None:
    with pytest.raises(TypeError, match="text: open it for reading bytes"):
        recognizer.read(io.StringIO("word"))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="have to be awaited"):
        recognizer.read(Awaited())  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a file opened for reading bytes"):
        recognizer.read(object())  # type: ignore[call-overload]
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(ValueError, match="closed file"):
        recognizer.read(closed)
    with pytest.raises(ImageError, match="empty"):
        recognizer.read(io.BytesIO())


def test_read_many_takes_several(recognizer: Recognizer, word: pathlib.Path) -> None:
    """A file is an iterable of its lines."""
    with open(word, "rb") as file, pytest.raises(TypeError, match="read_many takes several images"):
        recognizer.read_many(file)  # type: ignore[arg-type]


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch, word: pathlib.Path) -> None:
    monkeypatch.setattr("spin_tf.reading.inputs.MAX_BYTES", 50)

    class Endless:
        def read(self, size: int) -> bytes:
            return b"x" * min(size, 10)

    with pytest.raises(ImageError) as large:
        load_image(Endless())
    assert large.value.reason == "file_too_large"
