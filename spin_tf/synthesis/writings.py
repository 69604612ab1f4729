"""Strings that are no words: telephone numbers, prices, addresses, account numbers, codes, signs among letters."""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

DIGITS = string.digits
LETTERS = string.ascii_uppercase
DOMAINS = (
    ".com",
    ".com",
    ".com",
    ".org",
    ".net",
    ".co.uk",
    ".com.sg",
    ".sg",
    ".edu",
    ".gov",
    ".info",
    ".de",
    ".fr",
    ".eu",
    ".pl",
    ".in",
    ".tv",
)
# What print takes for one another; a code has several of one group.
_LOOK_ALIKES = ("0O", "0OQD", "1I", "1Il", "5S", "8B", "2Z", "6G", "0O1I5S8B2Z", "0O1Il5S8B2Z")
_CURRENCY = "€€€££¥$$¢"
_QUOTES = ("„“", "“”", "‘’", "«»", "»«", "‹›", "‚‘", '""', "''", "()", "[]", "{}", "<>", "**", "__", "||")  # noqa: RUF001
_INSIDE = "#$_\\|&^=+@/:*~%<>;!?-.,'\"()[]{}`"
_IBANS = (
    ("DE", 20, 0), ("AT", 18, 0), ("FR", 25, 1), ("ES", 22, 0), ("PL", 26, 0), ("IT", 23, 1), ("NL", 10, 4),
    ("GB", 14, 4), ("BE", 14, 0), ("CH", 19, 0), ("SE", 22, 0), ("IE", 14, 4), ("PT", 23, 0), ("HU", 26, 0),
)  # fmt: skip


def integer(rng: Random, low: int, high: int) -> int:
    """A whole number in [low, high], from one call of `random()`, whose sequence Python guarantees for a seed."""
    return low + int(rng.random() * (high - low + 1))


def pick(rng: Random, items):  # type: ignore[no-untyped-def]
    """One of `items`."""
    return items[int(rng.random() * len(items))]


def digits(rng: Random, low: int, high: int) -> str:
    """`low` to `high` digits."""
    return "".join(pick(rng, DIGITS) for _ in range(integer(rng, low, high)))


def letters(rng: Random, low: int, high: int) -> str:
    """`low` to `high` capitals."""
    return "".join(pick(rng, LETTERS) for _ in range(integer(rng, low, high)))


def telephone(rng: Random) -> str:
    """A telephone number with a + or with brackets around its area."""
    area, number = digits(rng, 2, 4), digits(rng, 5, 8)
    cut = integer(rng, 2, len(number) - 2)
    parted = number[:cut] + pick(rng, ("-", "-", ".", "/", "")) + number[cut:]
    u = rng.random()
    if u < 0.5:
        country = "+" + digits(rng, 1, 3)
        between = pick(rng, ("", "", "-", "(0)", "-(0)", "/", "."))
        return country + between + pick(rng, (area, f"({area})", "")) + pick(rng, ("", "-", "/", ".")) + parted
    if u < 0.8:
        return pick(rng, ("", "", "Tel:", "T", "Fax.")) + f"({area})" + parted
    return area + pick(rng, "/-.") + parted


def price(rng: Random) -> str:
    """An amount with the sign of its currency before or behind it."""
    amount = f"{integer(rng, 1, 9)}{digits(rng, 0, 3)}"
    cents = pick(rng, ("", "", "." + digits(rng, 2, 2), "," + digits(rng, 2, 2), ".99", ",99", ",50", ".00", ",-", ".-"))
    if len(amount) == 4 and rng.random() < 0.4:
        amount = amount[0] + pick(rng, ".,'") + amount[1:]
    sign = pick(rng, _CURRENCY)
    if sign == "¢":
        return amount[:2] + sign
    u = rng.random()
    if u < 0.48:
        return sign + amount + cents
    if u < 0.9:
        return amount + cents + sign
    unit = pick(rng, ("/kg", "/l", "/100g", "/m²", "/St.", "*", "/Std", "/mo"))
    return (sign + amount + cents if u < 0.95 else amount + cents + sign) + unit


def measure(rng: Random) -> str:
    """Degrees, paragraphs, tolerances, areas and fractions."""
    number = str(integer(rng, 1, 99))
    many = pick(rng, (number, digits(rng, 1, 3), f"{number},{pick(rng, DIGITS)}", f"{number}.{pick(rng, DIGITS)}"))
    return pick(
        rng,
        (
            f"{many}°",
            f"{many}°C",
            f"{many}°F",
            f"-{many}°C",
            f"+{many}°",
            f"{integer(rng, 0, 89)}°{integer(rng, 0, 59):02d}'{pick(rng, 'NSEW')}",
            f"§{digits(rng, 1, 3)}",
            f"§§{number}",
            f"§{number}{pick(rng, 'abc')}",
            f"±{many}",
            f"±{number}%",
            f"{number}×{integer(rng, 1, 99)}",  # noqa: RUF001 (the sign of multiplication)
            f"{integer(rng, 1, 9)}×{number}",  # noqa: RUF001
            f"{many}m²",
            f"{many}m³",
            f"{many}{pick(rng, ('km²', 'cm²', 'cm³'))}",
            f"{many}µ{pick(rng, ('m', 'g', 'l', 'F', 'A'))}",
            pick(rng, "½¼¾") + pick(rng, ("", "", "l", "kg", "h")),
            f"{integer(rng, 1, 9)}{pick(rng, '½¼¾')}",
            f"©{pick(rng, ('19', '20'))}{digits(rng, 2, 2)}",
            f"{many}%",
            f"~{many}",
            f"<{many}",
            f">{many}",
            f"{number}^{integer(rng, 2, 9)}",
            f"{number}={integer(rng, 1, 9)}+{integer(rng, 1, 9)}",
            f"{pick(rng, 'abxyz')}={many}",
        ),
    )


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


def date(rng: Random) -> str:
    """A date in figures, with the year first or last."""
    day, month = f"{integer(rng, 1, 31):02d}", f"{integer(rng, 1, 12):02d}"
    year = pick(rng, ("20", "19")) + digits(rng, 2, 2)
    sign = pick(rng, "..-/")
    return sign.join(pick(rng, ((day, month, year), (year, month, day), (day, month, year[2:]), (month, day, year))))


def address(rng: Random, word: Callable[[], str]) -> str:
    """An address of the web with its scheme, a path or a query, of a mailbox, or of a folder."""
    host = pick(rng, ("www.", "", "")) + word() + pick(rng, ("", "-" + word(), "." + word())) + pick(rng, DOMAINS)
    u = rng.random()
    if u < 0.45:
        scheme = pick(rng, ("http://", "https://", "https://", "ftp://"))
        tail = pick(rng, ("", "/", "/" + word(), "/" + word() + "/", "/?" + pick(rng, "abcdqx") + "=" + digits(rng, 1, 3)))
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
        return pick(rng, ("#", "$", "_", "\\", "|", "&", "^", "=", "+", "•", "·", "¡", "¿", "*", "@", "~", "<", ">", "/")) + text  # fmt: skip
    if u < 0.86:
        opening = pick(rng, "¡¿")
        return opening + text + ("!" if opening == "¡" else "?")
    tails = ("…", "™", "®", "#", "$", "_", "\\", "|", "&", "^", "=", "+", "²", "³", "°", ";", ":", "!", "?", ")", "%")
    return text + pick(rng, tails)


def account(rng: Random) -> str:
    """An account number (IBAN), whole or in groups."""
    country, figures, capitals = pick(rng, _IBANS)
    text = country + digits(rng, 2, 2)
    if country in ("GB", "NL", "IE"):
        text += letters(rng, capitals, capitals) + digits(rng, figures, figures)
    else:
        text += letters(rng, capitals, capitals) + digits(rng, figures - 2 - capitals, figures - 2 - capitals)
    sign = pick(rng, ("", "", "", "-", "."))
    return sign.join(text[i : i + 4] for i in range(0, len(text), 4))


def serial(rng: Random) -> str:
    """A serial number: capitals and digits, in groups or not."""
    alphabet = pick(rng, (DIGITS + LETTERS, DIGITS + LETTERS, DIGITS + "ABCDEF", DIGITS + "abcdef"))
    size, count = integer(rng, 3, 6), integer(rng, 2, 5)
    sign = pick(rng, ("", "", "-", "-", "/", "."))
    return sign.join("".join(pick(rng, alphabet) for _ in range(size)) for _ in range(count))


def number(rng: Random) -> str:
    """A number of 12 to 24 digits, in groups or not."""
    text = digits(rng, 12, 24)
    sign, size = pick(rng, ("", "", "", "", "-", ".", "/")), integer(rng, 3, 5)
    return sign.join(text[i : i + size] for i in range(0, len(text), size))


def code(rng: Random) -> str:
    """A code of characters that look alike, among others."""
    alike = pick(rng, _LOOK_ALIKES)
    share = 0.5 + 0.5 * rng.random()
    length = integer(rng, 3, 10)
    text = "".join(pick(rng, alike if rng.random() < share else DIGITS + LETTERS) for _ in range(length))
    if length > 5 and rng.random() < 0.3:
        cut = integer(rng, 2, length - 2)
        text = text[:cut] + pick(rng, "-/.") + text[cut:]
    return text
