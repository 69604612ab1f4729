"""How often labels are of the kinds that usual words do not teach: signs, long strings, codes, accents."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True)
class LabelShares:
    """Shares (0..1, together at most 1) of labels of some kinds; all others are as on signs and in print.

    Args:
        signs: telephone numbers, prices with their currency, addresses of the web with paths, quotation marks, dashes,
            and signs anywhere in words and numbers.
        long: compounds of 18 to 30 letters, numbers of 12 to 24 digits, account and serial numbers, long addresses.
        codes: strings of characters that look alike (0O, 1Il, 5S, 8B, 2Z) among others.
        accents: words with letters outside of ASCII; no label where the charset has none.
        words: words of the lexicon alone, in some case and nothing with them.

    Raises:
        ValueError: a share is outside of 0..1, or all are more than 1.
    """

    signs: float = 0.06
    long: float = 0.03
    codes: float = 0.03
    accents: float = 0.1
    words: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ValueError(f"A share must be a number in [0, 1]. Received: {name}={value!r}")
        if sum(dataclasses.astuple(self)) > 1 + 1e-9:
            raise ValueError(f"The shares of labels are at most 1 together. Received: {self}")

    @classmethod
    def parse(cls, items: Iterable[str]) -> LabelShares:
        """Shares as a flag gives them, `signs=0.1`, for example; those that are not named keep their default, unless
        the named ones leave no room: `words=1` is words alone.

        Raises:
            ValueError: an item is no share.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        given: dict[str, float] = {}
        for item in items:
            name, _, value = item.partition("=")
            try:
                number = float(value)
            except ValueError:
                number = -1.0
            if name not in names or number < 0:
                raise ValueError(f"Shares are {', '.join(f'{n}=NUMBER' for n in names)}. Received: shares={item!r}")
            given[name] = number
        rest = {n: v for n, v in dataclasses.asdict(cls()).items() if n not in given}
        room = max(1 - sum(given.values()), 0.0)
        scale = min(1.0, room / sum(rest.values())) if sum(rest.values()) else 1.0
        return cls(**given, **{n: v * scale for n, v in rest.items()})
