"""How often what happens to a word: labels of some kinds, families of effects, each with random numbers of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from random import Random


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
        spaces: several words, groups of figures, plates; no label where the charset has no space.

    Raises:
        ValueError: a share is outside of 0..1, or all are more than 1.
    """

    signs: float = 0.06
    long: float = 0.03
    codes: float = 0.03
    accents: float = 0.1
    words: float = 0.0
    spaces: float = 0.02

    def __post_init__(self) -> None:
        _check_fields(self, "share")
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


def _check_fields(numbers: LabelShares | SynthesisConfig, kind: str) -> None:
    for name, value in dataclasses.asdict(numbers).items():
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"A {kind} must be a number in [0, 1]. Received: {name}={value!r}")


@dataclasses.dataclass(frozen=True)
class SynthesisConfig:
    """Probabilities (0..1) with which each family of effects touches a word; 0 turns the family off.

    The defaults follow what real crops show (ICDAR 2015, IIIT5K and Street View Text training words). A family that is
    off leaves the other families of the same word as they were: each draws from its own stream of random numbers.

    Example:
        >>> no_blur = SynthesisConfig(blur=0.0, motion_blur=0.0)

    Raises:
        ValueError: a value is not in [0, 1].
    """

    # A graphic rather than a snapshot: none of the families in `SPOILS` touches it.
    clean: float = 0.22
    # Text line
    letter_spacing: float = 0.35
    condense: float = 0.7
    weight: float = 0.3
    curve: float = 0.16
    wave: float = 0.03
    jitter: float = 0.05
    small_capitals: float = 0.12
    neighbours: float = 0.45
    lines: float = 0.06
    # Faces: of codes, and of numbers
    monospace: float = 0.35
    seven_segment: float = 0.08
    # Apostrophes and quotation marks as print has them, where labels have the plain ones
    typographic: float = 0.4
    # Geometry
    rotation: float = 0.75
    vertical: float = 0.015
    shear: float = 0.3
    perspective: float = 0.45
    loose_crop: float = 0.25
    wide_ground: float = 0.06
    tight_crop: float = 0.15
    # Ink
    outline: float = 0.1
    shadow: float = 0.15
    glow: float = 0.05
    emboss: float = 0.05
    gradient_fill: float = 0.15
    textured_fill: float = 0.12
    two_tone: float = 0.03
    dot_matrix: float = 0.01
    # Ink as bright as its ground; the picture is in colour then. Off: not every reader takes colour.
    colour_only: float = 0.0
    # Behind
    gradient: float = 0.25
    noise_texture: float = 0.2
    photograph: float = 0.3
    board: float = 0.1
    dark_text: float = 0.42
    low_contrast: float = 0.22
    # Light
    illumination: float = 0.2
    occlusion: float = 0.06
    exposure: float = 0.14
    gamma: float = 0.2
    # Camera
    low_resolution: float = 0.75
    blur: float = 0.4
    motion_blur: float = 0.1
    noise: float = 0.5
    sharpen: float = 0.15
    jpeg: float = 0.35

    def __post_init__(self) -> None:
        _check_fields(self, "probability")

    def without(self, *families: str) -> SynthesisConfig:
        """The same configuration with some families turned off.

        Raises:
            ValueError: a name is no family.
        """
        unknown = sorted(set(families) - set(family_names()))
        if unknown:
            raise ValueError(f"The families of effects are {', '.join(family_names())}. Received: families={unknown}")
        return dataclasses.replace(self, **dict.fromkeys(families, 0.0))

    def with_effects(self, items: Iterable[str]) -> SynthesisConfig:
        """The same configuration with other probabilities, as a flag gives them: `wide_ground=0.2`, for example.

        Raises:
            ValueError: an item is no family and number, or the number is no probability.
        """
        changed: dict[str, float] = {}
        for item in items:
            name, _, value = item.partition("=")
            try:
                changed[name] = float(value)
            except ValueError as error:
                raise ValueError(f"An effect is FAMILY=PROBABILITY. Received: effects={item!r}") from error
            self.without(name)
        return dataclasses.replace(self, **changed)

    def scaled(self, strength: float) -> SynthesisConfig:
        """The same configuration with effects `strength` times as frequent, at most always.

        A model that has yet to learn to read learns faster from words that few effects have touched. The share of
        clean words and of dark ink stays.

        Raises:
            ValueError: `strength` is negative.
        """
        if not strength >= 0:
            raise ValueError(f"strength must not be negative. Received: strength={strength}")
        names = [name for name in family_names() if name not in ("clean", "dark_text")]
        return dataclasses.replace(self, **{name: min(getattr(self, name) * strength, 1.0) for name in names})


# What a word that is `clean` is spared.
_SPOILS = """
photograph noise_texture low_contrast illumination occlusion exposure blur motion_blur noise textured_fill board
"""
SPOILS = frozenset(_SPOILS.split())


def family_names() -> list[str]:
    """Names of all families of effects, in the order in which they are declared."""
    return [field.name for field in dataclasses.fields(SynthesisConfig)]


_FAMILIES = {name: index for index, name in enumerate(family_names())}
_OTHERS = {name: 100 + index for index, name in enumerate(("label", "crop", "greys", "filter"))}


class Streams:
    """Sources of random numbers, each a pure function of the word's seed and a name.

    Only `random`, `gauss` and `getrandbits` of a source are used, whose sequences Python keeps for a seed.

    Args:
        seed: of the word.
        config: how often a family is active.

    Attributes:
        clean: the word is spared all that spoils a picture.
    """

    def __init__(self, seed: int, config: SynthesisConfig) -> None:
        self._base = (int(seed) % 2**64) << 7
        self._config = config
        gate = Random(self._base | 127)
        self._gates = [gate.random() for _ in _FAMILIES]
        self.clean = self._gates[_FAMILIES["clean"]] < config.clean

    def active(self, family: str) -> Random | None:
        """The source of a family of effects, or None when the family leaves this word alone."""
        if self.clean and family in SPOILS:
            return None
        index = _FAMILIES[family]
        return Random(self._base | index) if self._gates[index] < getattr(self._config, family) else None

    def always(self, name: str) -> Random:
        """The source of a choice that every word makes: label, crop, greys, filter."""
        return Random(self._base | _OTHERS[name])
