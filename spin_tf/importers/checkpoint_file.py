"""Checkpoint files of other frameworks as plain dicts of arrays: .pdparams, .npz and PyTorch's zip files."""

from __future__ import annotations

import os
import pathlib
import zipfile
from typing import Any

import numpy as np

from spin_tf._input_files import check_regular
from spin_tf.importers.pickled_arrays import UnsafeCheckpointError
from spin_tf.importers.restricted_pickle import loads
from spin_tf.importers.torch_zip import load_torch_zip

_INFERENCE = (".pdiparams", ".pdmodel")
_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_NPZ_LIMIT = 1 << 32


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
        content = _read_npz(path) if names and all(n.endswith(".npy") for n in names) else load_torch_zip(path)
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
    """The arrays of a .npz file, each header checked against its member's size before numpy makes the array."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        total = sum(info.file_size for info in archive.infolist())
        if total > _NPZ_LIMIT:
            raise UnsafeCheckpointError(f"the .npz file unpacks to over {_NPZ_LIMIT} bytes. Received: {total} bytes")
        for info in archive.infolist():
            with archive.open(info) as member:
                try:
                    header = np.lib.format
                    first = header.read_magic(member) == (1, 0)
                    shape, _, dtype = (header.read_array_header_1_0 if first else header.read_array_header_2_0)(member)
                except (ValueError, EOFError, zipfile.BadZipFile) as error:
                    raise UnsafeCheckpointError(f"a member is no array. Received: {info.filename}: {error}") from error
            if dtype.hasobject:
                raise UnsafeCheckpointError(f"arrays of numbers are admitted. Received: objects in {info.filename}")
            if int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize > info.file_size:
                raise UnsafeCheckpointError(f"an array claims more than its member holds. Received: {info.filename}")
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            try:
                arrays[name] = file[name]
            except (ValueError, EOFError, zipfile.BadZipFile) as error:
                raise UnsafeCheckpointError(f"the .npz file is damaged. Received: {name}: {error}") from error
    return arrays


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
