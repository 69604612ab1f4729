"""Checkpoint files of three kinds, honest and hostile."""

from __future__ import annotations

import collections
import io
import pathlib
import pickle
import sys
import types
import zipfile
from typing import Any

import numpy as np
import pytest

from spin_tf.importers.checkpoint_file import read_state_dict
from spin_tf.importers.restricted_pickle import UnsafeCheckpointError

WEIGHTS = {"a.weight": np.arange(6, dtype="f4").reshape(2, 3), "b.bias": np.array([0.5, -1], "f4")}


def write(path: pathlib.Path, value: Any, protocol: int = 4) -> pathlib.Path:
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def assert_weights(arrays: dict[str, np.ndarray]) -> None:
    assert list(arrays) == list(WEIGHTS)
    for name, value in WEIGHTS.items():
        assert arrays[name].dtype == np.float32 and arrays[name].dtype.isnative
        np.testing.assert_array_equal(arrays[name], value)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_pdparams(tmp_path: pathlib.Path, protocol: int) -> None:
    named = {name: (f"linear_{i}.w_0", value) for i, (name, value) in enumerate(WEIGHTS.items())}
    table = {"StructuredToParameterName@@": {name: value[0] for name, value in named.items()}}
    for content in (WEIGHTS, {**WEIGHTS, **table}, named, {f"module.{n}": v for n, v in WEIGHTS.items()}):
        assert_weights(read_state_dict(write(tmp_path / "best.pdparams", content, protocol)))


@pytest.mark.parametrize("dtype", [">f4", "<f8", ">f8", "<f2", ">f2"])
def test_other_number_formats_become_float32(tmp_path: pathlib.Path, dtype: str) -> None:
    content = {name: value.astype(dtype) for name, value in WEIGHTS.items()}
    assert_weights(read_state_dict(write(tmp_path / "best.pdparams", content)))
    np.savez(tmp_path / "best.npz", **content)  # type: ignore[arg-type]
    assert_weights(read_state_dict(tmp_path / "best.npz"))


def test_integers_stay_and_scalars_stay_scalars(tmp_path: pathlib.Path) -> None:
    arrays = read_state_dict(write(tmp_path / "x.pdparams", {"n": np.array(7), "s": np.array(1.5)}))
    assert arrays["n"].dtype == np.int64 and arrays["n"].shape == arrays["s"].shape == ()


def test_arrays_that_paddle_cut_into_pieces(tmp_path: pathlib.Path) -> None:
    pieces = {"a.weight@@.0": WEIGHTS["a.weight"].ravel()[:4], "a.weight@@.1": WEIGHTS["a.weight"].ravel()[4:]}
    info = {"a.weight": {"OriginShape": (2, 3), "slices": list(pieces)}}
    content = {"b.bias": WEIGHTS["b.bias"], **pieces, "UnpackBigParamInfor@@": info}
    arrays = read_state_dict(write(tmp_path / "old.pdparams", content, 2))
    assert_weights({name: arrays[name] for name in WEIGHTS})
    assert len(arrays) == 2
    for broken in ({"OriginShape": (9, 9), "slices": list(pieces)}, {"slices": ["no"]}, {"slices": 3}, 3):
        content["UnpackBigParamInfor@@"] = {"a.weight": broken}
        with pytest.raises(UnsafeCheckpointError, match="pieces"):
            read_state_dict(write(tmp_path / "old.pdparams", content, 2))


def test_npz(tmp_path: pathlib.Path) -> None:
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "best.npz", **WEIGHTS)  # type: ignore[arg-type]
        assert_weights(read_state_dict(tmp_path / "best.npz"))


def test_hostile_npz(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=np.array([{}], object))
    with pytest.raises(UnsafeCheckpointError, match="damaged"):
        read_state_dict(path)
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"shape": (10**6, 10**6), "fortran_order": False, "descr": "<f4"})
    for content in (member.getvalue() + b"1234", b"no array", b""):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", content)
        with pytest.raises(UnsafeCheckpointError, match="Received"):
            read_state_dict(path)


def test_other_kinds_of_files_are_named(tmp_path: pathlib.Path) -> None:
    for name in ("inference.pdiparams", "inference.pdmodel"):
        with pytest.raises(ValueError, match="inference pair"):
            read_state_dict(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_state_dict(tmp_path / "none.pdparams")
    for content in (b"", b"\x00\x00\x00\x00", b"train.tar"):
        (tmp_path / "x.pdparams").write_bytes(content)
        with pytest.raises(ValueError, match="unpacked first"):
            read_state_dict(tmp_path / "x.pdparams")
    with pytest.raises(ValueError, match=r"before 1\.6"):
        read_state_dict(write(tmp_path / "old.pth", 0x1950A86A20F9469CFC6C, 2))
    for value in ([1], {"a": "text"}, {"a": [1.0]}, {3: np.ones(2)}, {"a": None}):
        with pytest.raises(UnsafeCheckpointError, match="Received"):
            read_state_dict(write(tmp_path / "x.pdparams", value))
    for bad in (np.inf, np.nan, 1e300):
        with pytest.raises(ValueError, match=r"not finite\. Received: b"):
            read_state_dict(write(tmp_path / "x.pdparams", {"a": np.ones(2), "b": np.array([bad])}))


class Storage:
    """What a fake PyTorch saves outside its pickle."""

    def __init__(self, kind: type, key: str, data: bytes, count: int) -> None:
        self.identity = ("storage", kind, key, "cpu", count)
        self.key, self.data = key, data


class Tensor:
    def __init__(self, storage: Storage, offset: Any, size: Any, stride: Any, parameter: bool = False) -> None:
        self.arguments: tuple = (storage, offset, size, stride, False, collections.OrderedDict())
        self.parameter = parameter

    def __reduce__(self) -> Any:
        utils = sys.modules["torch._utils"]
        if self.parameter:
            inner = Tensor(*self.arguments[:4])
            return utils._rebuild_parameter, (inner, True, collections.OrderedDict())
        return utils._rebuild_tensor_v2, self.arguments


class TorchPickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value.identity if isinstance(value, Storage) else None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Enough of a module named torch for the standard pickler to write its names."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage", "LongStorage", "Other"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        exec(f"def {name}(): ...", utils.__dict__)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def save(path: pathlib.Path, content: Any, storages: list[Storage], order: bytes = b"little", **options: Any) -> Any:
    buffer = io.BytesIO()
    TorchPickler(buffer, 2).dump(content)
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("best/data.pkl", buffer.getvalue())
        archive.writestr("best/byteorder", order)
        for storage in storages:
            archive.writestr(f"best/data/{storage.key}", storage.data)
        archive.writestr("best/version", "3\n")
    return path


def test_torch_zip(tmp_path: pathlib.Path, torch: Any) -> None:
    numbers = np.arange(20, dtype="f4")
    shared = Storage(torch.FloatStorage, "0", numbers.tobytes(), 20)
    half = Storage(torch.HalfStorage, "1", np.array([0.5, -1], "<f2").tobytes(), 2)
    brain = Storage(torch.BFloat16Storage, "2", (np.array([0.5, -1], "f4").view("u4") >> 16).astype("<u2").tobytes(), 2)
    count = Storage(torch.LongStorage, "3", np.array([7], "<i8").tobytes(), 1)
    state = collections.OrderedDict(
        whole=Tensor(shared, 0, (4, 5), (5, 1)),
        part=Tensor(shared, 3, (2, 3), (5, 1), parameter=True),
        transposed=Tensor(shared, 0, (5, 4), (1, 5)),
        repeated=Tensor(shared, 2, (3, 2), (0, 1)),
        empty=Tensor(shared, 20, (0, 3), (3, 1)),
        half=Tensor(half, 0, (2,), (1,)),
        brain=Tensor(brain, 0, (2,), (1,)),
        count=Tensor(count, 0, (), ()),
    )
    state.__dict__["_metadata"] = collections.OrderedDict({"": {"version": 1}})
    path = tmp_path / "best.pth"
    storages = [shared, half, brain, count]
    for content in (state, {"state_dict": state, "meta": {"epoch": 6}, "optimizer": {"lr": [0.1]}}):
        arrays = read_state_dict(save(path, content, storages))
        np.testing.assert_array_equal(arrays["whole"], numbers.reshape(4, 5))
        np.testing.assert_array_equal(arrays["part"], [[3, 4, 5], [8, 9, 10]])
        np.testing.assert_array_equal(arrays["transposed"], numbers.reshape(4, 5).T)
        np.testing.assert_array_equal(arrays["repeated"], [[2, 3]] * 3)
        assert arrays["empty"].shape == (0, 3) and arrays["count"] == 7 and arrays["count"].shape == ()
        assert arrays["half"].tolist() == arrays["brain"].tolist() == [0.5, -1]
        assert len(arrays) == len(state)
    swapped = Storage(torch.FloatStorage, "0", numbers.astype(">f4").tobytes(), 20)
    arrays = read_state_dict(save(path, {"w": Tensor(swapped, 0, (20,), (1,))}, [swapped], order=b"big"))
    np.testing.assert_array_equal(arrays["w"], numbers)


def test_hostile_torch_zip(tmp_path: pathlib.Path, torch: Any) -> None:
    path = tmp_path / "x.pth"
    data = np.zeros(20, "f4").tobytes()

    def fails(message: str, tensor: Any, storages: list[Storage], **options: Any) -> None:
        with pytest.raises(UnsafeCheckpointError, match=message):
            read_state_dict(save(path, {"w": tensor}, storages, **options))

    storage = Storage(torch.FloatStorage, "0", data, 20)
    for offset, size, stride in ((0, (21,), (1,)), (1, (20,), (1,)), (0, (2, 2), (1, 19)), (0, (10**15,), (1,))):
        fails("reaches element", Tensor(storage, offset, size, stride), [storage])
    shapes: list[tuple[Any, Any, Any]] = [
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (2.0,), (1,)),
        ("0", (2,), (1,)),
    ]
    for wrong in shapes:
        fails("no valid shape", Tensor(storage, *wrong), [storage])
    fails("stride a dimension", Tensor(storage, 0, (2,), (1, 1)), [storage])
    fails("more bytes than the file", Tensor(storage, 0, (10**12,), (0,)), [storage])
    fails("not in the archive", Tensor(storage, 0, (20,), (1,)), [])
    fails("uncompressed", Tensor(storage, 0, (20,), (1,)), [storage], compression=zipfile.ZIP_DEFLATED)
    longer = Storage(torch.FloatStorage, "0", data, 10**12)
    fails("claims", Tensor(longer, 0, (20,), (1,)), [longer])
    other = Storage(torch.Other, "0", data, 20)
    fails(r"torch\.Other", Tensor(other, 0, (20,), (1,)), [other])
    fails("no storage", Tensor(3, 0, (20,), (1,)), [])  # type: ignore[arg-type]

    class Evil:
        def __reduce__(self) -> Any:
            return eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    fails("eval", Evil(), [])
    assert not (tmp_path / "ran").exists()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("something/else", b"")
    with pytest.raises(UnsafeCheckpointError, match=r"one data\.pkl"):
        read_state_dict(path)


def test_a_storage_cannot_be_called(tmp_path: pathlib.Path, torch: Any) -> None:
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02ctorch\nFloatStorage\nJ\x00\x00\x00\x7f\x85R.")
    with pytest.raises(UnsafeCheckpointError, match="not callable"):
        read_state_dict(path)
