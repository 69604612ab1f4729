"""What a run knows beside its variables: step, time, loss; and what ends it."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

from spin_tf._types import JsonObject


@dataclasses.dataclass
class RunState:
    """What a run knows beside its variables; either loop writes all of it and reads what the other has written.

    Args:
        step: steps done.
        best: word accuracy of best.keras; None where nothing was validated.
        validated: the step after which the run was last validated to the end; None where that is not known.
        mean_loss: running mean of the loss.
        seconds: how long the run has lasted.
        words: usable words of each source.
    """

    step: int = 0
    best: float | None = None
    validated: int | None = 0
    mean_loss: float | None = None
    seconds: float = 0.0
    words: dict[str, int] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> JsonObject:
        """Returns what `from_dict` takes; JSON can hold it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: JsonObject) -> RunState:
        """Inverse of `to_dict`; what another version did not write, or writes, is left at its default."""
        names = {field.name for field in dataclasses.fields(cls)}
        known = {key: value for key, value in values.items() if key in names}
        return cls(**{"validated": None, **known})


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


class TrainingError(RuntimeError):
    """The run cannot go on; the message says at which step, on which words, and where the last good state is."""


class Interrupted(Exception):
    """Work between two steps was given up, since the run was asked to stop."""


class LossGuard:
    """Notices a loss that is not finite, or far above its running mean.

    Args:
        limit: a loss above `limit` times the mean, plus 1, is an explosion; 0 turns that off.
        mean: the running mean of the run so far.
    """

    def __init__(self, limit: float, mean: float | None = None) -> None:
        self._limit = limit
        self.mean = mean

    def problem(self, loss: float, gradient_norm: float) -> str | None:
        """Takes in the next step's numbers and says what is wrong with them, if anything is."""
        if not math.isfinite(loss) or not math.isfinite(gradient_norm):
            return f"the loss is {loss} and the gradient norm {gradient_norm}"
        if self.mean is not None and self._limit and loss > self._limit * self.mean + 1.0:
            return f"the loss exploded: {loss:.4g} after a running mean of {self.mean:.4g}"
        self.mean = loss if self.mean is None else 0.98 * self.mean + 0.02 * loss
        return None
