"""Images in, the readings that the options allow out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from spin_tf.charset import Charset
from spin_tf.contract.word import Character, Word
from spin_tf.decoding.constraint import Constraint
from spin_tf.decoding.options import Options
from spin_tf.decoding.readings import Reading
from spin_tf.decoding.search import BeamSearch
from spin_tf.decoding.stepping import SteppingModel


class Decoder:
    """Reads words by searching the readings of a stepping model; safe to call from several threads at once.

    Args:
        model: encodes and steps.
        charset, max_length: of the model.
        options: what is asked for.

    Raises:
        OSError, ValueError: see `Constraint`.
    """

    def __init__(self, model: SteppingModel, charset: Charset, max_length: int, options: Options) -> None:
        self._model, self._options = model, options
        self._constraint = Constraint(options, charset, max_length)
        self._search = BeamSearch(
            model,
            charset.characters,
            max_length + 1,
            width=options.width,
            num_best=options.n_best,
            is_exact=options.is_constrained or options.lexicon is not None or options.n_best > 1,
            min_probability=options.floor,
        )

    def read(self, images: np.ndarray, lexicons: Sequence[Iterable[str] | None] | None = None) -> list[list[Word]]:
        """Reads images.

        Args:
            images: float32 (n, height, width, 1) in [-1, 1], n at least 1.
            lexicons: of each image, its own words in place of the lexicon of the options; None where it has none.

        Returns:
            for each image up to `n_best` words, the most probable first; none where no reading is allowed.

        Raises:
            ValueError: a lexicon without a word that the model can read.
        """
        encoded = self._model.encode(images)
        if lexicons is None:
            found = self._search.run(encoded, self._constraint.automaton)
        else:
            found = []
            for row, lexicon in enumerate(lexicons):
                own = self._constraint.automaton if lexicon is None else self._constraint.for_words(lexicon)
                found += self._search.run({name: value[row : row + 1] for name, value in encoded.items()}, own)
        return [[_word(reading) for reading in result.readings] for result in found]


def _word(reading: Reading) -> Word:
    characters = tuple(
        Character(character, probability, position)
        # The end after them, where there is one, is no character.
        for character, probability, position in zip(
            reading.text, reading.probabilities, reading.positions, strict=False
        )
    )
    return Word(reading.text, float(np.exp(reading.log_probability)), characters, truncated=reading.truncated)
