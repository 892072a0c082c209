r"""A whole answer as a key: a number, an expression's value, or words."""

from __future__ import annotations

import re

from compose.pipeline.answer.expression import evaluated
from compose.pipeline.answer.latex import plain
from compose.pipeline.answer.number import first_number

_UNIT = r"(?:[a-zA-Z]{2,}|[mgshlLCFKNVWJA])(?:\^?[23])?"
_WHOLE = re.compile(
    r"[-+]?\s?(?:\d[\d,\u00a0\u202f\u2009]*(?:\.\d+)?|\.\d+)(?:\s\d+)?(?:\s?/\s?\d+)?(?:[eE][-+]?\d+)?"
    rf"\s*(?:%|(?:\s(?:{_UNIT})(?:(?:\s|/|\sper\s|-){_UNIT}){{0,3}})?)"
)
_LIST = re.compile(r"\d,\d{1,2}(?!\d)|\d,\d{4}")
_LONGEST = 200
"""Characters of an answer that can still be one number with its unit."""
_BASE = re.compile(r"(\d)_\{?(?:\d+|[a-z])\}?$")


def canonical_whole(answer: str) -> str:
    """The number that the whole answer is, units aside; the value of an expression; else the words."""
    text = plain(answer)
    if "=" in text and (after := text.rpartition("=")[2].strip()):
        text = after
    text = _BASE.sub(r"\1", text.strip().rstrip(".").strip())
    if len(text) <= _LONGEST and _WHOLE.fullmatch(text) and not _LIST.search(text):
        return first_number(text) or text
    value = evaluated(text)
    return value if value is not None else " ".join(text.strip("\"' ").casefold().split())
