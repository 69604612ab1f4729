"""LMDBs as their own library writes them, and those that were cut off."""

from __future__ import annotations

import concurrent.futures
import pathlib

import lmdb
import pytest

from spin_tf.data.conversion.entry import EntryError
from spin_tf.data.conversion.sources import lmdb_folder


def write(path: pathlib.Path, count: int) -> None:
    with lmdb.open(str(path), map_size=1 << 26) as database, database.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"%d" % count)
        for number in range(1, count + 1):
            transaction.put(b"label-%09d" % number, b"word%d" % number)
            transaction.put(b"image-%09d" % number, b"%d" % number * 1000)


def test_every_word_and_picture(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_folder, "_MANY", 7)
    path = str(tmp_path / "db")
    write(tmp_path / "db", 30)
    found = list(lmdb_folder.entries(path, path))
    assert [entry.text for entry in found] == [f"word{number}" for number in range(1, 31)]
    # From several threads, although the library opens a file once a process.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda entry: lmdb_folder.read(path, entry.key), found))
    assert pictures == [b"%d" % number * 1000 for number in range(1, 31)]
    with pytest.raises(EntryError, match="does not hold this key"):
        lmdb_folder.read(path, "image-000000031")


def test_a_file_that_is_cut_off_says_so_wherever_it_ends(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "db", 200)
    path = tmp_path / "db" / "data.mdb"
    whole = path.read_bytes()
    for size in [*range(0, len(whole), len(whole) // 20), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"LMDB is (cut off|damaged).*Received"):
            list(lmdb_folder.entries(str(tmp_path / "db"), ""))
    with pytest.raises(EntryError, match="cut off") as caught:
        lmdb_folder.read(str(tmp_path / "db"), "image-000000001")
    assert caught.value.reason == "damaged_lmdb"


def test_what_is_no_lmdb(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"holds no data\.mdb"):
        list(lmdb_folder.entries(str(tmp_path), ""))
    (tmp_path / "data.mdb").write_bytes(b"x" * 20_000)
    with pytest.raises(ValueError, match="damaged"):
        list(lmdb_folder.entries(str(tmp_path), ""))
