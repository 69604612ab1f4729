"""How far long work has come: a bar on a terminal, a line a minute where stderr goes to a file or a pipe."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 60.0


class ProgressBar:
    """Shows what is done of a number of things, how many a second, and the time left.

    On a terminal it is tqdm's bar. Elsewhere, a log file say, where a bar would be one line without end, it is a line a
    minute; work that takes less than a minute leaves none.

    Args:
        total: how many things there are; None where nobody knows.
        unit: what they are called, in the plural.
        description: of the work; nothing is fine.
        initial: how many were done before.
        enabled: False shows nothing.
    """

    def __init__(
        self,
        total: int | None,
        unit: str,
        description: str = "",
        initial: int = 0,
        enabled: bool = True,
    ) -> None:
        self._total, self._unit, self._description = total, unit, description
        self._first = self._done = initial
        self._note = ""
        self._start = self._said = time.monotonic()
        self._writes_lines = enabled
        self._bar: Any = None
        with contextlib.suppress(AttributeError, ValueError):
            if enabled and sys.stderr.isatty():
                self._bar = tqdm(
                    desc=description or None, total=total, initial=initial, unit=f" {unit}", dynamic_ncols=True
                )

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def move_to(self, done: int, note: str = "") -> None:
        """Tells how many are done by now, and what else there is to say of them."""
        self._done, self._note = done, note
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
            if note:
                self._bar.set_postfix_str(note)
        elif self._writes_lines and time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._write_line()

    def say(self, line: str) -> None:
        """Writes a line to stdout, above a bar."""
        if self._bar is not None:
            self._bar.write(line)
        else:
            print(line, flush=True)

    def close(self) -> None:
        """Leaves the last state on the screen; in a log where an earlier one stands there."""
        if self._bar is not None:
            self._bar.close()
        elif self._writes_lines and self._said > self._start:
            self._write_line()
        self._writes_lines = False

    def _write_line(self) -> None:
        self._said = time.monotonic()
        rate = (self._done - self._first) / max(self._said - self._start, 1e-9)
        of = f" of {self._total:,}" if self._total is not None else ""
        parts = [f"{self._done:,}{of} {self._unit}", f"{rate:,.{0 if rate >= 10 else 2}f} a second"]
        if self._total is not None and rate > 0:
            parts.append(f"{tqdm.format_interval((self._total - self._done) / rate)} left")
        if self._note:
            parts.append(self._note)
        line = ", ".join(parts)
        # Progress is not worth failing for.
        with contextlib.suppress(OSError, ValueError):
            print(f"{self._description}: {line}" if self._description else line, file=sys.stderr, flush=True)
