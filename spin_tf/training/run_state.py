from __future__ import annotations

import dataclasses
from typing import Any


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

    def to_dict(self) -> dict[str, Any]:
        """Returns what `from_dict` takes; JSON can hold it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunState:
        """Inverse of `to_dict`; what another version did not write, or writes, is left at its default."""
        names = {field.name for field in dataclasses.fields(cls)}
        known = {key: value for key, value in values.items() if key in names}
        return cls(**{"validated": None, **known})
