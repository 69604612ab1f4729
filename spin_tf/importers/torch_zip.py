"""Reads the zip checkpoints of PyTorch (1.6 and later) without PyTorch and without running anything they hold."""

from __future__ import annotations

import math
import os
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from spin_tf.importers.pickled_arrays import Budget, UnsafeCheckpointError, checked_shape
from spin_tf.importers.restricted_pickle import loads

_BFLOAT16 = "bfloat16"
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": _BFLOAT16,
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True)
class _StorageType:
    """Stands in for `torch.FloatStorage` and its like: a name of a number format, nothing to call."""

    code: str


class _Archive:
    """The members of one checkpoint; every size is checked against the archive before anything is made."""

    def __init__(self, archive: zipfile.ZipFile, root: str, budget: Budget) -> None:
        self._archive = archive
        self._root = root
        self._budget = budget
        self._storages: dict[str, np.ndarray] = {}
        names = set(archive.namelist())
        self._big_endian = f"{root}byteorder" in names and self._read("byteorder") == b"big"

    def _read(self, name: str) -> bytes:
        try:
            info = self._archive.getinfo(self._root + name)
        except KeyError:
            raise UnsafeCheckpointError(f"a tensor's numbers are not in the archive. Received: {name:.99}") from None
        # PyTorch never compresses, and a member stored as it is cannot claim more bytes than the file has.
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise UnsafeCheckpointError(f"PyTorch stores its members uncompressed. Received: {name:.99}, compressed")
        self._budget.spend(info.file_size)
        return self._archive.read(info)

    def load(self) -> Any:
        functions: dict[str, Any] = {
            "torch._utils._rebuild_tensor_v2": self._rebuild_tensor,
            "torch._utils._rebuild_parameter": self._rebuild_parameter,
            **{f"torch.{name}": _StorageType(code) for name, code in _STORAGES.items()},
        }
        return loads(self._read("data.pkl"), functions, self._storage, self._budget)

    def _storage(self, identity: Any) -> np.ndarray:
        """('storage', type, key, device, number of elements) -> flat array."""
        if not isinstance(identity, tuple) or len(identity) < 5 or identity[0] != "storage":
            raise UnsafeCheckpointError("a checkpoint refers to tensor storages only. Received: another persistent id")
        _, kind, key, _, count = identity[:5]
        if not isinstance(kind, _StorageType) or not isinstance(key, str) or type(count) is not int:
            raise UnsafeCheckpointError(f"a storage is named by type, key and size. Received: {type(kind).__name__}")
        if key not in self._storages:
            data = self._read(f"data/{key}")
            code = "u2" if kind.code == _BFLOAT16 else kind.code
            dtype = np.dtype(code).newbyteorder(">" if self._big_endian else "<")
            if count * dtype.itemsize != len(data):
                raise UnsafeCheckpointError(
                    f"a storage claims {count * dtype.itemsize} bytes and brings {len(data)}. Received: key={key:.99}"
                )
            numbers = np.frombuffer(data, dtype)
            if kind.code == _BFLOAT16:
                self._budget.spend(2 * len(data))
                numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
            self._storages[key] = numbers
        return self._storages[key]

    def _rebuild_tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> np.ndarray:
        if not isinstance(storage, np.ndarray) or storage.ndim != 1:
            raise UnsafeCheckpointError(f"a tensor has no storage. Received: {type(storage).__name__}")
        (start,), shape, strides = checked_shape((offset,)), checked_shape(size), checked_shape(stride)
        if len(shape) != len(strides):
            raise UnsafeCheckpointError(f"a tensor has a stride a dimension. Received: size={shape}, stride={strides}")
        count = math.prod(shape)
        last = start + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if count and last >= len(storage):
            raise UnsafeCheckpointError(
                f"a tensor reaches element {last} of {len(storage)} stored. Received: size={shape}, stride={strides}"
            )
        self._budget.spend(count * storage.itemsize)
        if not count:
            return np.zeros(shape, storage.dtype)
        step = storage.itemsize
        view = np.lib.stride_tricks.as_strided(storage[start:], shape, [step * n for n in strides], writeable=False)
        return view.copy()

    def _rebuild_parameter(self, data: Any, *_: Any) -> np.ndarray:
        if not isinstance(data, np.ndarray):
            raise UnsafeCheckpointError(f"a parameter holds a tensor. Received: {type(data).__name__}")
        return data


def load_torch_zip(path: str | os.PathLike[str]) -> Any:
    """What `torch.save` wrote to a zip file: containers, numbers and text, with numpy arrays in place of tensors.

    Raises:
        UnsafeCheckpointError: for anything else in it, and where sizes do not fit the archive.
    """
    with zipfile.ZipFile(path) as archive:
        roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise UnsafeCheckpointError(f"a PyTorch checkpoint holds one data.pkl. Received: {len(roots)} in {path}")
        # Each number is counted once as the member that holds it, once as a tensor, and once more where bfloat16 grows.
        return _Archive(archive, roots[0], Budget(4 * os.path.getsize(path))).load()
