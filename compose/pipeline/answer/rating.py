"""Read the mark that a model gave: `Score: 7`, `**Mark:** 8/10`, `Score (0 to 10): 6.5`."""

from __future__ import annotations

import re
from functools import cache

_TOP = 10.0


def rating(text: str, word: str) -> float | None:
    """The last `word: N` of a text as a fraction, N from 0 to 10 or out of what stands behind a slash.

    None if there is none: a negative number, one above the top, a percentage.

    >>> rating("Well argued. Score: 7", "score"), rating("Score: 11", "score"), rating("Score: 4/5", "score")
    (0.7, None, 0.8)
    """
    marks = [_fraction(number, top) for number, top in _pattern(word).findall(text)]
    return next((mark for mark in reversed(marks) if mark is not None), None)


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """The word, a range in brackets, "is" or "of", a few signs, and the number."""
    before = rf"\b{re.escape(word)}\b\s{{0,5}}(?:\([^()\n]{{0,40}}\))?(?:\s(?:is|of)\b)?\W{{0,10}}(?<![-−\d.])"
    number = r"(\d{1,3}(?:[.,]\d{1,6})?)(?![.,]?\d)(?!\s?%)"
    return re.compile(rf"{before}{number}(?:\s?/\s?(\d{{1,3}})(?!\d))?", re.IGNORECASE)


def _fraction(number: str, top: str) -> float | None:
    value, most = float(number.replace(",", ".")), float(top) if top else _TOP
    return value / most if most > 0 and value <= most else None
