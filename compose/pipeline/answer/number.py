r"""Numbers as people and models write them: `$1,000.00`, `3 1/3`, `\frac{1}{2}`, `1.5 × 10^3`."""

from __future__ import annotations

import re
from fractions import Fraction

from compose.pipeline.answer.latex import plain

_INT = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?![\d])|\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\d)|\d{1,3}(?: \d{3}){2,}(?!\d)|\d+)"
_NUMBER = re.compile(
    r"(?=[-+.\d])(?P<sign>(?<![\w)\]])[-+][ ]?)?"
    r"(?:"
    r"(?P<euro>(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2}(?![\d,]))"
    r"|(?P<mixed>\d{1,9})[ ]+(?:and[ ]+)?(?P<mn>\d{1,9})[ ]?/[ ]?(?P<md>\d{1,9})(?![\d.])"
    rf"|(?P<n>{_INT}(?:\.\d+)?)[ ]?/[ ]?(?P<d>{_INT}(?:\.\d+)?)(?![\d/])"
    rf"|(?P<plain>{_INT}(?:\.\d+)?|\.\d+)"
    r"(?:[eE](?P<e>[-+]?\d{1,3})(?![\w.])|[ ]?[*x×][ ]?10[ ]?\^[ ]?[({]?(?P<p>[-+]?\d{1,3})[)}]?)?"
    r"(?:[ ]?(?P<scale>thousand|million|billion|trillion)\b)?"
    r")"
)
_LAST_DIGIT = re.compile(r".*\d", re.DOTALL)
_SCALE = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_WORDS = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {w: 10 * i for i, w in enumerate(["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 3)}
_WORD = re.compile(
    r"\b(" + "|".join(_WORDS) + r")(?:[- ](one|two|three|four|five|six|seven|eight|nine))?\b", re.IGNORECASE
)
_TAIL = 4_000
"""Characters at the end of a text in which a last number is looked for."""
_AROUND = 60
"""Characters before the last digit that can belong to its number."""
_LONGEST = 400
"""Digits of a number that is still read as one."""


def first_number(span: str) -> str | None:
    """The number that an answer gives, in plain digits: of `a + b = c` it is c, of several the first."""
    if span.isdecimal() and span.isascii() and len(span) < _LONGEST:
        return span.lstrip("0") or "0"
    text = plain(span)
    if "=" in text or "≈" in text:
        for part in (text.replace("≈", "=").rpartition("=")[2], text):
            if (found := _NUMBER.search(part)) is not None:
                return _plain(found)
    if (found := _NUMBER.search(text)) is not None:
        return _plain(found)
    word = _WORD.search(text)
    return str(_WORDS[word[1].lower()] + (_WORDS[word[2].lower()] if word[2] else 0)) if word else None


def last_number(text: str) -> str | None:
    """The last number of a text, in plain digits."""
    text = plain(text[-_TAIL:])
    digit = _LAST_DIGIT.match(text)
    if digit is None:
        return None
    last: re.Match[str] | None = None
    for last in _NUMBER.finditer(text, text.rfind(" ", 0, max(0, digit.end() - _AROUND)) + 1):  # noqa: B007  # the last match is wanted
        pass
    return _plain(last) if last else None


def same_number(a: str, b: str) -> bool:
    """Whether two plain numbers differ by at most one part in a million."""
    x, y = as_fraction(a), as_fraction(b)
    return x is not None and y is not None and abs(x - y) <= max(abs(x), abs(y)) / 1_000_000


def as_fraction(text: str) -> Fraction | None:
    """The value of a plain number, or None."""
    if len(text) > _LONGEST or not text or not (text[-1].isdigit()):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _plain(match: re.Match[str]) -> str:
    value = _fraction(match)
    return match[0] if value is None else written(-value if (match["sign"] or "").startswith("-") else value)


def _fraction(match: re.Match[str]) -> Fraction | None:
    g = match.groupdict()
    if max(len(part or "") for part in g.values()) > _LONGEST:
        return None
    try:
        if g["euro"]:
            return Fraction(g["euro"].replace(".", "").replace(",", "."))
        if g["mixed"]:
            return int(g["mixed"]) + Fraction(int(g["mn"]), int(g["md"]))
        if g["n"]:
            return _digits(g["n"]) / _digits(g["d"])
    except ZeroDivisionError:
        return None
    shift = int(g["e"] or g["p"] or 0) + _SCALE.get(g["scale"] or "", 0)
    return _digits(g["plain"]) * Fraction(10) ** shift


def _digits(text: str) -> Fraction:
    return Fraction(re.sub(r"[, \u00a0\u202f\u2009]", "", text))


def written(value: Fraction) -> str:
    """A value in plain digits: an integer, a finite decimal, else `n/d`.

    >>> written(Fraction(1, 8)), written(Fraction(1, 3))
    ('0.125', '1/3')
    """
    if value.denominator == 1:
        return str(value.numerator)
    d, twos, fives = value.denominator, 0, 0
    while d % 2 == 0:
        d, twos = d // 2, twos + 1
    while d % 5 == 0:
        d, fives = d // 5, fives + 1
    places = max(twos, fives)
    if d != 1 or places > 30:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
