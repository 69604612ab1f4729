"""The unpickler admits arrays and plain containers; everything else is refused by name and nothing is run."""

from __future__ import annotations

import collections
import os
import pathlib
import pickle
import resource
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from spin_tf.importers.restricted_pickle import UnsafeCheckpointError, loads

PROTOCOLS = range(2, 6)


class Calls:
    """Pickles to a call of any function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", ">f8", "<i8", "|u1", "?"])
def test_arrays_come_back_as_they_were(protocol: int, dtype: str) -> None:
    array = (10 * np.random.default_rng(0).standard_normal((3, 4))).astype(dtype)
    for value in (array, np.asfortranarray(array), array[:, ::2], array[:0], array[0, 0], np.array(array[0, 0])):
        result = loads(pickle.dumps({"a": value}, protocol))["a"]
        assert result.dtype.newbyteorder("=") == value.dtype.newbyteorder("=")
        np.testing.assert_array_equal(result, value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_containers(protocol: int) -> None:
    value = {
        "text": "ä" * 300,
        "bytes": b"x" * 300,
        "numbers": [0, 1, -5, 300, 70000, 2**40, -(2**70), 2.5, True, False, None],
        "nested": ({}, [], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [[{"a": [1]}]]),
        7: "integer key",
        "empty": b"",
    }
    assert loads(pickle.dumps(value, protocol)) == value
    ordered = collections.OrderedDict(a=1)
    ordered.__dict__["_metadata"] = {"version": 1}  # as PyTorch's state dicts have it
    assert loads(pickle.dumps(ordered, protocol)) == {"a": 1}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_array_under_two_names_is_one_array(protocol: int) -> None:
    array = np.arange(1000.0)
    result = loads(pickle.dumps({"a": array, "b": array}, protocol))
    assert result["a"] is result["b"]


def test_paddle_s_named_tensors() -> None:
    """Paddle pickles a tensor as a call of `tuple`."""
    data = pickle.dumps({"w": Calls(tuple, ("linear_0.w_0", np.ones(3, "f4")))}, 4)
    name, array = loads(data)["w"]
    assert name == "linear_0.w_0" and array.tolist() == [1, 1, 1]


def test_numpy_1_and_numpy_2_name_their_functions_differently() -> None:
    data = pickle.dumps(np.arange(3), 2)
    new, old = b"numpy._core.multiarray", b"numpy.core.multiarray"
    other = data.replace(new, old) if new in data else data.replace(old, new)
    assert other != data
    assert loads(other).tolist() == loads(data).tolist() == [0, 1, 2]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "argument", "name"),
    [
        (os.system, "touch {path}", "posix.system"),
        (eval, "open('{path}', 'w')", "eval"),
        (exec, "open('{path}', 'w')", "exec"),
        (pathlib.Path.touch, "{path}", r"getattr|touch"),
        (subprocess.call, "touch {path}", r"(subprocess|commands)\.call"),
        (getattr, "x", "getattr"),
        (np.load, "{path}", "numpy.load"),
        (bytearray, 10**10, "bytearray"),
        (np.ndarray, (10**5, 10**5), "ndarray"),
        (np.fromfile, "{path}", "fromfile"),
    ],
)
def test_functions_are_refused_by_name_and_not_run(
    tmp_path: pathlib.Path, protocol: int, function: Any, argument: Any, name: str
) -> None:
    path = tmp_path / "run"
    if isinstance(argument, str):
        argument = argument.format(path=path)
    harmless = {"w": np.ones(2), "x": Calls(function, argument)}
    nested = [Calls(tuple, [Calls(function, argument)])]
    for value in (harmless, nested, Calls(function, argument)):
        data = pickle.dumps(value, protocol)
        with pytest.raises(UnsafeCheckpointError, match=name if protocol >= 2 else "Received"):
            loads(data)
    assert not path.exists()


def test_every_way_to_name_a_function() -> None:
    stack_global = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R."
    instance = b"\x80\x02(X\x02\x00\x00\x00lsios\nsystem\n."
    extension = b"\x80\x02\x82\x01)R."
    new_object = b"\x80\x02cos\nsystem\n)\x81."
    old_object = b"\x80\x02(cos\nsystem\nX\x02\x00\x00\x00lso."
    memo = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x02ls\x85R."
    dotted = b"\x80\x04\x8c\x0bcollections\x8c\x17abc.sys.modules.__get__\x93."
    for data in (stack_global, instance, new_object, old_object, memo):
        with pytest.raises(UnsafeCheckpointError, match=r"os\.system"):
            loads(data)
    with pytest.raises(UnsafeCheckpointError, match="EXT1"):
        loads(extension)
    with pytest.raises(UnsafeCheckpointError, match=r"collections\.abc\.sys"):
        loads(dotted)


def test_our_own_functions_refuse_what_they_are_not_for() -> None:
    """A pickle may call what stands in for numpy's functions, with arguments of its own."""
    refused = [
        Calls(collections.OrderedDict, [("a", 1)]),
        Calls(__import__("_codecs").encode, "x", "rot13"),
        Calls(tuple, "text"),
        Calls(np.dtype, "O"),
        Calls(np.dtype, "V8"),
        Calls(np.dtype, [("a", "f4")]),
        Calls(np.dtype, "M8[s]"),
        np.array([object()]),
        np.array(["text"]),
        np.zeros(2, [("a", "f4"), ("b", "O")]),
        np.array([1 + 2j]),
        {(1, 2): 3},
        {1.5: 3},
        {1, 2},
        frozenset([1]),
        3j,
    ]
    for value in refused:
        for protocol in PROTOCOLS:
            with pytest.raises(UnsafeCheckpointError, match="Received: "):
                loads(pickle.dumps(value, protocol))


def huge_arrays() -> dict[str, bytes]:
    """Files of a few bytes that claim gigabytes."""
    honest = pickle.dumps(np.zeros(7, "f4"), 2)
    shape = honest.index(b"K\x07\x85")
    twice = b"\x80\x04]" + b"\x8c\x04" + b"data" + b"\x94"
    return {
        "shape": honest[:shape] + b"\x8a\x06" + (10**14).to_bytes(6, "little") + b"\x85" + honest[shape + 3 :],
        "negative shape": honest[:shape] + b"J" + struct.pack("<i", -7) + b"\x85" + honest[shape + 3 :],
        "bytes": b"\x80\x04\x8e" + struct.pack("<Q", 10**10) + b"abc.",
        "bytearray": b"\x80\x05\x96" + struct.pack("<Q", 10**10) + b"abc.",
        "text": b"\x80\x04\x8d" + struct.pack("<Q", 10**10) + b"abc.",
        "long": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
        "negative long": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"abc.",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 10**12) + b"N.",
        "memo index": b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".",
        "memo index that is read": b"\x80\x02j" + struct.pack("<I", 2**32 - 1) + b".",
        "unfinished": twice,
    }


@pytest.mark.parametrize("name", huge_arrays())
def test_claims_of_gigabytes_cost_nothing(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name in ("frame", "memo index"):
        assert loads(huge_arrays()[name]) is None  # a number that nothing hangs on
    else:
        with pytest.raises(UnsafeCheckpointError):
            loads(huge_arrays()[name])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_one_piece_of_data_cannot_become_many_arrays() -> None:
    """Each array of a byte order to be swapped is a copy: 2 MB of references would make 100 GB."""
    raw = bytes(10**6)
    head = pickle.dumps([raw, np.dtype(">i4")], 4)[:-1]
    assert head.endswith(b"e")
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01J" + struct.pack("<i", 250_000) + b"\x85cnumpy\ndtype\nX\x02\x00\x00\x00i4\x89\x88\x87R"
        b"(K\x03X\x01\x00\x00\x00>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89h\x01tb"
    )
    assert loads(head[:-1] + b"e" + array + b".").shape == (250_000,)
    with pytest.raises(UnsafeCheckpointError, match="more bytes than the file"):
        loads(head + array * 20 + b".")


def test_a_billion_laughs() -> None:
    """Lists of lists by reference stay small as long as nothing walks them."""
    level: list[Any] = [np.ones(3)]
    for _ in range(60):
        level = [level, level]
    loads(pickle.dumps(level, 4))
    deep = b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b"."
    loads(deep)
    key = b"\x80\x04}" + b")" + b"\x85" * 100_000 + b"Ns."
    with pytest.raises(UnsafeCheckpointError, match="keys"):
        loads(key)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_truncated_anywhere(protocol: int) -> None:
    data = pickle.dumps({"w": np.arange(5.0), "names": [("a", 1)]}, protocol)
    for length in range(len(data)):
        with pytest.raises(UnsafeCheckpointError):
            loads(data[:length])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")  # pickletools decoding a text opcode
def test_damaged_anywhere(protocol: int) -> None:
    """Whatever a flipped byte does, it ends in our error or in plain values."""
    data = pickle.dumps({"w": np.arange(5.0), "names": [("a", 1)]}, protocol)
    rng = np.random.default_rng(0)
    for position in range(len(data)):
        for byte in rng.integers(0, 256, 8):
            broken = data[:position] + bytes([byte]) + data[position + 1 :]
            try:
                loads(broken)
            except UnsafeCheckpointError as error:
                assert "Received" in str(error)


@pytest.mark.parametrize(
    "data", [b"", b".", b"\x80", b"\x80\x02.", b"\x80\x02(.", b"\x80\x02R.", b"\x80\x02Nb.", b"\x80\x02t."]
)
def test_no_stack_to_work_on(data: bytes) -> None:
    with pytest.raises(UnsafeCheckpointError):
        loads(data)


def test_reading_imports_nothing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    code = "from spin_tf.importers.restricted_pickle import loads; loads(b'\\x80\\x02cevil\\nx\\n.')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "Received: evil.x" in result.stderr
    assert not (tmp_path / "ran").exists()
