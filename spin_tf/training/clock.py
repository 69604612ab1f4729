from __future__ import annotations

import time
from typing import Any


class Clock:
    """The time of a run that lasts a number of minutes: its schedule follows the time instead of the steps.

    Whatever the hardware, such a run goes through the whole schedule and ends on time; it is not repeatable to the bit.

    Args:
        minutes: length of the run; None for a run that counts steps, whose time is kept all the same.
        seconds: that earlier processes of the run have spent.
    """

    def __init__(self, minutes: float | None, seconds: float = 0.0) -> None:
        self.limit = None if minutes is None else 60.0 * minutes
        self._started = time.monotonic() - seconds

    @property
    def seconds(self) -> float:
        """How long the run has lasted, interruptions not counted."""
        return time.monotonic() - self._started

    @property
    def is_over(self) -> bool:
        """Whether the minutes have passed; never for a run that counts steps."""
        return self.limit is not None and self.seconds >= self.limit

    def rate(self, schedule: Any, step: int) -> float:
        """The learning rate of the step after `step` steps; the warm-up counts steps whatever the clock says.

        Args:
            schedule: a `Schedule`.
            step: steps done.
        """
        if self.limit is None or step < schedule.config.warmup_steps:
            return float(schedule(step))
        share = min(self.seconds / self.limit, 1.0)
        return float(schedule(max(share * schedule.steps, schedule.config.warmup_steps)))
