"""Numbers in words: `twenty-five`, `one hundred and six`."""

from __future__ import annotations

import re

_SMALL = [
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
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: i for i, word in enumerate(_SMALL)} | {word: 10 * i for i, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}
_ONE = "|".join(sorted(_VALUES, key=len, reverse=True))
_SPOKEN = re.compile(
    rf"\b(?:{_ONE})(?:(?:\s|-){{1,2}}(?:and\s)?(?:{_ONE}|{'|'.join(_SCALES)})){{0,12}}\b", re.IGNORECASE
)
_LINKS = {"and", ""}


def spoken(text: str) -> str | None:
    """The first number in words, in digits, or None.

    >>> spoken("one hundred and six"), spoken("Twenty-five apples"), spoken("none")
    ('106', '25', None)
    """
    found = _SPOKEN.search(text)
    return str(_value(found[0])) if found else None


def is_spoken(text: str) -> bool:
    """Whether the whole text is a number in words."""
    return _SPOKEN.fullmatch(text.strip(" \t\n*_.!$")) is not None


def _value(words: str) -> int:
    """Of words that do not make one number ("three and four") the first."""
    total = group = 0
    room = 10**12
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _LINKS:
            continue
        scale, small = _SCALES.get(word), _VALUES.get(word, 0)
        if scale == 100 and 0 < group < 100:
            group, room = group * 100, 100
        elif scale and scale > 100 and group:
            total, group, room = total + group * scale, 0, scale
        elif scale is None and small < room:
            group += small
            room = 10 if small >= 20 else 1
        else:
            break
    return total + group
