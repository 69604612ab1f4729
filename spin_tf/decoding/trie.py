"""A lexicon of up to millions of words, as a trie in four numpy arrays, and files of words that it is read from."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from absl import logging

from spin_tf._input_files import open_named
from spin_tf.decoding.automaton import END, FIRST, FORBIDDEN, Table, Unweighted
from spin_tf.decoding.letters import Letters

# Enough to tell what a file is.
_HEAD_LINES = 200
# Longer than any list of a million words.
_MAX_BYTES = 2**32


def words_in(path: str | os.PathLike[str]) -> Iterator[str]:
    """The lines of a word list that are not empty, without the white space around them.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is not UTF-8.
    """
    try:
        with io.TextIOWrapper(open_named(path, _MAX_BYTES), encoding="utf-8-sig") as file:
            for line in file:
                if word := line.strip():
                    yield word
    except UnicodeDecodeError as error:
        raise ValueError(f"A lexicon is a UTF-8 file. Received: lexicon={os.fspath(path)!r}, {error}") from error


def with_head(lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The first lines, for `other_kind`, and all of them."""
    head = list(itertools.islice(lines, _HEAD_LINES))
    return head, itertools.chain(head, lines)


def other_kind(head: Sequence[str]) -> str:
    """What a file seems to be that is no plain list of words, with its first such line; "" where it seems to be one.

    Args:
        head: its first lines.
    """
    if not head:
        return ""
    for what, is_one in _KINDS.items():
        found = [line for line in head if is_one(line)]
        if len(found) > 0.9 * len(head):
            return f"{what}, such as {found[0][:60]!r}"
    if head[0].isdecimal() and sum("/" in line for line in head) > 0.3 * len(head):
        return f"a dictionary of Hunspell, which begins with the number of its words, {head[0]!r}"
    if head[0][0] in "[{" and head[-1].rstrip(",")[-1] in '"]}':
        return f"JSON, which begins with {head[0][:60]!r}"
    return ""


def _is_quoted(line: str) -> bool:
    line = line.rstrip(",; \t")
    return len(line) > 2 and line[0] == line[-1] and line[0] in "\"'`"


def _has_number(line: str) -> bool:
    word, _, number = line.rpartition(" ")
    return bool(word) and number.replace(".", "", 1).isdecimal()


_KINDS: dict[str, Callable[[str], bool]] = {
    "quoted words, whose quotes count as characters of the words": _is_quoted,
    "a table, whose columns tabs divide": lambda line: "\t" in line,
    "words with a number behind each, which counts as a part of the words": _has_number,
    "a table, whose columns semicolons divide": lambda line: ";" in line.strip(";") and len(line) > 2,
    "a table, whose columns commas divide": lambda line: any(map(str.isalpha, line)) and "," in line.strip(","),
}


_CHUNK = 100_000


class Trie(Unweighted):
    """The words of a list as an automaton: a state is a node, and its children lie side by side.

    About 9 bytes a node and 4 + length bytes a word.

    Args:
        words: any iterable of words; of those that count as one the first gives the spelling.
        letters: the model's characters.
        max_length: of the model's words.
        allowed: words that it does not allow are left out.

    Attributes:
        num_words, num_states: in the trie.
        left_out: how many words are longer than `max_length`, or have characters (spaces inside among them) that the
            model does not read, or are not allowed.
        first_left_out: the first of them and why, for messages; "" for none.

    Raises:
        ValueError: no word is left.
    """

    def __init__(self, words: Iterable[str], letters: Letters, max_length: int, allowed: Table | None = None) -> None:
        self._letters = letters
        spelled, given, first_left_out = _tokens_of(words, letters, max_length, allowed)
        self.left_out = given - len(spelled)
        self.first_left_out = _why(first_left_out, letters, max_length) if self.left_out else ""
        if not len(spelled):
            example = f", the first {self.first_left_out}" if given else ""
            raise ValueError(
                f"The lexicon holds no word of up to {max_length} characters that the model and the other constraints "
                f"allow. Received: {given} words{example}"
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
        """Reads a UTF-8 file of one word a line; empty lines and white space around a word do not count.

        What is left out, and a file that seems to be another kind of list, is told as a warning.

        Raises:
            OSError: the file cannot be opened.
            ValueError: it is not UTF-8, or holds no word for this model.
        """
        head, lines = with_head(words_in(path))
        kind = other_kind(head)
        name = os.fspath(path)
        try:
            trie = cls(lines, letters, max_length, allowed)
        except ValueError as error:
            raise ValueError(f"{error}; lexicon={name!r}{f' seems to be {kind}' if kind else ''}") from None
        if kind:
            logging.warning("%s: this is no plain list of one word a line but seems to be %s", name, kind)
        if trie.left_out:
            logging.warning("%s: %d words are left out, the first %s", name, trie.left_out, trie.first_left_out)
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

    def spelling(self, state: int, text: str) -> str:
        word = self._word[state]
        tokens = self._spellings[self._offsets[word] : self._offsets[word + 1]]
        return "".join(self._letters.charset.characters[token - FIRST] for token in tokens)


def _why(word: str, letters: Letters, max_length: int) -> str:
    """A word that is left out, and why."""
    shown = repr(word if len(word) <= 40 else f"{word[:37]}...")
    unknown = next((c for c in letters.charset.fold(word) if c not in letters.token), "")
    if not word:
        return f"{shown}: it is empty"
    if unknown.isspace():
        return f"{shown}: it holds {'a space' if unknown == ' ' else repr(unknown)}, and a lexicon has one word a line"
    if unknown:
        return f"{shown}: the model has no {unknown!r}"
    if len(letters.charset.fold(word)) > max_length:
        return f"{shown}: it has more than {max_length} characters"
    return f"{shown}: the allowlist or the pattern does not allow it"


def _tokens_of(
    words: Iterable[str], letters: Letters, max_length: int, allowed: Table | None
) -> tuple[np.ndarray, int, str]:
    """Token ids (n, max_length), 0 behind each word, of the words that can be read, how many were given, and the first
    that cannot.

    White space around a word does not count.
    """
    dtype = np.uint8 if letters.num_classes <= 256 else np.uint16
    lookup = np.zeros(0x110000, dtype)
    for character, token in letters.token.items():
        lookup[ord(character)] = token
    fold = letters.charset.fold
    parts, given, first_left_out = [np.zeros((0, max_length), dtype)], 0, ""
    is_first = True
    source = iter(words)
    while words_here := [word.strip() for word in itertools.islice(source, _CHUNK)]:
        chunk = [fold(word) for word in words_here]
        given += len(chunk)
        # One character more than a word may have: what does not end before it is too long.
        codes: np.ndarray = np.array(chunk, f"<U{max_length + 1}").view(np.uint32).reshape(len(chunk), -1)
        tokens: np.ndarray = lookup[codes]
        readable = ((tokens > 0) | (codes == 0)).all(axis=1) & (codes[:, 0] > 0) & (codes[:, -1] == 0)
        # A null character inside a word looks like its end.
        readable &= ((codes[:, :-1] > 0) >= (codes[:, 1:] > 0)).all(axis=1)
        tokens = tokens[:, :max_length]
        if allowed is not None:
            readable[readable] = allowed.accepts(tokens[readable])
        if is_first and not readable.all():
            first_left_out, is_first = words_here[int(readable.argmin())], False
        parts.append(tokens[readable])
    return np.concatenate(parts), given, first_left_out


def _as_strings(rows: np.ndarray) -> np.ndarray:
    """Rows as byte strings, which numpy sorts at once."""
    wide = np.ascontiguousarray(rows, np.dtype(rows.dtype).newbyteorder(">"))
    return wide.view(f"S{wide.dtype.itemsize * wide.shape[1]}")[:, 0]
