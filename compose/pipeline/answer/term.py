r"""Whether a number stands alone or is a term of an expression: the 3 of `3\sqrt{2}`, the 2 of `x^2`."""

from __future__ import annotations

import re

from compose.pipeline.answer.expression import exact
from compose.pipeline.answer.numeral import written

_FUNCTION = r"(?:sqrt|log|ln|sin|cos|tan|exp|binom|mod)"
_ROOT = r"(?:√|sqrt\b|π|pi\b)"
_VARIABLE = r"[aefijnqruvyz](?![a-zA-Z'])|x(?!\s(?:as|the|that|\w{2,7}er|more|less)\b|[a-zA-Z'])"
"""Letters that are no unit behind a number; `2x faster` is a multiple, no term."""
_BEHIND = re.compile(
    "|".join(
        [
            r"\^|!(?!\w)|\s?±",
            r"_\{?\w(?![a-zA-Z])",
            r"\(\s*[-\d.√(]|\(sqrt",
            rf"\s?{_ROOT}",
            rf"\s?\*\s?(?:[-\d.(]|{_ROOT})",
            rf"\s?\+\s?(?:[\d.(]|{_ROOT}|[a-z](?![a-z]))",
            rf"\s-\s?(?:[\d(]|{_ROOT})|-(?:\(|{_ROOT})",
            rf"/\s?(?:\(|{_ROOT}|[a-z](?![a-z]))",
            r"\s?x\s?\d|(?<=0)x[0-9a-fA-F]|[eE]\d",
            r"\)\s?(?:\^|!|[*/+-]\s?[\d(√])",
            _VARIABLE,
        ]
    )
)
_BEFORE = re.compile(
    rf"(?:[\^√±]\s?|\w_\{{?|[\d)]\s?\*\s?|(?<![a-zA-Z]){_FUNCTION}\s?\(?|(?<![a-zA-Z])[a-zA-Z]\("
    r"|(?<![\\\w])[a-z]\s?[-+*/]\s?|(?:\bpi|π|\d\))\s?[-+*/^]?\s?)[-+]?\s?\Z"
)
_RUN = re.compile(
    rf"(?:(?<![a-zA-Z]){_FUNCTION}\s(?=[-\d(])|[^\s;:=<>\"']"
    r"|\s(?=[*/+^±-]\s?[\w(√\\])|(?<=[*/+^±-])\s|\s(?=sqrt|pi\b|x\s\d)|(?<=\sx)\s(?=\d)|(?<=_\d)\s(?=[\d(])|\s(?=[b-zB-Z](?![a-zA-Z])))+"
)
"""Characters of an expression, and spaces only beside an operator."""
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s?-\s?(\d+(?:\.\d+)?)")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,16}")
_BARE_ROOT = re.compile(r"sqrt(\d+)")
_WRAPPED_ROOT = re.compile(r"\((sqrt\([^()]*\))\)")
_LONGEST = 120
_NEAR = 20


def expression(text: str, start: int, end: int) -> str | None:
    """The expression around the digits from `start` to `end`: its exact value, else its text; None if they stand alone.

    A range ("3 - 4 days") is no expression.
    """
    if not (_BEHIND.match(text, end) or _BEFORE.search(text[max(0, start - _NEAR) : start])):
        return None
    first = max(0, start - _LONGEST)
    runs = _RUN.finditer(text[first : end + _LONGEST])
    whole = next((run[0] for run in runs if run.end() > start - first), text[start:end]).strip(" ,.;:")
    if (between := _RANGE.fullmatch(whole)) and float(between[1]) < float(between[2]):
        return None
    if _HEX.fullmatch(whole):
        return str(int(whole, 16))
    value = exact(whole)
    return joined(whole) if value is None else written(value)


def joined(text: str) -> str:
    """An expression as text in one spelling: no spaces, `sqrt(2)` for `√2`."""
    text = "".join(text.casefold().split()).replace("√", "sqrt").replace("\\", "")
    return _WRAPPED_ROOT.sub(r"\1", _BARE_ROOT.sub(r"sqrt(\1)", text))
