"""The guarded file reader: regular files only, size first."""

from __future__ import annotations

import os
import socket
import threading
import time
import tracemalloc

import pytest

from spin_tf._input_files import MAX_BYTES, read_regular_file
from spin_tf.data.images import ImageError, read_image_file


def special_files(folder):
    """What is no regular file, by what the message calls it."""
    os.mkfifo(folder / "pipe")
    os.symlink(folder / "pipe", folder / "link")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.close()
    return {"pipe": "a named pipe", "link": "a named pipe", "socket": "a socket", "/dev/zero": "a device"}


def test_whole_files_are_read(tmp_path):
    for size in (0, 1, 70_000, 3 << 20):
        data = os.urandom(size)
        (tmp_path / "file").write_bytes(data)
        assert read_regular_file(tmp_path / "file") == data
    os.symlink(tmp_path / "file", tmp_path / "link")
    assert read_regular_file(str(tmp_path / "link")) == data
    assert read_regular_file(tmp_path / "file", limit=3 << 20) == data
    # It has no size, and holds something.
    assert b"Name:" in read_regular_file("/proc/self/status") if os.path.exists("/proc/self/status") else True


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    start = time.monotonic()
    for name, kind in special_files(tmp_path).items():
        with pytest.raises(OSError, match=f"Only regular files are read, and this is {kind}"):
            read_regular_file(tmp_path / name)
    with pytest.raises(IsADirectoryError):
        read_regular_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_regular_file(tmp_path / "absent")
    with pytest.raises(ValueError, match="null"):
        read_regular_file("a\0b")
    assert time.monotonic() - start < 30


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_swapped_after_the_first_look_is_refused(tmp_path, monkeypatch):
    """Between looking and opening, the file becomes a pipe: opening must not wait for its other end."""
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("spin_tf._input_files.check_regular", lambda path: None)
    ended = threading.Event()

    def read():
        with pytest.raises(OSError, match="named pipe"):
            read_regular_file(tmp_path / "pipe")
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    assert ended.wait(30)


def test_size_is_looked_at_before_reading(tmp_path):
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(3 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match=rf"up to {MAX_BYTES} bytes\. Received: {3 << 30} bytes") as caught:
            read_image_file(tmp_path / "huge.png")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.reason == "file_too_large"
    (tmp_path / "file").write_bytes(bytes(11))
    with pytest.raises(OSError, match=r"up to 10 bytes\. Received: 11 bytes"):
        read_regular_file(tmp_path / "file", limit=10)
