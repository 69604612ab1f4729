"""Random numbers of a word: every family of effects has its own, so that turning one off leaves the others alone."""

from __future__ import annotations

from random import Random

from spin_tf.synthesis.config import SPOILS, SynthesisConfig, family_names

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
