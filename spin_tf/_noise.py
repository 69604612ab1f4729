"""What native libraries write to stderr about themselves: held back, unless the user asks for it.

TF_CPP_MIN_LOG_LEVEL is TensorFlow's own setting: 0 shows all, 1 drops information, 2 warnings too, 3 errors too (Python
raises those that matter). Where the user has not set it, it is 3 from the moment that this package loads TensorFlow.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import TextIO

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# TensorFlow writes these before it has read its setting; the lines of LiteRT have no setting at all in Python.
_SEVERITIES = b"IWE"
_LOGGED = re.compile(rb"([IWE])\d{4} [\d:.]+ ")
_INFORMATION = re.compile(rb"INFO:|WARNING: All log messages before absl|To enable the following instructions:")
# libtiff writes "Module: message" without saying of which file; the reason why that cannot be read is told beside its
# name.
_LIBTIFF = re.compile(
    rb"More samples per pixel than can be decoded"
    rb"|(\w*TIFF\w*|\w+Decode\w*|\w*Strip\w*|tempfile\.tif|MissingRequired|(JPEG|LZW|ZIP|ZSTD|LZMA|LERC|WebP|Fax|"
    rb"PackBits|PixarLog|SGILog|LogLuv|ThunderScan|DumpMode|Next)\w*): "
)
_capturing = threading.Lock()


def quiet_by_default() -> None:
    """Keeps TensorFlow quiet, where the user has not said how loud it shall be and it is not loaded yet."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault(LEVEL, "3")


def import_quietly(module_name: str) -> ModuleType:
    """Imports TensorFlow, or what loads it, without the lines that it writes on the way."""
    if (loaded := sys.modules.get(module_name)) is not None:
        return loaded
    quiet_by_default()
    with without_native_chatter():
        return importlib.import_module(module_name)


def is_noise(line: bytes) -> bool:
    """Whether a line of a native library is below what the user wants to see."""
    shown_from = _shown_from()
    if logged := _LOGGED.match(line):
        return _SEVERITIES.index(logged[1]) < shown_from
    return bool(_LIBTIFF.match(line)) or (shown_from > 0 and bool(_INFORMATION.match(line)))


def _shown_from() -> int:
    level = os.environ.get(LEVEL, "3")
    return int(level) if level.isdecimal() else 0


@contextlib.contextmanager
def without_native_chatter() -> Iterator[None]:
    """Holds back what native libraries write to stderr meanwhile, and drops their lines that are noise.

    They have no switch for it in Python; stderr of a command is for what went wrong. What Python writes goes there at
    once. Inside another such block, of this thread or another, that one does the work.
    """
    if not _capturing.acquire(blocking=False):
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(_capturing.release)
        usual = sys.stderr
        try:
            kept = os.dup(2)
            stack.callback(os.close, kept)
            log = stack.enter_context(tempfile.TemporaryFile())
            own = None
            # A notebook's or a test's stderr does not lead to the descriptor that is redirected.
            if _is_descriptor(usual, 2):
                own = stack.enter_context(
                    open(kept, "w", encoding=usual.encoding, errors="backslashreplace", buffering=1, closefd=False)
                )
        except OSError:
            # stderr is closed, or there is no place for a file: noise does no harm.
            yield
            return
        if own is not None:
            finish(usual)
            sys.stderr = own
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            if own is not None:
                finish(own)
                sys.stderr = usual
            os.dup2(kept, 2)
            log.seek(0)
            with contextlib.suppress(OSError):
                for line in log:
                    if not is_noise(line):
                        os.write(2, line)


def _is_descriptor(stream: object, number: int) -> bool:
    try:
        return stream.fileno() == number  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False


def finish(stream: TextIO) -> OSError | None:
    """Writes what a stream still holds; returns why it cannot, and lets Python's end try it on nothing then."""
    try:
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    except ValueError:
        pass
    return None
