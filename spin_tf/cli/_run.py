"""What every command shares: user errors end in one line and an exit code, never in a traceback."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable

from absl import app, flags

from spin_tf._extras import MissingExtraError
from spin_tf.cli._streams import finish, prepare_streams, reader_has_gone, say, without_native_chatter

__all__ = ["UserError", "as_called", "run", "without_native_chatter"]

_PACKAGE = "spin_tf.cli."


class UserError(Exception):
    """A mistake in what the user gave; its message is the one line they see."""


def run(main: Callable[[list[str]], int | None]) -> None:
    """Runs `main(argv)` under absl; the exit code is what it returns (None is 0), 2 after a user error."""

    def guarded(argv: list[str]) -> int:
        try:
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

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
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
    launcher = sys.modules["__main__"]
    launcher.__doc__ = as_called(getattr(command, "__doc__", None) or "")
    name = getattr(command, "__name__", "")
    for flag in flags.FLAGS.flags_by_module_dict().get(name, []):
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)
