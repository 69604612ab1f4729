"""`python -m spin_tf COMMAND ...` and the `spin-tf` script of an installed package: the commands of bin/ by name."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys

from spin_tf import cli
from spin_tf._version import __version__
from spin_tf.cli._streams import finish, prepare_streams, say


def commands() -> list[str]:
    """The names of the commands: the public modules of `spin_tf.cli`."""
    return sorted(module.name for module in pkgutil.iter_modules(cli.__path__) if not module.name.startswith("_"))


def main() -> None:
    """Runs the command named by the first argument with the arguments after it."""
    prepare_streams()
    usage = f"usage: spin-tf COMMAND ...  (spin-tf COMMAND --help says more)\ncommands: {', '.join(commands())}"
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help", "help", "--version"):
        with contextlib.suppress(BrokenPipeError):
            print(f"spin-tf {__version__}" if name == "--version" else usage)
        finish(sys.stdout)
        return
    if name not in commands():
        say(f"{usage}\nerror: no such command. Received: {name!r}")
        sys.exit(2)
    from spin_tf.cli._run import run

    del sys.argv[1]
    run(importlib.import_module(f"spin_tf.cli.{name}").main)


if __name__ == "__main__":
    main()
