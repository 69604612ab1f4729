"""`python -m spin_tf COMMAND ...` and the `spin-tf` script of an installed package: the commands of bin/ by name."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys

from spin_tf._version import __version__
from spin_tf.cli._help import commands, overview
from spin_tf.cli._streams import finish, prepare_streams, say


def main() -> None:
    """Runs the command named by the first argument with the arguments after it."""
    prepare_streams()
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help", "help", "--version"):
        with contextlib.suppress(BrokenPipeError):
            print(f"spin-tf {__version__}" if name == "--version" else overview())
        finish(sys.stdout)
        return
    if name not in commands():
        close = difflib.get_close_matches(name, commands(), 1)
        instead = f"did you mean {close[0]}?" if close else "spin-tf --help lists them"
        say(f"error: no such command. Received: {name!r}; {instead}")
        sys.exit(2)
    from spin_tf.cli._run import run

    del sys.argv[1]
    run(importlib.import_module(f"spin_tf.cli.{name}").main)


if __name__ == "__main__":
    main()
