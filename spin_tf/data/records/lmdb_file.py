"""Reads the main database of an LMDB file, page by page and every number checked; nothing is mapped into memory.

The C library maps the file and trusts it: one that was cut off ends the process by SIGBUS, a damaged page by SIGSEGV or
an assertion. Reading a data set needs neither its speed nor its transactions.

The format (version 1, of all 0.9 releases, on 64-bit machines): pages of `md_pad` bytes, the first two of which hold
the state ("meta"), the one with the higher transaction number being valid; a B+ tree of branch and leaf pages; values
that do not fit lie in overflow pages. A page begins with its number (8 bytes), 2 unused, flags, and the ends of the
pointers and of the free space (2 each; for overflow pages the number of pages in 4). See mdb.c of LMDB 0.9, struct
MDB_page, MDB_meta, MDB_db and MDB_node.
"""

from __future__ import annotations

import collections
import os
import struct
import threading
from typing import NamedTuple

from spin_tf.data.records.positional import PositionalFile

_HEADER = struct.Struct("<QHHHH")
_META = struct.Struct("<IIQQ")
_DATABASE = struct.Struct("<IHHQQQQQ")
_META_END = struct.Struct("<QQ")
_NODE = struct.Struct("<HHHH")
_POINTER = struct.Struct("<H")
_PAGE_NUMBER = struct.Struct("<Q")
_MAGIC, _VERSION = 0xBEEFC0DE, 1
_BRANCH, _LEAF, _OVERFLOW, _META_PAGE = 0x01, 0x02, 0x04, 0x08
_BIG, _SUB_DATABASE, _DUPLICATES = 0x01, 0x02, 0x04
# Orders of keys other than that of their bytes, and several values a key.
_OTHER_ORDERS = 0x02 | 0x04 | 0x08 | 0x10 | 0x20 | 0x40
_NO_PAGE = 2**64 - 1
_MAX_DEPTH = 32
_CACHED_PAGES = 256


class LmdbError(ValueError):
    """An LMDB file, or a place in one, that cannot be read."""


class _Meta(NamedTuple):
    page_size: int
    flags: int
    depth: int
    entries: int
    root: int
    last_page: int
    transaction: int


class LmdbFile:
    """An LMDB opened for reading; any number of threads may read from it.

    Args:
        path: the file `data.mdb`, or the folder that holds it.
        max_value: longest value that is read.

    Attributes:
        num_entries: keys in the database, as it says, but never more than its pages can hold.

    Raises:
        LmdbError: this is no LMDB, it was cut off, or it is of a kind that is not read.
        OSError: the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], max_value: int = 256 * 2**20) -> None:
        self.path = os.fspath(path)
        if os.path.isdir(self.path):
            self.path = os.path.join(self.path, "data.mdb")
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise LmdbError(f"data.mdb is no regular file. Received: {self.path}")
        self._max_value = max_value
        self._file = PositionalFile(self.path)
        self._pages: collections.OrderedDict[int, bytes] = collections.OrderedDict()
        self._lock = threading.Lock()
        try:
            self._meta = self._read_meta()
        except BaseException:
            self._file.close()
            raise
        # A leaf's entry takes at least its pointer, the node's header and a byte of the key.
        self.num_entries = min(self._meta.entries, self._size // (_POINTER.size + _NODE.size + 1))

    @property
    def _size(self) -> int:
        return self._file.size

    def _read_meta(self) -> _Meta:
        size = self._size
        first = self._parse_meta(0)
        metas = [first] if first else []
        # Where the first is damaged, the second lies at one of the sizes that pages have.
        for page_size in [first.page_size] if first else [1 << shift for shift in range(9, 17)]:
            second = self._parse_meta(page_size)
            if second and second.page_size == page_size:
                metas.append(second)
                break
        if not metas:
            raise LmdbError(f"This is no LMDB of a 64-bit little-endian machine. Received: {self.path} of {size} bytes")
        meta = max(metas, key=lambda found: found.transaction)
        needed = (meta.last_page + 1) * meta.page_size
        if meta.root != _NO_PAGE and size < needed:
            raise LmdbError(f"The LMDB is cut off: {needed} bytes are its pages. Received: {self.path} of {size} bytes")
        if meta.flags & _OTHER_ORDERS:
            raise LmdbError(f"An LMDB of another order of keys. Received: {self.path} with flags {meta.flags:#x}")
        if meta.depth > _MAX_DEPTH:
            raise LmdbError(f"The LMDB is damaged: its tree is {meta.depth} pages deep. Received: {self.path}")
        return meta

    def _parse_meta(self, offset: int) -> _Meta | None:
        length = _HEADER.size + _META.size + 2 * _DATABASE.size + _META_END.size
        data = self._file.read(length, offset)
        if len(data) < length or not _HEADER.unpack_from(data)[2] & _META_PAGE:
            return None
        magic, version, _, _ = _META.unpack_from(data, _HEADER.size)
        if magic != _MAGIC or version != _VERSION:
            return None
        at = _HEADER.size + _META.size
        page_size = _DATABASE.unpack_from(data, at)[0]
        _, flags, depth, _, _, _, entries, root = _DATABASE.unpack_from(data, at + _DATABASE.size)
        last_page, transaction = _META_END.unpack_from(data, at + 2 * _DATABASE.size)
        if page_size < 256 or page_size > 1 << 16 or page_size & (page_size - 1):
            return None
        return _Meta(page_size, flags, depth, entries, root, last_page, transaction)

    def _page(self, number: int) -> bytes:
        """A branch or leaf page, whose header and pointers lie inside it."""
        with self._lock:
            page = self._pages.get(number)
            if page is not None:
                self._pages.move_to_end(number)
                return page
        size = self._meta.page_size
        if number * size >= 2**63:
            raise LmdbError(f"The LMDB is damaged: it names page {number}. Received: {self.path}")
        page = self._file.read(size, number * size)
        if len(page) < size:
            raise LmdbError(f"The LMDB is cut off before page {number}. Received: {self.path}")
        found, _, flags, lower, _ = _HEADER.unpack_from(page)
        if found != number or not flags & (_BRANCH | _LEAF) or not _HEADER.size <= lower <= size:
            raise LmdbError(f"The LMDB is damaged at page {number}. Received: {self.path}")
        with self._lock:
            self._pages[number] = page
            if len(self._pages) > _CACHED_PAGES:
                self._pages.popitem(last=False)
        return page

    def _node(self, page: bytes, index: int) -> tuple[int, int, int, int, int]:
        """Place of the key, its length, and the three numbers of a node of a page."""
        (at,) = _POINTER.unpack_from(page, _HEADER.size + index * _POINTER.size)
        if at < _HEADER.size or at + _NODE.size > len(page):
            raise LmdbError(f"The LMDB is damaged: a node at byte {at} of a page. Received: {self.path}")
        low, high, flags, key_size = _NODE.unpack_from(page, at)
        if at + _NODE.size + key_size > len(page):
            raise LmdbError(f"The LMDB is damaged: a key of {key_size} bytes. Received: {self.path}")
        return at + _NODE.size, key_size, low, high, flags

    def _key(self, page: bytes, index: int) -> bytes:
        at, size, *_ = self._node(page, index)
        return page[at : at + size]

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none.

        Raises:
            LmdbError: the way to it, or the value itself, is damaged or cut off.
        """
        number = self._meta.root
        if number == _NO_PAGE:
            return None
        for _ in range(_MAX_DEPTH):
            page = self._page(number)
            branch = bool(_HEADER.unpack_from(page)[2] & _BRANCH)
            count = (_HEADER.unpack_from(page)[3] - _HEADER.size) // _POINTER.size
            # The first key of a branch page is empty: below everything.
            low, high = int(branch), count
            while low < high:
                middle = (low + high) // 2
                if self._key(page, middle) < key:
                    low = middle + 1
                else:
                    high = middle
            if not branch:
                found = low < count and self._key(page, low) == key
                return self._value(page, low) if found else None
            if not count:
                raise LmdbError(f"The LMDB is damaged: page {number} is an empty branch. Received: {self.path}")
            child = low if low < count and self._key(page, low) == key and low else low - 1
            _, _, first, second, third = self._node(page, child)
            number = first | second << 16 | third << 32
        raise LmdbError(f"The LMDB is damaged: its tree has no end. Received: {self.path}")

    def _value(self, page: bytes, index: int) -> bytes:
        at, key_size, low, high, flags = self._node(page, index)
        start, size = at + key_size, low | high << 16
        if flags & (_SUB_DATABASE | _DUPLICATES):
            raise LmdbError(f"A key with a database or several values. Received: {self.path}")
        if size > self._max_value:
            raise LmdbError(f"A value of {size} bytes, more than {self._max_value}. Received: {self.path}")
        if not flags & _BIG:
            if start + size > len(page):
                raise LmdbError(f"The LMDB is damaged: a value of {size} bytes in a page. Received: {self.path}")
            return page[start : start + size]
        if start + _PAGE_NUMBER.size > len(page):
            raise LmdbError(f"The LMDB is damaged: a page number is cut off. Received: {self.path}")
        (number,) = _PAGE_NUMBER.unpack_from(page, start)
        offset = number * self._meta.page_size
        if offset + _HEADER.size + size > self._size:
            raise LmdbError(f"The LMDB is cut off inside a value of {size} bytes. Received: {self.path}")
        data = self._file.read(_HEADER.size + size, offset)
        if len(data) < _HEADER.size + size:
            raise LmdbError(f"The LMDB is cut off inside a value of {size} bytes. Received: {self.path}")
        found, _, kind, _, _ = _HEADER.unpack_from(data)
        if found != number or not kind & _OVERFLOW:
            raise LmdbError(f"The LMDB is damaged at page {number}. Received: {self.path}")
        return data[_HEADER.size :]

    def first_keys(self, count: int) -> list[bytes]:
        """A few keys, for a message: those of the first leaf."""
        number = self._meta.root
        for _ in range(_MAX_DEPTH):
            if number == _NO_PAGE:
                break
            page = self._page(number)
            flags, lower = _HEADER.unpack_from(page)[2:4]
            total = (lower - _HEADER.size) // _POINTER.size
            if flags & _LEAF:
                return [self._key(page, index) for index in range(min(count, total))]
            if not total:
                break
            _, _, first, second, third = self._node(page, 0)
            number = first | second << 16 | third << 32
        return []
