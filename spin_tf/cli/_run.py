"""What every command shares: user errors end in one line and an exit code, never in a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from absl import app

from spin_tf._extras import MissingExtraError


class UserError(Exception):
    """A mistake in what the user gave; its message is the one line they see."""


def run(main: Callable[[list[str]], int | None]) -> None:
    """Runs `main(argv)` under absl; the exit code is what it returns (None is 0), 2 after a user error."""

    def guarded(argv: list[str]) -> int:
        try:
            return main(argv) or 0
        except (UserError, MissingExtraError, ValueError, OSError) as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    app.run(guarded)
