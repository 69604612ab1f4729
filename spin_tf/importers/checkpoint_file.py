"""Checkpoint files of other frameworks as plain dicts of arrays: .pdparams, .npz and PyTorch's zip files."""

from __future__ import annotations

import math
import os
import pathlib
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from spin_tf._input_files import check_regular
from spin_tf.importers.restricted_pickle import Budget, UnsafeCheckpointError, checked_shape, loads

_INFERENCE = (".pdiparams", ".pdmodel")
_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_NPZ_LIMIT = 1 << 32
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


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads the named arrays of a checkpoint; nothing that the file holds is run.

    Args:
        path: a .pdparams file of PaddlePaddle (a pickle of protocol 2 to 5), a .npz file with the same names, or a
            checkpoint of PyTorch (a zip file, as written since 1.6).

    Returns:
        name -> array; numbers with a fraction as float32 in the byte order of this machine, integers as they are.
        The training state that a file may hold beside the weights is left out.

    Raises:
        UnsafeCheckpointError: if the file asks for anything but arrays and plain containers, or is damaged.
        ValueError: if it is another kind of file.
        OSError: if it cannot be read.
    """
    path = pathlib.Path(path)
    if path.suffix in _INFERENCE:
        raise ValueError(
            "the inference pair .pdmodel/.pdiparams holds a compiled program without parameter names and cannot be "
            f"imported; give the training checkpoint, best_accuracy.pdparams. Received: {path}"
        )
    check_regular(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        content = _read_npz(path) if names and all(n.endswith(".npy") for n in names) else _load_torch_zip(path)
    else:
        data = path.read_bytes()
        if data[:1] != b"\x80":
            raise ValueError(
                "the file is no .pdparams file (a pickle of protocol 2 to 5), .npz file or PyTorch zip file; a .tar "
                f"archive of PaddleOCR must be unpacked first. Received: {path}"
            )
        content = loads(data)
    if type(content) is int and content == _TORCH_LEGACY_MAGIC:
        raise ValueError(
            "the file is a PyTorch checkpoint of the format before 1.6; save it again with PyTorch 1.6 or later. "
            f"Received: {path}"
        )
    if not isinstance(content, dict):
        raise UnsafeCheckpointError(f"a checkpoint is a dict of arrays. Received: {type(content).__name__} in {path}")
    return _arrays(content)


def _read_npz(path: pathlib.Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        total = sum(info.file_size for info in archive.infolist())
    if total > _NPZ_LIMIT:
        raise UnsafeCheckpointError(f"the .npz file unpacks to over {_NPZ_LIMIT} bytes. Received: {total} bytes")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise UnsafeCheckpointError(f"the .npz file is damaged. Received: {path}: {error}") from error


def _joined(content: dict[Any, Any]) -> dict[Any, Any]:
    """Puts together the arrays that Paddle cuts into pieces of one GiB under the pickle protocols 2 and 3."""
    pieces = content.get("UnpackBigParamInfor@@")
    if pieces is None:
        return content
    content = {name: value for name, value in content.items() if name != "UnpackBigParamInfor@@"}
    try:
        for name, info in pieces.items():
            content[name] = np.concatenate([content.pop(piece) for piece in info["slices"]]).reshape(
                info["OriginShape"]
            )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnsafeCheckpointError(f"the pieces of a large array do not fit. Received: {error!s:.99}") from error
    return content


def _arrays(content: dict[Any, Any]) -> dict[str, np.ndarray]:
    content = _joined(content)
    for wrapper in ("state_dict", "model"):
        if isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    arrays = {}
    for name, value in content.items():
        if name == "StructuredToParameterName@@":
            continue
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
            value = value[1]
        if not isinstance(value, np.ndarray) or not isinstance(name, str):
            raise UnsafeCheckpointError(
                f"a state dict maps names to arrays. Received: {type(value).__name__} as {name}"
            )
        if value.dtype.kind == "f":
            with np.errstate(over="ignore"):
                value = np.array(value, dtype=np.float32, order="C")
            if not np.isfinite(value).all():
                raise ValueError(f"the checkpoint holds numbers that are not finite. Received: {name}")
        arrays[name.removeprefix("module.")] = value
    return arrays


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


def _load_torch_zip(path: pathlib.Path) -> Any:
    """What `torch.save` wrote to a zip file: containers, numbers and text, with numpy arrays in place of tensors."""
    with zipfile.ZipFile(path) as archive:
        roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise UnsafeCheckpointError(f"a PyTorch checkpoint holds one data.pkl. Received: {len(roots)} in {path}")
        # Each number is counted once as the member that holds it, once as a tensor, and once more where bfloat16 grows.
        return _Archive(archive, roots[0], Budget(4 * os.path.getsize(path))).load()
