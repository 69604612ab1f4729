"""Paths in several spellings, writes that fail halfway, locks, and Ctrl-C in workers."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from spin_tf import _locks
from spin_tf._files import check_output_file, check_output_folder, place, remove_others, write_atomically, write_text
from spin_tf._locks import FileLock, Locked


def spellings(folder, name):
    """The same file as `folder/name`, from `folder` as the working directory."""
    (folder / "sub").mkdir(exist_ok=True)
    if not (folder / "link").exists():
        os.symlink(folder, folder / "link")
    return [name, f"./{name}", f".//{name}", f"sub/../{name}", f"link/{name}", str(folder / name), f"{folder}//{name}"]


def test_a_place_has_one_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len({place(path) for path in spellings(tmp_path, "d-1")}) == 1
    assert place("d-1") != place("d-2") != place("sub/d-2")


def test_the_kept_file_is_not_removed_in_any_spelling(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for present in spellings(tmp_path, "new"):
        for kept in spellings(tmp_path, "new"):
            for name in ("new", "old"):
                (tmp_path / name).write_text("x")
            assert remove_others([present, "./old"], [kept]) == ["./old"]
            assert (tmp_path / "new").exists()


def test_weights_are_saved_twice_into_a_folder_in_any_spelling(tmp_path, monkeypatch):
    """What is stale is told by the folder's content, which lists names in a spelling of its own."""
    from types import SimpleNamespace

    from spin_tf.models.loading import save_weights

    monkeypatch.chdir(tmp_path)
    weights = SimpleNamespace(variables=[])
    for folder in (".", "./", "x//r", "x//r//", str(tmp_path)):
        os.makedirs(folder, exist_ok=True)
        stale = os.path.join(folder, "weights-00000-of-00009.npz")
        for _ in range(2):
            np.savez(stale)
            (path,) = save_weights(folder, weights)  # type: ignore[arg-type]
            assert os.path.exists(path) and not os.path.exists(stale)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(str(path), "old")

    def fail(temporary):
        with open(temporary, "w") as stream:
            stream.write("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_atomically(str(path), fail)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_outputs_are_tried_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    check_output_file(str(tmp_path / "new" / "deep" / "out.png"))
    assert not list((tmp_path / "new" / "deep").iterdir())
    with pytest.raises(OSError, match="Received: output="):
        check_output_file(str(tmp_path / "file" / "out.png"))
    with pytest.raises(OSError, match="Received: output="):
        check_output_file(str(tmp_path / "new"))
    with pytest.raises(OSError, match="Received: output="):
        check_output_folder("/proc/spin")


def test_a_lock_is_held_by_one_and_ends_with_its_process(tmp_path):
    path = str(tmp_path / "lock")
    lock = FileLock(path)
    with pytest.raises(Locked, match=f"process {os.getpid()} on "):
        FileLock(path)
    lock.release()
    code = f"import os; from spin_tf._locks import FileLock; lock = FileLock({path!r}); print('held'); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).stdout == b"held\n"
    with FileLock(path), pytest.raises(Locked):
        FileLock(path)
    FileLock(path).release()


def test_without_locks_in_the_system_a_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(_locks, "fcntl", None)
    monkeypatch.setattr(_locks, "msvcrt", None)
    with FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock"):
        pass
