"""Reads pickled checkpoints without running anything that they hold.

A pickle is a small program. `pickletools` of the standard library parses it and the machine below evaluates it, with
numpy arrays, plain containers and nothing else: a name outside a short list is refused by name before anything is
done with it. The unpickler of the standard library is not used even with `find_class` restricted: one memo index in
a 20-byte file makes it reserve and fill gigabytes.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable
from typing import Any

from spin_tf.importers.pickled_arrays import Budget, PickledArrays, UnsafeCheckpointError

__all__ = ["Budget", "UnsafeCheckpointError", "loads"]

_CONSTANTS = frozenset(
    ["BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE"]
    + ["SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"]
)
_NEW: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
}


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
    machine = _Machine(budget or Budget(3 * len(data)), functions or {}, persistent_load)
    try:
        return machine.load(data)
    except UnsafeCheckpointError:
        raise
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, struct.error) as error:
        raise UnsafeCheckpointError(f"the checkpoint is damaged or truncated. Received: {error!s:.200}") from error


class _Machine:
    """The stack, the marks and the memo of a pickle; a method `op_NAME` for each admitted opcode NAME."""

    def __init__(
        self,
        budget: Budget,
        functions: dict[str, Any],
        persistent_load: Callable[[Any], Any] | None,
    ) -> None:
        self._arrays = PickledArrays(budget)
        self._functions = {**self._arrays.functions, **functions}
        self._persistent_load = persistent_load
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def load(self, data: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(io.BytesIO(data)):
            name = opcode.name
            if name == "STOP":
                return self._stack.pop()
            if name in _CONSTANTS:
                self._stack.append(argument)
            elif name in _NEW:
                self._stack.append(_NEW[name]())
            elif name not in ("PROTO", "FRAME"):
                handler = getattr(self, f"op_{name}", None)
                if handler is None:
                    what = str(argument).replace(" ", ".") if name == "INST" else f"opcode {name}"
                    raise UnsafeCheckpointError(
                        f"a checkpoint may hold arrays and plain containers only, nothing was run. Received: {what:.99}"
                    )
                handler(argument)
        raise UnsafeCheckpointError("the checkpoint ends before its pickle does. Received: no STOP")

    def op_MARK(self, _: Any) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def op_POP_MARK(self, _: Any) -> None:
        self._pop_mark()

    def op_POP(self, _: Any) -> None:
        self._stack.pop()

    def op_TUPLE(self, _: Any) -> None:
        items = self._pop_mark()
        self._stack.append(tuple(items))

    def _tuple_of(self, count: int) -> None:
        if len(self._stack) < count:
            raise IndexError("the stack is empty")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def op_TUPLE1(self, _: Any) -> None:
        self._tuple_of(1)

    def op_TUPLE2(self, _: Any) -> None:
        self._tuple_of(2)

    def op_TUPLE3(self, _: Any) -> None:
        self._tuple_of(3)

    def op_APPEND(self, _: Any) -> None:
        self._extend([self._stack.pop()])

    def op_APPENDS(self, _: Any) -> None:
        self._extend(self._pop_mark())

    def _extend(self, items: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise UnsafeCheckpointError(f"only lists are appended to. Received: {type(self._stack[-1]).__name__}")
        self._stack[-1].extend(items)

    def op_SETITEM(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._update([key, value])

    def op_SETITEMS(self, _: Any) -> None:
        self._update(self._pop_mark())

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise UnsafeCheckpointError(f"only dicts take items. Received: {type(target).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Hashing a deeply nested tuple would recurse without bound.
            if type(key) not in (str, int):
                raise UnsafeCheckpointError(f"the keys of a dict are text or integers. Received: {type(key).__name__}")
            target[key] = value

    def op_BINGET(self, index: int) -> None:
        self._stack.append(self._memo[index])

    op_LONG_BINGET = op_BINGET

    def op_BINPUT(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    op_LONG_BINPUT = op_BINPUT

    def op_MEMOIZE(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def op_GLOBAL(self, argument: str) -> None:
        self._push_function(argument.replace(" ", "."))

    def op_STACK_GLOBAL(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise UnsafeCheckpointError(f"a global is named by text. Received: {type(name).__name__}")
        self._push_function(f"{module}.{name}")

    def _push_function(self, name: str) -> None:
        if name not in self._functions:
            raise UnsafeCheckpointError(
                f"a checkpoint may hold arrays and plain containers only, nothing was run. Received: {name:.99}"
            )
        self._stack.append(self._functions[name])

    def op_REDUCE(self, _: Any) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        # What `_push_function` pushed is all that is callable here: the rest is arrays, containers and constants.
        if not callable(function) or not isinstance(arguments, tuple):
            raise UnsafeCheckpointError(f"a checkpoint calls what is no function. Received: {type(function).__name__}")
        self._stack.append(function(*arguments))

    def op_BUILD(self, _: Any) -> None:
        state = self._stack.pop()
        self._arrays.build(self._stack[-1], state)

    def op_BINPERSID(self, _: Any) -> None:
        if self._persistent_load is None:
            raise UnsafeCheckpointError("this kind of checkpoint holds no outside objects. Received: opcode BINPERSID")
        self._stack.append(self._persistent_load(self._stack.pop()))
