r"""Numbers as people and models write them: `$1,000.00`, `3 1/3`, `\frac{1}{2}`, `1.5 × 10^3`."""

from __future__ import annotations

import re
from fractions import Fraction

from compose.pipeline.answer.clause import stated
from compose.pipeline.answer.latex import plain
from compose.pipeline.answer.numeral import written
from compose.pipeline.answer.term import expression, joined
from compose.pipeline.answer.words import is_spoken, spoken

_INT = r"(?:\d{1,3}(?:_\d{3})+(?!\d)|\d{1,3}(?:,\d{2,3})*,\d{3}(?![\d])|\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\d)|\d{1,3}(?: \d{3}){2,}(?!\d)|\d+)"
_NUMBER = re.compile(
    r"(?=[-+.\d])(?P<sign>(?<![\w)\]])[-+][ ]?)?"
    r"(?:"
    r"(?P<euro>(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2}(?![\d,])|\d{1,3}(?:\.\d{3}){2,}(?![\d.]))"
    r"|(?P<mixed>\d{1,9})[ ]+(?:and[ ]+)?(?P<mn>\d{1,9})[ ]?/[ ]?(?P<md>\d{1,9})(?![\d.])"
    rf"|(?P<n>{_INT}(?:\.\d+)?)[ ]?/[ ]?(?P<d>{_INT}(?:\.\d+)?)(?![\d/])"
    rf"|(?P<plain>{_INT}(?:\.\d+)?|\.\d+)"
    r"(?:[eE](?P<e>[-+]?\d{1,3})(?![\w.])|[ ]?[*x×][ ]?10[ ]?\^[ ]?[({]?(?P<p>[-+]?\d{1,3})[)}]?)?"
    r"(?:[ ]?(?P<scale>thousand|million|billion|trillion)\b)?"
    r")"
)
_LAST_DIGIT = re.compile(r".*\d", re.DOTALL)
_SCALE = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_TAIL = 4_000
"""Characters at the end of a text in which a last number is looked for."""
_AROUND = 60
"""Characters before the last digit that can belong to its number."""
_LONGEST = 400
"""Digits of a number that is still read as one."""
_LONGEST_LIST = 120
_NOISE = 6
"""Decimals behind which a whole number and another one may differ."""
_DENIED = re.compile(r"not\s+[-+.]?\d")
_TUPLE = re.compile(r"\\?[(\[{][^()\[\]{}\"':]*[,;][^()\[\]{}\"':]*\\?[)\]}]")
_GROUPED = re.compile(r"[(\[]\s*[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*[)\]]")
_ONE = r"[-+]?\d[\d,./]*"
_EITHER = re.compile(rf"\s*(?:[a-z]\s*=\s*)?({_ONE})\s*(?:,\s*)?(?:or|and)\s*(?:[a-z]\s*=\s*)?({_ONE})\s*")


def first_number(span: str) -> str | None:
    """The number that an answer gives, in plain digits: of `a + b = c` it is c, of several the first.

    An expression counts as its exact value; where it has none (`3sqrt(2)`,
    `(1, 2)`, `10 or 12`) it is returned as text, without spaces.
    """
    if span.isdecimal() and span.isascii() and len(span) < _LONGEST:
        return span.lstrip("0") or "0"
    text = stated(plain(span))
    if _DENIED.match(text):
        return None
    if len(text) <= _LONGEST_LIST and _several(text):
        return joined(text)
    if "=" in text or "≈" in text:
        text = text.replace("≈", "=")
        for part in (text.rpartition("=")[2], text):
            if (found := _NUMBER.search(part)) is not None:
                return _read(part, found)
    if (found := _NUMBER.search(text)) is not None:
        return _read(text, found)
    return spoken(text)


def last_number(text: str) -> str | None:
    """The last number of a text, in plain digits; of a text that is a number in words, that one."""
    text = plain(text[-_TAIL:])
    digit = _LAST_DIGIT.match(text)
    if digit is None:
        return spoken(text) if is_spoken(text) else None
    start = text.rfind(" ", 0, max(0, digit.end() - _AROUND)) + 1
    last: re.Match[str] | None = None
    for last in _NUMBER.finditer(text, start):  # noqa: B007  # the last match is wanted
        pass
    return _read(text, last) if last else None


def same_number(a: str, b: str) -> bool:
    """Whether two plain numbers are equal, or one is a rounding of the other.

    A rounding is less than a unit of the last decimal away (of a whole number:
    less than a millionth), and at most one part in a million. Two whole numbers
    are never roundings of each other.
    """
    x, y = as_fraction(a), as_fraction(b)
    if x is None or y is None:
        return False
    if x == y or x.denominator == y.denominator == 1:
        return x == y
    difference = abs(x - y)
    return difference <= max(abs(x), abs(y)) / 1_000_000 and difference < Fraction(1, 10 ** min(_places(a), _places(b)))


def _places(number: str) -> int:
    """Decimals that are written; a fraction is exact, and noise in a whole number is below six."""
    _, point, decimals = number.partition(".")
    return len(decimals) if point and decimals.isdigit() else _NOISE


def as_fraction(text: str) -> Fraction | None:
    """The value of a plain number, or None."""
    if len(text) > _LONGEST or not text or not (text[-1].isdigit()):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _several(text: str) -> bool:
    """Whether a text is a tuple, an interval, a set, or two numbers of which none is chosen."""
    if _TUPLE.fullmatch(text) and any(c.isdigit() for c in text) and not _GROUPED.fullmatch(text):
        return True
    if either := _EITHER.fullmatch(text):
        one, other = first_number(either[1]), first_number(either[2])
        return one is not None and other is not None and not same_number(one, other)
    return False


def _read(text: str, match: re.Match[str]) -> str:
    """The number that was found, or the expression that it is only a part of."""
    start = match.end("sign") if match["sign"] else match.start()
    return expression(text, start, match.end()) or _plain(match)


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
    return Fraction(re.sub(r"[,_ \u00a0\u202f\u2009]", "", text))
