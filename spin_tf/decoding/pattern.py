"""Patterns: a subset of regular expressions, compiled to a table over the tokens of a model.

The whole word must match. Characters stand for themselves; `.` is any character of the model, `[A-Z0-9_]` and `[^...]`
are classes, `\\d` is a digit, `\\w` a letter, digit or `_`, `\\D` and `\\W` are the others; `\\` takes any other sign
literally. `(...)` and `(?:...)` group, `|` separates alternatives, `*`, `+`, `?`, `{3}`, `{2,4}`, `{2,}` and `{,4}`
repeat what stands before them. `^` at the start and `$` at the end may be written and change nothing. Nothing else of
regular expressions is there: no back references, no look-around, no lazy or possessive repetition, no flags.

What can be read in two ways, and characters that the model does not have, are told as a warning with the first of them.
"""

from __future__ import annotations

import re

import numpy as np

from spin_tf.decoding.automaton import END, FIRST, FORBIDDEN, Nfa, Table
from spin_tf.decoding.letters import MINUS, Doubts, Letters

_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}")


def compile_pattern(pattern: str, letters: Letters, max_length: int) -> Table:
    """Compiles a pattern.

    Args:
        pattern: see above.
        letters: the model's characters.
        max_length: of the model's words.

    Raises:
        ValueError: it is no such pattern (says where), is too large, or allows no word that the model can read.
    """
    parser = _Parser(pattern, letters, max_length)
    nfa = parser.parse()
    table = Table(nfa.determinize(letters.num_classes, max_length), max_length + 1)
    if table.is_empty:
        raise ValueError(
            f"The pattern allows no word of up to {max_length} characters of charset {letters.charset.name}. "
            f"Received: pattern={pattern!r}{parser.doubts.missing()}"
        )
    parser.doubts.warn()
    return table


def compile_allowlist(allowlist: str, letters: Letters, max_length: int) -> Table:
    """Compiles a list of characters, written as between the brackets of a pattern: any word of these.

    Raises:
        ValueError: it is no such list (says where), or none of the characters is the model's.
    """
    parser = _Parser(f"{allowlist}]", letters, max_length, name="allowlist")
    problem = "it is empty" if not allowlist else ""
    tokens: frozenset[int] = frozenset()
    try:
        tokens = parser.members()
    except ValueError as error:
        ended = parser.at >= len(parser.text)
        what = "a backslash at the end takes no sign literally" if ended else str(error).partition(". Received")[0]
        problem = problem or what
    if not problem and parser.at < len(parser.text):
        problem = f"']' at position {parser.at - 1} of the allowlist ends it"
    if not problem and not tokens:
        problem = f"none of its characters is the model's{parser.doubts.missing()}"
    if problem:
        raise ValueError(
            "An allowlist names characters of the model as a class of a pattern does, such as 0-9A-Z; backslash "
            f"before ] and \\: {problem}. Received: allowlist={allowlist!r}"
        )
    parser.doubts.of_allowlist()
    parser.doubts.warn()
    row = np.full((1, letters.num_classes), FORBIDDEN, np.int32)
    row[0, [END, *tokens]] = 0
    return Table(row, max_length + 1)


def intersect(first: Table, second: Table, num_steps: int) -> Table:
    """The automaton of the words that both allow."""
    size = len(second.table)
    both = (first.table[:, None] >= 0) & (second.table[None] >= 0)
    table = np.where(both, first.table[:, None] * size + second.table[None], FORBIDDEN)
    return Table(table.reshape(-1, table.shape[-1]), num_steps)


# What a part of a pattern is: tokens, or an operation on parts.
_Node = frozenset[int] | tuple[str, list["_Node"], int, int | None]


class _Parser:
    def __init__(self, pattern: str, letters: Letters, max_length: int, name: str = "pattern") -> None:
        self.text, self.at, self._letters, self._max_length = pattern, 0, letters, max_length
        self._name = name
        self.doubts = Doubts(name, pattern.removesuffix("]") if name == "allowlist" else pattern)
        self._tokens = frozenset(range(FIRST, letters.num_classes))
        self._nfa = Nfa(pattern)

    def parse(self) -> Nfa:
        if self._peek() == "^":
            self.at += 1
        try:
            node = self._alternatives()
        except RecursionError:
            raise ValueError(f"The pattern is nested too deeply. Received: pattern={self.text[:80]!r}...") from None
        if self._peek() == "$" and self.at == len(self.text) - 1:
            self.at += 1
        if self.at < len(self.text):
            raise self._error("not expected here")
        self._nfa.start, self._nfa.end = self._build(node)
        return self._nfa

    def _error(self, what: str) -> ValueError:
        found = repr(self.text[self.at]) if self.at < len(self.text) else "the end"
        return ValueError(f"{found} at position {self.at} of the {self._name}: {what}. Received: pattern={self.text!r}")

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _next(self, missing: str = "a character is missing") -> str:
        if self.at >= len(self.text):
            raise self._error(missing)
        self.at += 1
        return self.text[self.at - 1]

    def _alternatives(self) -> _Node:
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else ("or", options, 0, None)

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            if self._peek() == "$" and self.at == len(self.text) - 1:
                break
            parts.append(self._repeated(self._atom()))
        return ("then", parts, 0, None)

    def _atom(self) -> _Node:
        character = self._next()
        if character == "(":
            if self.text.startswith("?:", self.at):
                self.at += 2
            node = self._alternatives()
            if self._peek() != ")":
                raise self._error("a closing ) is missing")
            self.at += 1
            return node
        if character == "[":
            return self.members()
        if character == ".":
            return self._tokens
        if character == "\\":
            return self._escaped()[1]
        if character in "*+?{^$":
            self.at -= 1
            raise self._error(r"there is nothing to repeat" if character in "*+?{" else r"write \^ or \$ for the sign")
        return self._matching(character, character)

    def _repeated(self, node: _Node) -> _Node:
        character = self._peek()
        if not character or character not in "*+?{":
            return node
        if character == "{":
            match = _REPEAT.match(self.text, self.at)
            if not match or match[0] in ("{}", "{,}"):
                raise self._error("a repetition is {3}, {2,4}, {2,} or {,4}")
            low = int(match[1] or 0)
            high = (int(match[3]) if match[3] else None) if match[2] else low
            if high is not None and high < low:
                raise self._error("the second number is below the first")
            self.at = match.end()
        else:
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
            self.at += 1
        if self._peek() and self._peek() in "*+?{":
            raise self._error("one repetition after another")
        # No word holds more characters, so no more turns are worth a state.
        most = self._max_length + 1
        return ("repeat", [node], min(low, most), None if high is None else min(high, most))

    def _escaped(self) -> tuple[str, frozenset[int]]:
        """What follows a backslash: the sign, or "" for a kind of character, and its tokens."""
        character = self._next("a sign after the backslash is missing")
        if character in "dDwW":
            names = self._letters.charset.characters
            digit = frozenset(t for t in self._tokens if names[t - FIRST].isdecimal())
            word = frozenset(t for t in self._tokens if names[t - FIRST].isalnum() or names[t - FIRST] == "_")
            tokens = digit if character in "dD" else word
            return "", self._tokens - tokens if character.isupper() else tokens
        if character.isalnum():
            self.at -= 1
            raise self._error(r"only \d, \D, \w, \W and signs follow a backslash")
        return character, self._matching(character, character)

    def members(self) -> frozenset[int]:
        """The tokens of a class, from behind its [ to behind its ]."""
        negated = self._peek() == "^" and self.at > 0
        self.at += negated
        tokens: frozenset[int] = frozenset()
        is_first = True
        while (character := self._next("a closing ] is missing")) != "]" or is_first:
            is_first = False
            low, kind = self._escaped() if character == "\\" else (character, None)
            if low and self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._next()
                plain = character != "\\" != high
                if high == "\\":
                    high, _ = self._escaped()
                if high < low:
                    self.at -= 1
                    raise self._error(f"the range {low}-{high} has no characters; {MINUS}")
                tokens |= self._matching(low, high)
                if plain:
                    names = self._letters.charset.characters
                    self.doubts.of_range(low, high, [names[t - FIRST] for t in sorted(self._matching(low, high))])
            else:
                tokens |= self._matching(low, low) if low else kind or frozenset()
        return self._tokens - tokens if negated else tokens

    def _matching(self, low: str, high: str) -> frozenset[int]:
        tokens = frozenset(t for t in self._tokens if any(low <= name <= high for name in self._letters.names(t)))
        if not tokens:
            self.doubts.of_missing(low, high)
        return tokens

    def _build(self, node: _Node) -> tuple[int, int]:
        nfa = self._nfa
        start = end = nfa.state()
        if isinstance(node, frozenset):
            end = nfa.state()
            nfa.moves[start].append((node, end))
            return start, end
        kind, parts, low, high = node
        if kind == "then":
            for part in parts:
                first, last = self._build(part)
                nfa.empty[end].append(first)
                end = last
        elif kind == "or":
            end = nfa.state()
            for part in parts:
                first, last = self._build(part)
                nfa.empty[start].append(first)
                nfa.empty[last].append(end)
        else:
            exits = []
            for turn in range(low if high is None else high):
                if turn >= low:
                    exits.append(end)
                first, last = self._build(parts[0])
                nfa.empty[end].append(first)
                end = last
            if high is None:
                first, last = self._build(parts[0])
                loop = nfa.state()
                nfa.empty[end].append(loop)
                nfa.empty[loop].append(first)
                nfa.empty[last].append(loop)
                end = loop
            out = nfa.state()
            for state in (*exits, end):
                nfa.empty[state].append(out)
            end = out
        return start, end
