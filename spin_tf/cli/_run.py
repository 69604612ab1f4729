"""What every command shares: user errors end in one line and an exit code, never in a traceback."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import warnings
from collections.abc import Callable
from logging import INFO, LogRecord
from logging import Formatter as StandardFormatter

from absl import app, flags, logging

from spin_tf._extras import MissingExtraError
from spin_tf._noise import quiet_by_default, without_native_chatter
from spin_tf._version import __version__
from spin_tf.cli._help import describe
from spin_tf.cli._streams import finish, prepare_streams, reader_has_gone, say

__all__ = ["UserError", "as_called", "flags_only", "log_progress", "run", "without_native_chatter"]

_PACKAGE = "spin_tf.cli."
# The command that runs: its module, and what that says of it.
_command = _about = ""


class UserError(Exception):
    """A mistake in what the user gave; its message is the one line they see."""


def flags_only(argv: list[str]) -> None:
    """Sees to it that nothing but flags was given.

    Raises:
        UserError: something was.
    """
    if len(argv) > 1:
        raise UserError(f"{_command.rpartition('.')[2]} takes flags only. Received: {' '.join(argv[1:])}")


class _PlainLines(StandardFormatter):
    """Log lines as sentences for people, without the time, process and line of the source."""

    def format(self, record: LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno <= INFO else f"{record.levelname.lower()}: {' '.join(text.split())}"


def log_progress() -> None:
    """Shows what long work tells of itself, unless --verbosity says what is shown."""
    _show(logging.INFO)


def _show(level: int) -> None:
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(level)


def run(main: Callable[[list[str]], int | None]) -> None:
    """Runs `main(argv)` under absl; the exit code is what it returns (None is 0), 2 after a user error."""

    def guarded(argv: list[str]) -> int:
        try:
            # absl shows all information, that of TensorFlow's part in Python too.
            _show(logging.WARNING)
            code = main(argv) or 0
        except (UserError, MissingExtraError, ValueError, OSError) as error:
            code = _end_with(error)
        except KeyboardInterrupt:
            say("interrupted")
            code = 130
        problem = finish(sys.stdout)
        finish(sys.stderr)
        # What could not be written to a full disk is an error as well.
        return _end_with(problem) if problem and not isinstance(problem, BrokenPipeError) and code != 2 else code

    # TensorFlow and its graphs are a million objects that stay: Python's search for garbage among them, as often as by
    # default, is a tenth of the processor time of an export.
    gc.set_threshold(50_000, 20, 20)
    quiet_by_default()
    logging.get_absl_handler().setFormatter(_PlainLines())
    prepare_streams()
    # Pillow warns of odd metadata without saying in which file.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # Flags may follow the positional arguments, as with most commands.
    flags.FLAGS.set_gnu_getopt(True)
    _describe(sys.modules[main.__module__])
    app.run(guarded, flags_parser=_parse)


def _end_with(error: BaseException) -> int:
    # Whoever read the output (`| head`) has enough.
    if isinstance(error, BrokenPipeError) and (reader_has_gone(sys.stdout) or reader_has_gone(sys.stderr)):
        return 0
    say(as_called(f"error: {' '.join(str(error).split())}"))
    return 2


def _parse(argv: list[str]) -> list[str]:
    """Parses the flags; a mistake is exit code 2, and --help, which absl ends with 1, is 0."""
    own = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
    if asked := {"-h", "--help", "--helpshort", "--version"} & set(own):
        with contextlib.suppress(BrokenPipeError):
            print(f"spin-tf {__version__}" if asked == {"--version"} else describe(_command, as_called(_about)))
        finish(sys.stdout)
        sys.exit(0)
    try:
        rest = flags.FLAGS(argv)
        _refuse_empty_flags()
    except (flags.Error, UserError) as error:
        say(as_called(f"error: {' '.join(str(error).split())} (--help lists the flags)"))
        sys.exit(2)
    except BrokenPipeError:
        finish(sys.stdout)
        sys.exit(0)
    except SystemExit as end:
        finish(sys.stdout)
        sys.exit(0 if end.code == 1 else end.code)
    return rest


def _refuse_empty_flags() -> None:
    """`--model=$MODEL` with a variable that is not set would otherwise be the working folder, or no flag at all."""
    for module, known in flags.FLAGS.flags_by_module_dict().items():
        for flag in known if module.startswith(_PACKAGE) or module == sys.argv[0] else ():
            values = flag.value if isinstance(flag.value, list) else [flag.value]
            if flag.present and "" in values and flag.default != "":
                raise UserError(f"--{flag.name} is empty. Received: --{flag.name}=")


def as_called(text: str) -> str:
    """Names commands the way this one was called: `spin-tf recognize` where that is what was typed."""
    start = os.path.basename(sys.argv[0])
    if start.startswith("spin-tf"):
        prefix = "spin-tf "
    elif start == "__main__.py":
        prefix = "python -m spin_tf "
    else:
        return text
    return re.sub(r"\bbin/(\w+)\.py\b", lambda match: prefix + match[1], text)


def _describe(command: object) -> None:
    """Makes --help tell of the command instead of its launcher."""
    global _command, _about
    _command, _about = getattr(command, "__name__", ""), getattr(command, "__doc__", None) or ""
    sys.modules["__main__"].__doc__ = as_called(_about)
