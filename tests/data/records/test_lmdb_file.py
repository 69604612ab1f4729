"""The reader of LMDB files against the library that writes them, and against files that are damaged."""

from __future__ import annotations

import random

import lmdb
import pytest

from spin_tf.data.records.lmdb_file import LmdbError, LmdbFile


def write(path, count, longest, seed=0):
    """A database that has been written to, rewritten and deleted from; returns what is in it."""
    rng = random.Random(seed)
    content: dict[bytes, bytes] = {}
    with lmdb.open(str(path), map_size=1 << 26) as database:
        for _ in range(3):
            with database.begin(write=True) as transaction:
                for _ in range(count):
                    key, value = b"image-%09d" % rng.randrange(2 * count), rng.randbytes(rng.randrange(longest))
                    transaction.put(key, value)
                    content[key] = value
                for key in rng.sample(sorted(content), len(content) // 10):
                    transaction.delete(key)
                    del content[key]
    return content


@pytest.mark.parametrize(("count", "longest"), [(0, 1), (1, 10), (3000, 60), (60, 20000)])
def test_every_value_is_found_and_no_other(tmp_path, count, longest):
    content = write(tmp_path / "db", count, longest)
    database = LmdbFile(tmp_path / "db")
    assert database.num_entries == len(content)
    assert {key: database.get(key) for key in content} == content
    for key in (b"", b"a", b"image-", b"image-%09d" % (2 * count), b"image-000000000x", b"z", b"\xff" * 600):
        assert database.get(key) is None
    assert database.first_keys(3) == sorted(content)[:3]


def test_a_file_that_is_cut_off_says_so_wherever_it_ends(tmp_path):
    content = write(tmp_path / "db", 200, 3000)
    path = tmp_path / "db" / "data.mdb"
    whole = path.read_bytes()
    for size in [*range(0, len(whole), len(whole) // 40), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(LmdbError, match="Received"):
            LmdbFile(path)
    # Cut off after it has been opened: a mapped file would end the process here.
    path.write_bytes(whole)
    database = LmdbFile(path)
    with open(path, "r+b") as file:
        file.truncate(8192)
    with pytest.raises(LmdbError, match="cut off"):
        for key in content:
            database.get(key)


def test_a_tree_without_end_and_other_kinds_are_refused(tmp_path):
    write(tmp_path / "db", 3000, 20)
    path = tmp_path / "db" / "data.mdb"
    data = bytearray(path.read_bytes())
    database = LmdbFile(path)
    root = database._meta.root * 4096
    assert data[root + 10] == 1, "the root is a branch page"
    # Every child of the root is the root itself.
    for index in range((int.from_bytes(data[root + 12 : root + 14], "little") - 16) // 2):
        node = root + int.from_bytes(data[root + 16 + 2 * index : root + 18 + 2 * index], "little")
        data[node : node + 6] = database._meta.root.to_bytes(6, "little")
    path.write_bytes(data)
    with pytest.raises(LmdbError, match="no end"):
        LmdbFile(path).get(b"image-000000001")
    with lmdb.open(str(tmp_path / "numbers"), map_size=1 << 20, max_dbs=1) as other:
        other.open_db(b"inner")
    with pytest.raises(LmdbError, match="a database or several values"):
        LmdbFile(tmp_path / "numbers").get(b"inner")
