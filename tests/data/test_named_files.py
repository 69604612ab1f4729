"""Files that a person names: pipes are read where somebody writes to them, and nothing waits for ever."""

from __future__ import annotations

import os
import pathlib
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from spin_tf import _input_files
from spin_tf._input_files import open_named, read_list, read_pipe
from spin_tf.charset import Charset
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.trie import Trie
from spin_tf.synthesis.alphabet import DrawableWords
from spin_tf.synthesis.textures import Photographs, find_photographs

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
READERS: dict[str, Callable[[str], object]] = {
    "charset": lambda path: Charset.from_spec(f"file:{path}"),
    "lexicon": lambda path: Trie.from_file(path, Letters(Charset.from_spec("94"), False), 25),
    "words of synthesis": lambda path: DrawableWords.read([path]),
    "list": read_list,
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_to_which_nobody_writes(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_input_files, "PIPE_SECONDS", 0.3)
    os.mkfifo(tmp_path / "pipe")
    start = time.monotonic()
    with pytest.raises(OSError, match="Nobody writes to this named pipe"):
        READERS[name](str(tmp_path / "pipe"))
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_to_which_somebody_writes(name: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        time.sleep(0.2)
        with open(path, "w") as pipe:
            pipe.write("a\n")
            pipe.flush()
            time.sleep(0.2)
            pipe.write("b\nc")

    writer = threading.Thread(target=write)
    writer.start()
    result = READERS[name](str(path))
    writer.join()
    (tmp_path / "file").write_text("a\nb\nc")
    expected = READERS[name](str(tmp_path / "file"))
    words = "num_words" if name == "lexicon" else "characters" if name == "charset" else "words"
    assert getattr(result, words, result) == getattr(expected, words, expected)


def test_pipes_have_a_limit_and_devices_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"x" * 5000))
    writer.start()
    with pytest.raises(OSError, match="Files may have up to 4000 bytes"):
        read_pipe(path, limit=4000)
    writer.join()
    with pytest.raises(OSError, match="this is a device"):
        open_named("/dev/zero")
    with pytest.raises(IsADirectoryError):
        open_named(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_named(tmp_path / "absent")


@pytest.mark.parametrize("content", ["ab\r\nc\r\n", "ab\rc\r", "\ufeffab\nc\n"])
def test_lists_with_any_line_ends(content: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "list").write_bytes(content.encode())
    assert read_list(tmp_path / "list") == "ab\nc\n"


def test_checkpoints_are_regular_files(tmp_path: pathlib.Path) -> None:
    from spin_tf.importers.checkpoint_file import read_state_dict

    os.mkfifo(tmp_path / "best_accuracy.pdparams")
    with pytest.raises(OSError, match="Only regular files are read, and this is a named pipe"):
        read_state_dict(tmp_path / "best_accuracy.pdparams")


def test_backgrounds_go_through_the_guarded_reader(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no picture in a folder of backgrounds is passed over, whatever it does to a decoder."""
    from random import Random

    picture = np.random.default_rng(0).integers(0, 255, (60, 90), np.uint8)
    for name, kind in (("a.jfif", "JPEG"), ("b.tif", "TIFF"), ("c.png", "PNG")):
        Image.fromarray(picture).save(tmp_path / name, kind)
    os.mkfifo(tmp_path / "d.png")
    (tmp_path / "e.gif").write_bytes(b"GIF89a" + bytes(20))
    (tmp_path / "f.eps.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    Image.new("1", (300, 300)).save(tmp_path / "g.png")
    (tmp_path / "labels.txt").write_text("a")
    monkeypatch.setattr("spin_tf.data.images.MAX_PIXELS", 60_000)
    paths = find_photographs(tmp_path)
    assert [pathlib.Path(path).name for path in paths] == [
        *("a.jfif", "b.tif", "c.png", "d.png", "e.gif", "f.eps.png", "g.png")
    ]
    usable = [path for path in paths if Photographs([path]).cut(Random(0), (32, 100)) is not None]
    assert [pathlib.Path(path).name for path in usable] == ["a.jfif", "b.tif", "c.png"]
