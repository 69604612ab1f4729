"""What every command shares: user errors end in one line and an exit code, never in a traceback."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator

from absl import app, flags

from spin_tf._extras import MissingExtraError


class UserError(Exception):
    """A mistake in what the user gave; its message is the one line they see."""


def run(main: Callable[[list[str]], int | None]) -> None:
    """Runs `main(argv)` under absl; the exit code is what it returns (None is 0), 2 after a user error."""

    def guarded(argv: list[str]) -> int:
        try:
            code = main(argv) or 0
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            # Whoever read the output (`| head`) has enough. Python flushes once more at its end, into nothing then.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (UserError, MissingExtraError, ValueError, OSError) as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # File names need not be valid UTF-8.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace" if stream is sys.stderr else "surrogateescape")
    # Flags may follow the positional arguments, as with most commands.
    flags.FLAGS.set_gnu_getopt(True)
    _describe(sys.modules[main.__module__])
    app.run(guarded)


def _describe(command: object) -> None:
    """Makes --help tell of the command instead of its launcher."""
    launcher = sys.modules["__main__"]
    launcher.__doc__ = getattr(command, "__doc__", None)
    name = getattr(command, "__name__", "")
    for flag in flags.FLAGS.flags_by_module_dict().get(name, []):
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


@contextlib.contextmanager
def without_native_chatter() -> Iterator[None]:
    """Holds back what native libraries write to stderr meanwhile, and drops their lines that only inform.

    LiteRT announces its XNNPACK delegate on stderr and has no switch for that in Python; stderr of a command is for
    what went wrong.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            log.seek(0)
            for line in log:
                if not line.startswith((b"INFO:", b"I0000 ", b"W0000 ", b"WARNING: All log messages before absl")):
                    os.write(2, line)
