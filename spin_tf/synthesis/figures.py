"""Strings of figures: telephone and account numbers, prices, measures, dates, codes."""

from __future__ import annotations

import string
from random import Random

DIGITS = string.digits
LETTERS = string.ascii_uppercase
# What print takes for one another; a code has several of one group.
_LOOK_ALIKES = ("0O", "0OQD", "1I", "1Il", "5S", "8B", "2Z", "6G", "0O1I5S8B2Z", "0O1Il5S8B2Z")
_CURRENCY = "€€€££¥$$¢"
_IBANS = (
    ("DE", 20, 0), ("AT", 18, 0), ("FR", 25, 1), ("ES", 22, 0), ("PL", 26, 0), ("IT", 25, 1), ("NL", 10, 4),
    ("GB", 14, 4), ("BE", 14, 0), ("CH", 19, 0), ("SE", 22, 0), ("IE", 14, 4), ("PT", 23, 0), ("HU", 26, 0),
)  # fmt: skip
_UNITS = ("st", "nd", "rd", "th", "TH", "ST", "ND", "x", "km", "KM", "kg", "ml", "g", "m", "cm", "hrs", "L")


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
    cents = pick(
        rng, ("", "", "." + digits(rng, 2, 2), "," + digits(rng, 2, 2), ".99", ",99", ",50", ".00", ",-", ".-")
    )
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


def date(rng: Random) -> str:
    """A date in figures, with the year first or last."""
    day, month = f"{integer(rng, 1, 31):02d}", f"{integer(rng, 1, 12):02d}"
    year = pick(rng, ("20", "19")) + digits(rng, 2, 2)
    sign = pick(rng, "..-/")
    return sign.join(pick(rng, ((day, month, year), (year, month, day), (day, month, year[2:]), (month, day, year))))


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


def groups(rng: Random) -> str:
    """Digits and letters in groups with spaces between: plates, numbers of cards and telephones, measures."""
    u = rng.random()
    if u < 0.4:
        last = digits(rng, 2, 4) if rng.random() < 0.5 else letters(rng, 2, 3)
        return f"{letters(rng, 1, 3)} {digits(rng, 2, 4)} {last}"
    if u < 0.75:
        size = integer(rng, 2, 4)
        return " ".join(digits(rng, size, size) for _ in range(integer(rng, 2, 4)))
    return f"{digits(rng, 1, 4)} {pick(rng, _UNITS)}"


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


def figure(rng: Random) -> str:
    """Numbers, years, prices, times, dates, telephone and house numbers, as signs show them."""
    u = rng.random()
    if u < 0.34:
        return digits(rng, 1, 4) if rng.random() < 0.75 else digits(rng, 4, 9)
    if u < 0.40:
        return pick(rng, ("19", "20", "20")) + digits(rng, 2, 2)
    if u < 0.52:
        currency = pick(rng, ("$", "$", "$", "$", "S$", "US$", "RM", "Rs.", ""))
        amount = f"{integer(rng, 1, 9)}{digits(rng, 0, 2)}"
        return (
            currency + amount + pick(rng, ("", "." + digits(rng, 2, 2), ".90", ".50", ".00", "," + digits(rng, 3, 3)))
        )
    if u < 0.57:
        return f"{integer(rng, 1, 100)}%"
    if u < 0.65:
        time = f"{integer(rng, 1, 23)}{pick(rng, '::.')}{integer(rng, 0, 5)}{pick(rng, '05')}"
        noon = pick(rng, ("am", "pm", "AM", "PM"))
        return pick(rng, (time, time + noon, f"{integer(rng, 1, 12)}{noon}"))
    if u < 0.70:
        sign = pick(rng, "-/..")
        parts = f"{integer(rng, 1, 31):02d}", f"{integer(rng, 1, 12):02d}", digits(rng, 2, 2)
        return sign.join(parts[: integer(rng, 2, 3)])
    if u < 0.78:
        sign = pick(rng, "--.")
        groups = pick(rng, ((3, 4), (4, 4), (3, 3, 4), (1, 3, 3, 4), (8,), (2, 4, 4), (4, 3, 3)))
        return sign.join(digits(rng, n, n) for n in groups)
    if u < 0.86:
        return f"{pick(rng, ('#', '#', '', '#B', 'B'))}{integer(rng, 1, 12):02d}-{digits(rng, 2, 3)}"
    if u < 0.93:
        code = letters(rng, 1, 3) + pick(rng, ("", "", "-", "/")) + digits(rng, 1, 4)
        return code + (letters(rng, 1, 1) if rng.random() < 0.3 else "")
    if u < 0.98:
        return str(integer(rng, 1, 99)) + pick(rng, _UNITS)
    return digits(rng, 1, 3) + pick(rng, "/-.&+x:") + digits(rng, 1, 3)
