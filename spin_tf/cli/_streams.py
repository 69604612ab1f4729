"""What a command writes: to any terminal, and to a reader that has gone."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import sys
from typing import TextIO

from spin_tf._noise import finish

__all__ = ["finish", "prepare_streams", "reader_has_gone", "say"]

_ERRORS = "spin_tf.terminal"


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
