"""From images and the options of a reader to readings: one automaton of what is allowed, searched with the model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
from absl import logging

from spin_tf.charset import Charset
from spin_tf.contract.word import Character, Word
from spin_tf.decoding.automaton import FORBIDDEN, Anything, Automaton, Table
from spin_tf.decoding.letters import Letters
from spin_tf.decoding.options import Options, PerImage
from spin_tf.decoding.pattern import compile_allowlist, compile_pattern, intersect
from spin_tf.decoding.readings import FoundReading
from spin_tf.decoding.search import BeamSearch
from spin_tf.decoding.stepping import SteppingModel
from spin_tf.decoding.trie import Trie


class Constraint:
    """What the words of a model may be, compiled once; lexicons for single words can take the place of the lexicon.

    Args:
        options: what the reader asks for.
        charset: of the model.
        max_length: of the model's words.

    Attributes:
        automaton: for all words.

    Raises:
        OSError: the lexicon cannot be opened.
        ValueError: a constraint cannot be understood, or allows no word at all.
    """

    def __init__(self, options: Options, charset: Charset, max_length: int) -> None:
        self._options, self._max_length = options, max_length
        self._letters = Letters(charset, options.ignore_case)
        self._table = self._compile()
        lexicon = options.lexicon
        if lexicon is None or isinstance(lexicon, PerImage):
            self.automaton: Automaton = self._table or Anything(self._letters.num_classes)
        elif isinstance(lexicon, (str, os.PathLike)):
            self.automaton = self._with(Trie.from_file(lexicon, self._letters, max_length, self._table))
        else:
            trie = self._trie_of(lexicon)
            if trie.left_out:
                logging.warning("lexicon: %d words are left out, the first %s", trie.left_out, trie.first_left_out)
            self.automaton = self._with(trie)

    def for_words(self, lexicon: Iterable[str]) -> Automaton:
        """The automaton with these words as the lexicon.

        Raises:
            ValueError: the model can read none of the words, or the other constraints allow none.
        """
        return self._with(self._trie_of(lexicon))

    def _trie_of(self, lexicon: Iterable[str]) -> Trie:
        return Trie(lexicon, self._letters, self._max_length, self._table)

    def _with(self, trie: Trie) -> Automaton:
        if self._options.lexicon_weight is None:
            return trie
        return Weighted(self._table or Anything(self._letters.num_classes), trie, self._options.lexicon_weight)

    def _compile(self) -> Table | None:
        tables = []
        if self._options.allowlist is not None:
            tables.append(compile_allowlist(self._options.allowlist, self._letters, self._max_length))
        if self._options.pattern is not None:
            tables.append(compile_pattern(self._options.pattern, self._letters, self._max_length))
        if len(tables) < 2:
            return tables[0] if tables else None
        both = intersect(tables[0], tables[1], self._max_length + 1)
        if both.is_empty:
            raise ValueError(
                "No word of the pattern is made of the characters of the allowlist alone. "
                f"Received: pattern={self._options.pattern!r}, allowlist={self._options.allowlist!r}"
            )
        return both


class Weighted:
    """A hard constraint, and a lexicon whose words are worth more.

    A state is a pair in one number: the constraint's state times the size of the lexicon, plus the lexicon's. There, 0
    is where beginnings go that no word of the lexicon has.

    Args:
        allowed: what a word may be.
        lexicon: what it had better be; its states are 0 to `num_states` - 1.
        weight: added to the log probability of the lexicon's words: they count as if they were exp(weight) times as
            probable.
    """

    def __init__(self, allowed: Automaton, lexicon: Trie, weight: float) -> None:
        self._allowed, self._lexicon, self.weight = allowed, lexicon, float(weight)
        self._size = lexicon.num_states + 1
        self.may_be_cut = allowed.may_be_cut
        self.start = allowed.start * self._size + lexicon.start + 1

    def transitions(self, states: np.ndarray, remaining: np.ndarray) -> np.ndarray:
        allowed = self._allowed.transitions(states // self._size, remaining).astype(np.int64)
        inside = states % self._size
        known = np.zeros_like(allowed)
        if (rows := np.flatnonzero(inside)).size:
            known[rows] = self._lexicon.transitions(inside[rows] - 1, remaining[rows]) + 1
        return np.where(allowed >= 0, allowed * self._size + known, FORBIDDEN)

    def potential(self, states: np.ndarray) -> np.ndarray:
        return np.where(states % self._size > 0, np.float32(self.weight), np.float32(0))

    def spelling(self, state: int, text: str) -> str:
        inside = state % self._size
        return self._lexicon.spelling(inside - 1, text) if inside else self._allowed.spelling(state // self._size, text)


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
                states, projected, centres = (cast(np.ndarray, value)[row : row + 1] for value in encoded.values())
                found += self._search.run({"states": states, "projected": projected, "centres": centres}, own)
        return [[_word(reading) for reading in readings] for readings in found]


def _word(reading: FoundReading) -> Word:
    characters = tuple(
        Character(character, probability, position)
        # The end after them, where there is one, is no character.
        for character, probability, position in zip(
            reading.text, reading.probabilities, reading.positions, strict=False
        )
    )
    return Word(reading.text, float(np.exp(reading.log_probability)), characters, truncated=reading.truncated)
