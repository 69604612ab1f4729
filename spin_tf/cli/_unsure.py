"""What is said of readings that are hardly more than a guess: the model reads a word where there is none, too."""

from __future__ import annotations

from spin_tf.cli._lines import show_path
from spin_tf.cli._streams import say
from spin_tf.recognizer import Word

# White, black, grey, noise and slopes are read with a confidence of 0.02 to 0.16. Confidences are calibrated: below,
# at most one word in ten is right.
UNSURE = 0.1
_NAMED = 3


class UnsureWords:
    """Counts them, and says it in one line at the end.

    Args:
        advice: what the user can do about it; may be empty.
    """

    def __init__(self, advice: str = "") -> None:
        self._advice = advice
        self._words = 0
        self._unsure: list[str] = []

    def add(self, path: str, word: Word) -> None:
        """Takes the reading of a file; one without text is no guess."""
        self._words += 1
        if word.text and word.confidence < UNSURE:
            self._unsure.append(path)

    def tell(self) -> None:
        """Says how many there were and the first of them; nothing where there were none."""
        if not self._unsure:
            return
        names = ", ".join(map(show_path, self._unsure[:_NAMED])) + (", ..." if len(self._unsure) > _NAMED else "")
        count = f"{len(self._unsure)} of {self._words} words have" if self._words > 1 else "the word has"
        say(
            f"{names}: {count} a confidence below {UNSURE:g}: perhaps no word is there, or more than one"
            + (f"; {self._advice}" if self._advice else "")
        )
