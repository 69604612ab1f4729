from __future__ import annotations

import math


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
