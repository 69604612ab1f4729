"""The characters of named charsets, and which code points look like one another."""

from __future__ import annotations

import string

_DIGITS_AND_LOWER = string.digits + string.ascii_lowercase
# The order in which the published PaddleOCR GA-SPIN checkpoint numbers its characters.
_PADDLE_68 = _DIGITS_AND_LOWER + ":('-,%>.[?)\"=_*];&+$@/|!<#`{~\\}^"
_PRINTABLE_ASCII = _DIGITS_AND_LOWER + string.ascii_uppercase + string.punctuation
# Letters with accents of the official languages of the EU in Latin script, from Croatian to Swedish: those of each
# alphabet, and those that each language's dictionaries write.
_ACCENTED = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿāăąćċčďđēėęěġģħīįķĺļľłńņňőœŕřśšťūůűųźżžșț"
# What stands on price tags, receipts, packages and signs besides: currency, degree and paragraph signs, quotation
# marks, dashes, an ellipsis, points, Spanish openings, and the signs of trademarks, measures and fractions.
_SIGNS = "€£¥¢°§„“”‘’‚«»‹›–—…•·¡¿±×µ™®©²³½¼¾"  # noqa: RUF001 (the signs themselves are meant)

# Characters and whether case is folded.
NAMED = {
    "36": (_DIGITS_AND_LOWER, True),
    "62": (_DIGITS_AND_LOWER + string.ascii_uppercase, False),
    "68": (_PADDLE_68, True),
    "94": (_PRINTABLE_ASCII, False),
    # The first 94 are those of "94", in the same order: what a model has learnt of them carries over.
    "latin": (_PRINTABLE_ASCII + _ACCENTED + _ACCENTED.upper() + "ß" + _SIGNS + " ", False),
}

# What is written for a character that a charset lacks: the first of these that it has.
ALIKE: dict[str, tuple[str, ...]] = {
    # A cedilla, as keyboards without the comma below type it.
    "Ş": ("Ș",),
    "ş": ("ș",),
    "Ţ": ("Ț",),
    "ţ": ("ț",),
    "ĳ": ("ij",),
    "Ĳ": ("IJ",),
    "\ufb01": ("fi",),
    "\ufb02": ("fl",),
    # The ordinal o and the ring above; the Greek mu.
    "º": ("°",),
    "\u02da": ("°",),
    "\u03bc": ("µ",),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4\u2032", ("'",)),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", ('"',)),
    # Hyphens and the minus sign; the dashes, first for one another.
    **dict.fromkeys("\u2010\u2011\u2212", ("-",)),
    **dict.fromkeys("\u2012\u2013", ("\u2013", "-")),
    **dict.fromkeys("\u2014\u2015", ("\u2014", "-")),
    "…": ("...",),
    **dict.fromkeys("\u2027\u2219\u30fb", ("·",)),
    **dict.fromkeys("\u2044\u2215", ("/",)),
}
