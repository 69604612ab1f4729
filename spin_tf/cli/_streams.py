"""What a command writes: to any terminal, to a reader that has gone, and without the noise of native libraries."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import sys
import tempfile
from collections.abc import Iterator
from typing import TextIO

_ERRORS = "spin_tf.terminal"
# LiteRT announces its delegates, TensorFlow and absl their start. libtiff writes "Module: message" without saying of
# which file; the reason why that cannot be read is told beside its name.
_NOISE = re.compile(
    rb"INFO:|[IW]0000 |WARNING: All log messages before absl"
    rb"|More samples per pixel than can be decoded"
    rb"|(\w*TIFF\w*|\w+Decode\w*|\w*Strip\w*|tempfile\.tif|MissingRequired|(JPEG|LZW|ZIP|ZSTD|LZMA|LERC|WebP|Fax|"
    rb"PackBits|PixarLog|SGILog|LogLuv|ThunderScan|DumpMode|Next)\w*): "
)


def prepare_streams() -> None:
    """Makes stdout and stderr take any text, and take it where they are closed."""
    # Else the next file that is opened would get the number of a stream, and what libraries write to that one.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        # Closed from the start (`>&-`): what is written is nobody's concern.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    codecs.register_error(_ERRORS, _encode_anyhow)
    for stream, errors in ((sys.stdout, _ERRORS), (sys.stderr, "backslashreplace")):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)


def _encode_anyhow(error: UnicodeError) -> tuple[str | bytes, int]:
    """The bytes of a file name that are no text as they are; what the terminal does not know, as an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return character.encode("ascii", "backslashreplace").decode("ascii"), error.start + 1


def say(text: str) -> None:
    """Writes a line to stderr, or nothing where nobody reads it."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def reader_has_gone(stream: TextIO) -> bool:
    """Whether a stream leads to a pipe whose reader has ended; also where the system cannot tell."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return bool(poll.poll(0))
    except AttributeError:
        return True
    except (OSError, ValueError):
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


@contextlib.contextmanager
def without_native_chatter() -> Iterator[None]:
    """Holds back what native libraries write to stderr meanwhile, and drops their lines that only inform.

    They have no switch for it in Python; stderr of a command is for what went wrong. What Python writes goes there at
    once.
    """
    with contextlib.ExitStack() as stack:
        try:
            kept = os.dup(2)
            stack.callback(os.close, kept)
            log = stack.enter_context(tempfile.TemporaryFile())
            own = stack.enter_context(
                open(kept, "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1, closefd=False)
            )
        except OSError:
            # stderr is closed, or there is no place for a file: noise does no harm.
            yield
            return
        usual, sys.stderr = sys.stderr, own
        finish(usual)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            finish(own)
            sys.stderr = usual
            os.dup2(kept, 2)
            log.seek(0)
            with contextlib.suppress(OSError):
                for line in log:
                    if not _NOISE.match(line):
                        os.write(2, line)
