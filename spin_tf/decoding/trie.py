"""A lexicon of up to millions of words, as a trie in four numpy arrays."""

from __future__ import annotations

import itertools
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
from absl import logging

from spin_tf.decoding.automaton import END, FIRST, FORBIDDEN, Table
from spin_tf.decoding.letters import Letters

_CHUNK = 100_000


class Trie:
    """The words of a list as an automaton: a state is a node, and its children lie side by side.

    About 9 bytes a node and 4 + length bytes a word.

    Args:
        words: any iterable of words; of those that count as one the first gives the spelling.
        letters: the model's characters.
        max_length: of the model's words.
        allowed: words that it does not allow are left out.

    Attributes:
        num_words, num_states: in the trie.
        left_out: words that are longer than `max_length`, or have characters (spaces among them) that the model does
            not read, or are not allowed.

    Raises:
        ValueError: no word is left.
    """

    start = 0
    may_be_cut = False

    def __init__(self, words: Iterable[str], letters: Letters, max_length: int, allowed: Table | None = None) -> None:
        self._letters = letters
        spelled, given = _tokens_of(words, letters, max_length, allowed)
        self.left_out = given - len(spelled)
        if not len(spelled):
            raise ValueError(
                f"The lexicon holds no word of up to {max_length} characters that the model and the other constraints "
                f"allow. Received: {given} words"
            )
        folded = np.where(letters.other > 0, np.minimum(letters.other, np.arange(letters.num_classes)), 0)
        canonical = np.where(folded > 0, folded, np.arange(letters.num_classes)).astype(spelled.dtype)
        rows = canonical[spelled]
        order = np.argsort(_as_strings(rows), kind="stable")
        rows = rows[order]
        first = np.ones(len(rows), bool)
        first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
        self._build(rows[first])
        spelled = spelled[order[first]]
        lengths = (spelled > 0).sum(axis=1)
        self._offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        self._spellings = spelled[spelled > 0]
        self.num_words = len(spelled)

    def _build(self, rows: np.ndarray) -> None:
        """Level by level: the words are sorted, so those with one beginning lie together."""
        lengths = (rows > 0).sum(axis=1)
        changes = rows[1:] != rows[:-1]
        common = np.concatenate([[-1], changes.argmax(axis=1)])
        tokens, num_children, words = [np.zeros(1, rows.dtype)], [], []
        alive = np.arange(len(rows))
        node, nodes = np.zeros(len(rows), np.int64), 1
        for level in range(rows.shape[1] + 1):
            word = np.full(nodes, FORBIDDEN, np.int32)
            ends = lengths[alive] == level
            word[node[ends]] = alive[ends]
            words.append(word)
            parent, alive = node[~ends], alive[~ends]
            if not len(alive):
                num_children.append(np.zeros(nodes, np.int32))
                break
            # Where a beginning of one character more is met first.
            starts = common[alive] <= level
            num_children.append(np.bincount(parent[starts], minlength=nodes).astype(np.int32))
            tokens.append(rows[alive[starts], level])
            node = np.cumsum(starts) - 1
            nodes = int(node[-1]) + 1
        self._token = np.concatenate(tokens)
        self._word = np.concatenate(words)
        # The root is node 0, so the first child of all is node 1.
        self._first_child = np.concatenate([[1], 1 + np.cumsum(np.concatenate(num_children))]).astype(np.int32)

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], letters: Letters, max_length: int, allowed: Table | None = None
    ) -> Trie:
        """Reads a UTF-8 file of one word a line; empty lines do not count.

        Raises:
            OSError: the file cannot be opened.
            ValueError: it is not UTF-8, or holds no word for this model.
        """
        trie = cls(lines_of(path), letters, max_length, allowed)
        if trie.left_out:
            logging.warning(
                "%s: %d words are left out: longer than %d characters, not of the model's characters, or not allowed",
                os.fspath(path),
                trie.left_out,
                max_length,
            )
        return trie

    @property
    def num_states(self) -> int:
        return len(self._token)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        arrays = (self._token, self._word, self._first_child, self._offsets, self._spellings)
        return sum(array.nbytes for array in arrays)

    def transitions(self, states: np.ndarray, remaining: np.ndarray) -> np.ndarray:
        rows = np.full((len(states), self._letters.num_classes), FORBIDDEN, np.int32)
        first = self._first_child[states]
        counts = self._first_child[states + 1] - first
        row = np.repeat(np.arange(len(states)), counts)
        child = np.arange(counts.sum()) + np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        token = self._token[child]
        rows[row, token] = child
        if self._letters.ignore_case:
            other = self._letters.other[token]
            rows[row[other > 0], other[other > 0]] = child[other > 0]
        rows[:, END] = np.where(self._word[states] >= 0, states, FORBIDDEN)
        return rows

    def potential(self, states: np.ndarray) -> np.ndarray:
        return np.zeros(states.shape, np.float32)

    def spelling(self, state: int, text: str) -> str:
        word = self._word[state]
        tokens = self._spellings[self._offsets[word] : self._offsets[word + 1]]
        return "".join(self._letters.charset.characters[token - FIRST] for token in tokens)


def lines_of(path: str | os.PathLike[str]) -> Iterator[str]:
    """The lines of a word list that are not empty."""
    try:
        with open(pathlib.Path(path), encoding="utf-8-sig", newline="\n") as file:
            for line in file:
                if word := line.rstrip("\r\n"):
                    yield word
    except UnicodeDecodeError as error:
        raise ValueError(f"A lexicon is a UTF-8 file. Received: lexicon={os.fspath(path)!r}, {error}") from error


def _tokens_of(
    words: Iterable[str], letters: Letters, max_length: int, allowed: Table | None
) -> tuple[np.ndarray, int]:
    """Token ids (n, max_length), 0 behind each word, of the words that can be read, and how many were given."""
    dtype = np.uint8 if letters.num_classes <= 256 else np.uint16
    lookup = np.zeros(0x110000, dtype)
    for character, token in letters.token.items():
        lookup[ord(character)] = token
    fold = letters.charset.fold
    parts, given = [np.zeros((0, max_length), dtype)], 0
    source = iter(words)
    while chunk := [fold(word) for word in itertools.islice(source, _CHUNK)]:
        given += len(chunk)
        # One character more than a word may have: what does not end before it is too long.
        codes: np.ndarray = np.array(chunk, f"<U{max_length + 1}").view(np.uint32).reshape(len(chunk), -1)
        tokens: np.ndarray = lookup[codes]
        readable = ((tokens > 0) | (codes == 0)).all(axis=1) & (codes[:, 0] > 0) & (codes[:, -1] == 0)
        # A null character inside a word looks like its end.
        readable &= ((codes[:, :-1] > 0) >= (codes[:, 1:] > 0)).all(axis=1)
        tokens = tokens[readable, :max_length]
        parts.append(tokens if allowed is None else tokens[allowed.accepts(tokens)])
    return np.concatenate(parts), given


def _as_strings(rows: np.ndarray) -> np.ndarray:
    """Rows as byte strings, which numpy sorts at once."""
    wide = np.ascontiguousarray(rows, np.dtype(rows.dtype).newbyteorder(">"))
    return wide.view(f"S{wide.dtype.itemsize * wide.shape[1]}")[:, 0]
