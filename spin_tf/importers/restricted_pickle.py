"""Reads pickled checkpoints without running anything that they hold.

The unpickler of the standard library with lists of what it may meet: opcodes, and names, each with what stands in for
it. It is the one written in Python: the one in C reserves and fills gigabytes for one memo index in a 20-byte file.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

_NUMERIC = frozenset(
    ["?", *"bhilqBHILQefd", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "bool", "int8"]
    + ["int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]
)
_ADMITTED = (
    "PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT BINSTRING "
    "SHORT_BINSTRING BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 EMPTY_LIST EMPTY_TUPLE "
    "EMPTY_DICT TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE GLOBAL "
    "STACK_GLOBAL INST REDUCE BINPERSID"
)
_REFUSED = "a checkpoint may hold arrays and plain containers only, nothing was run"


class UnsafeCheckpointError(ValueError):
    """A checkpoint asks for something that is not an array or a plain container, or is damaged."""


class Budget:
    """Bytes that a file may turn into; a file of n bytes has no honest reason to unfold into many times n."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit

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


def loads(
    data: bytes,
    functions: dict[str, Any] | None = None,
    persistent_load: Callable[[Any], Any] | None = None,
    budget: Budget | None = None,
) -> Any:
    """Reads a pickle (protocols 2 to 5) of numpy arrays and plain containers.

    Args:
        data: the pickle.
        functions: more names that a pickle may use, each with the function or value that stands in for it.
        persistent_load: resolves persistent ids; without it they are refused.
        budget: bytes that arrays may take; three times the length of `data` by default, because text, bytes and
            array of the same numbers may follow each other.

    Returns:
        dicts (with text or integer keys), lists, tuples, numbers, text, bytes and numpy arrays of numbers.

    Raises:
        UnsafeCheckpointError: for anything else, naming it. Nothing that the pickle names has been imported or run.
    """
    reader = _Reader(data, functions or {}, budget or Budget(3 * len(data)))
    if persistent_load is not None:
        reader.persistent_load = persistent_load  # type: ignore[assignment, method-assign]
    try:
        return reader.load()
    except UnsafeCheckpointError:
        raise
    except (ArithmeticError, AttributeError, EOFError, LookupError, TypeError, ValueError) as error:
        raise _damaged(error) from error
    except (pickle.UnpicklingError, struct.error) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> UnsafeCheckpointError:
    return UnsafeCheckpointError(f"the checkpoint is damaged or truncated. Received: {error!s:.200}")


def _refusing(name: str) -> Callable[[Any], None]:
    def refuse(_: Any) -> None:
        raise UnsafeCheckpointError(f"{_REFUSED}. Received: opcode {name}")

    return refuse


class _Reader(pickle._Unpickler):  # type: ignore[name-defined, misc]
    """What stands in for the functions that numpy's pickles name; each checks all sizes before it makes anything."""

    stack: list[Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, data: bytes, functions: dict[str, Any], budget: Budget) -> None:
        # Text in pickles of Python 2 may be the bytes of an array.
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._budget = budget
        self._functions: dict[str, Any] = {
            # Named by `_reconstruct` as its first argument; called, it would reserve any shape it is told.
            "numpy.ndarray": _Empty(np.ndarray),
            "numpy.dtype": self._dtype,
            "collections.OrderedDict": _Empty(dict),
            "_codecs.encode": self._encode,
            **functions,
        }
        for builtins in ("builtins", "__builtin__"):
            self._functions |= {f"{builtins}.tuple": self._tuple, f"{builtins}.bytes": _Empty(bytes)}
        for core in ("numpy.core", "numpy._core"):
            self._functions |= {
                f"{core}.multiarray._reconstruct": self._reconstruct,
                f"{core}.multiarray.scalar": self._scalar,
                f"{core}.numeric._frombuffer": self._frombuffer,
            }

    def find_class(self, module: str, name: str) -> Any:
        full_name = f"{module}.{name}"
        if full_name not in self._functions:
            raise UnsafeCheckpointError(f"{_REFUSED}. Received: {full_name:.99}")
        return self._functions[full_name]

    def _load_bytearray(self) -> None:
        # The library reserves what the file claims.
        self.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    def _load_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _load_items(self) -> None:
        self._update(self.pop_mark())

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise UnsafeCheckpointError(f"only dicts take items. Received: {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing a deeply nested tuple would recurse without bound.
            if type(key) not in (str, int):
                raise UnsafeCheckpointError(f"the keys of a dict are text or integers. Received: {type(key).__name__}")
            target[key] = value

    def _load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
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

    dispatch = {
        ord(opcode.code): pickle._Unpickler.dispatch[ord(opcode.code)]  # type: ignore[attr-defined]
        if opcode.name in _ADMITTED.split()
        else _refusing(opcode.name)
        for opcode in pickletools.opcodes
    } | {
        pickle.BYTEARRAY8[0]: _load_bytearray,
        pickle.SETITEM[0]: _load_item,
        pickle.SETITEMS[0]: _load_items,
        pickle.BUILD[0]: _load_build,
    }

    def _tuple(self, items: Any = ()) -> tuple[Any, ...]:
        if not isinstance(items, (tuple, list)):
            raise UnsafeCheckpointError(f"tuple() is admitted for containers. Received: {type(items).__name__}")
        self._budget.spend(8 * len(items))
        return tuple(items)

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
        raw = data.encode("latin1") if isinstance(data, str) else data
        if not isinstance(raw, (bytes, bytearray)) or not isinstance(dtype, np.dtype):
            received = f"{type(data).__name__} as {type(dtype).__name__}"
            raise UnsafeCheckpointError(f"an array is bytes of a numeric dtype. Received: {received}")
        shape = checked_shape(shape)
        size = math.prod(shape) * dtype.itemsize
        if size != len(raw):
            raise UnsafeCheckpointError(
                f"an array claims {size} bytes and brings {len(raw)}. Received: shape={shape}, dtype={dtype}"
            )
        self._budget.spend(size)
        return raw, dtype, shape


class _Empty:
    """Stands in for a type that is admitted without arguments; nothing can be set on an instance."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __call__(self, *arguments: Any) -> Any:
        if arguments:
            name = self._kind.__name__
            raise UnsafeCheckpointError(f"{name}() is admitted empty only. Received: {len(arguments)} arguments")
        return self._kind()
