"""What a pickled checkpoint may call: the making of numpy arrays, and of plain containers, under a budget of bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

_NUMERIC = frozenset(
    ["?", *"bhilqBHILQefd", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "bool", "int8"]
    + ["int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]
)


class UnsafeCheckpointError(ValueError):
    """A checkpoint asks for something that is not an array or a plain container, or is damaged."""


class Budget:
    """Bytes that a file may turn into; a file of n bytes has no honest reason to unfold into many times n."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def spend(self, count: int) -> None:
        """Takes `count` bytes or raises `UnsafeCheckpointError`."""
        if count > self._left:
            raise UnsafeCheckpointError(
                "the arrays of the checkpoint claim more bytes than the file can hold. "
                f"Received: {count} bytes in one array, {self._limit} allowed in all"
            )
        self._left -= count


def checked_shape(shape: Any) -> tuple[int, ...]:
    """A shape of non-negative integers as a tuple, or `UnsafeCheckpointError`."""
    if isinstance(shape, (tuple, list)) and len(shape) <= 32 and all(type(n) is int and n >= 0 for n in shape):
        return tuple(shape)
    raise UnsafeCheckpointError(f"an array has no valid shape. Received: {type(shape).__name__}")


def _raw(data: Any) -> bytes | bytearray:
    """The bytes of an array; pickles of Python 2 hold them as text."""
    if isinstance(data, (bytes, bytearray)):
        return data
    if isinstance(data, str):
        return data.encode("latin1")
    raise UnsafeCheckpointError(f"the data of an array is not bytes. Received: {type(data).__name__}")


class PickledArrays:
    """Stand-ins for the functions that numpy's pickles name; each checks all sizes before it makes anything.

    Attributes:
        functions: dotted name -> function.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.functions: dict[str, Callable[..., Any]] = {
            "numpy.ndarray": self._ndarray,
            "numpy.dtype": self._dtype,
            "collections.OrderedDict": self._ordered_dict,
            "_codecs.encode": self._encode,
        }
        for builtins in ("builtins", "__builtin__"):
            self.functions[f"{builtins}.tuple"] = self._tuple
            self.functions[f"{builtins}.bytes"] = self._empty_bytes
        for core in ("numpy.core", "numpy._core"):
            self.functions[f"{core}.multiarray._reconstruct"] = self._reconstruct
            self.functions[f"{core}.multiarray.scalar"] = self._scalar
            self.functions[f"{core}.numeric._frombuffer"] = self._frombuffer

    def _ndarray(self, *_: Any) -> Any:
        # Named by `_reconstruct` as its first argument; called, it would reserve any shape it is told.
        raise UnsafeCheckpointError("a checkpoint may not call numpy.ndarray itself. Received: REDUCE")

    def _ordered_dict(self, *arguments: Any) -> dict[Any, Any]:
        if arguments:
            raise UnsafeCheckpointError(f"OrderedDict is admitted empty only. Received: {len(arguments)} arguments")
        return {}

    def _tuple(self, items: Any = ()) -> tuple[Any, ...]:
        if not isinstance(items, (tuple, list)):
            raise UnsafeCheckpointError(f"tuple() is admitted for containers. Received: {type(items).__name__}")
        self._budget.spend(8 * len(items))
        return tuple(items)

    def _empty_bytes(self, *arguments: Any) -> bytes:
        if arguments:
            raise UnsafeCheckpointError(f"bytes() is admitted empty only. Received: {len(arguments)} arguments")
        return b""

    def _encode(self, text: Any, encoding: Any) -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise UnsafeCheckpointError("_codecs.encode is admitted for latin1 only. Received: another encoding")
        self._budget.spend(len(text))
        return text.encode("latin1")

    def _dtype(self, code: Any, *_: Any) -> np.dtype:
        if not isinstance(code, str) or code.lstrip("<>=|") not in _NUMERIC:
            received = f"dtype {code!r:.60}" if isinstance(code, str) else type(code).__name__
            raise UnsafeCheckpointError(f"arrays of numbers are admitted, no other kind. Received: {received}")
        # A copy, because BUILD writes the byte order into it.
        return np.dtype(code, False, True)  # type: ignore[call-overload]

    def _reconstruct(self, *_: Any) -> np.ndarray:
        return np.ndarray((0,), "b")

    def _frombuffer(self, data: Any, dtype: Any, shape: Any, order: Any = "C", *_: Any) -> np.ndarray:
        raw, kind, shape = self._measured(data, dtype, shape)
        return np.frombuffer(raw, kind).reshape(shape, order="F" if order == "F" else "C")

    def _scalar(self, dtype: Any, data: Any = b"") -> Any:
        raw, kind, _ = self._measured(data, dtype, ())
        return np.frombuffer(raw, kind)[0]

    def _measured(self, data: Any, dtype: Any, shape: Any) -> tuple[bytes | bytearray, np.dtype, tuple[int, ...]]:
        if not isinstance(dtype, np.dtype):
            raise UnsafeCheckpointError(f"an array has no numeric dtype. Received: {type(dtype).__name__}")
        shape = checked_shape(shape)
        raw = _raw(data)
        size = math.prod(shape) * dtype.itemsize
        if size != len(raw):
            raise UnsafeCheckpointError(
                f"an array claims {size} bytes and brings {len(raw)}. Received: shape={shape}, dtype={dtype}"
            )
        self._budget.spend(size)
        return raw, dtype, shape

    def build(self, target: Any, state: Any) -> None:
        """Sets the state of what `functions` made, as the opcode BUILD does."""
        if isinstance(target, dict):
            return  # attributes of an OrderedDict: PyTorch's `_metadata`, which holds version numbers
        if not isinstance(state, tuple) or len(state) < 5 or not isinstance(target, (np.dtype, np.ndarray)):
            raise UnsafeCheckpointError(f"a checkpoint may not set the state of it. Received: {type(target).__name__}")
        if isinstance(target, np.ndarray):
            _, shape, dtype, fortran, data = state[:5]
            raw, kind, shape = self._measured(data, dtype, shape)
            target.__setstate__((1, shape, kind, bool(fortran), bytes(raw)))  # type: ignore[arg-type]
        elif state[1] in ("<", ">", "|", "=") and state[2:5] == (None, None, None):
            target.__setstate__((3, state[1], None, None, None, -1, -1, 0))  # type: ignore[attr-defined]
        else:
            raise UnsafeCheckpointError("arrays of plain numbers are admitted. Received: a structured dtype")
