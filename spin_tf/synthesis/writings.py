"""Words among signs: addresses, quotation marks, dashes, punctuation."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from spin_tf.synthesis.figures import digits, integer, letters, pick

_TAILS = (
    ".", ",", "!", ":", "?", "'", "...", "!!", ";", "-", '"', ")", "*", "/", "&", "'s", "'s", "'S", ".com", "%", "+",
)  # fmt: skip
_HEADS = ('"', "(", "'", "-", "*", "#", "&", "@", "$", "[", "<", "=", ".", "/", "+", "~", "_", "{", "^", "`", "|", "\\")
DOMAINS = (
    ".com", ".com", ".com", ".org", ".net", ".co.uk", ".com.sg", ".sg", ".edu", ".gov", ".info", ".de", ".fr", ".eu",
    ".pl", ".in", ".tv",
)  # fmt: skip
_QUOTES = ("„“", "“”", "‘’", "«»", "»«", "‹›", "‚‘", '""', "''", "()", "[]", "{}", "<>", "**", "__", "||")  # noqa: RUF001
_BEFORE = "#$_\\|&^=+•·¡¿*@~<>/"
_BEHIND = "…™®#$_\\|&^=+²³°;:!?)%"
_INSIDE = "#$_\\|&^=+@/:*~%<>;!?-.,'\"()[]{}`"


def span(rng: Random, word: Callable[[], str]) -> str:
    """From here to there, with a dash between."""
    dash = pick(rng, "–––—-")  # noqa: RUF001
    first = integer(rng, 1, 23)
    u = rng.random()
    if u < 0.3:
        return f"{first}{dash}{integer(rng, first, 24)}"
    if u < 0.5:
        return f"{pick(rng, ('19', '20'))}{digits(rng, 2, 2)}{dash}{pick(rng, ('', '20'))}{digits(rng, 2, 2)}"
    if u < 0.65:
        return f"{first}:{pick(rng, ('00', '30'))}{dash}{first + 1}:{pick(rng, ('00', '30'))}"
    if u < 0.9:
        return word() + dash + word()
    return pick(rng, (dash, dash + word(), word() + dash))


def address(rng: Random, word: Callable[[], str]) -> str:
    """An address of the web with its scheme, a path or a query, of a mailbox, or of a folder."""
    host = pick(rng, ("www.", "", "")) + word() + pick(rng, ("", "-" + word(), "." + word())) + pick(rng, DOMAINS)
    u = rng.random()
    if u < 0.45:
        scheme = pick(rng, ("http://", "https://", "https://", "ftp://"))
        tail = pick(
            rng, ("", "/", "/" + word(), "/" + word() + "/", "/?" + pick(rng, "abcdqx") + "=" + digits(rng, 1, 3))
        )
        return scheme + host + tail
    if u < 0.6:
        return host + "/" + word() + pick(rng, ("", ".html", "#" + word(), "_" + digits(rng, 1, 2)))
    if u < 0.9:
        who = word() + pick(rng, ("", "." + word(), "_" + word(), "-" + word(), digits(rng, 1, 3), "+" + word()))
        return who + "@" + word() + pick(rng, DOMAINS)
    if u < 0.95:
        return f"{pick(rng, 'CDE')}:\\{word()}\\{word()}"
    return f"/{word()}/{word()}" + pick(rng, ("", ".txt", "_" + word()))


def signed(rng: Random, word: Callable[[], str]) -> str:
    """Signs at either end of a word or a number, or among its characters."""
    text = word() if rng.random() < 0.7 else pick(rng, (digits(rng, 1, 6), letters(rng, 1, 3) + digits(rng, 1, 4)))
    u = rng.random()
    if u < 0.22:
        pair = pick(rng, _QUOTES)
        v = rng.random()
        return (pair[0] if v < 0.8 else "") + text + (pair[1] if v < 0.6 or v >= 0.8 else "")
    if u < 0.62:
        other = word() if rng.random() < 0.6 else digits(rng, 1, 4)
        if rng.random() < 0.5:
            return text + pick(rng, _INSIDE) + other
        at = integer(rng, 1, len(text))
        return text[:at] + pick(rng, _INSIDE) + text[at:]
    if u < 0.8:
        return pick(rng, _BEFORE) + text
    if u < 0.86:
        opening = pick(rng, "¡¿")
        return opening + text + ("!" if opening == "¡" else "?")
    return text + pick(rng, _BEHIND)


def punctuated(rng: Random, word: str) -> str:
    """A word with the signs that stand at it in running text, or with others."""
    u = rng.random()
    if u < 0.7:
        # The first few tails are most of what is seen.
        return word + (pick(rng, _TAILS[:6]) if rng.random() < 0.6 else pick(rng, _TAILS))
    if u < 0.83:
        return pick(rng, _HEADS) + word
    if u < 0.93:
        opening, closing = pick(rng, ('""', "''", "()", "[]", "**", "--", "<>", "{}"))
        return opening + word + closing
    cut = integer(rng, 1, max(len(word) - 1, 1))
    return word[:cut] + pick(rng, "-'.") + word[cut:]


def website(rng: Random, name: str, other: str) -> str:
    """The address of a site, a hash tag, or a mailbox of `other` at `name`."""
    u = rng.random()
    if u < 0.5:
        address = "www." + name + pick(rng, DOMAINS)
    elif u < 0.8:
        address = name + pick(rng, DOMAINS)
    elif u < 0.9:
        address = pick(rng, ("@", "#", "/")) + name
    else:
        address = other + "@" + name + pick(rng, DOMAINS)
    return address.upper() if rng.random() < 0.1 else address
