"""Where a statement ends and its explanation starts: `B, because A is in Italy` says `B`."""

from __future__ import annotations

import re

_REASON = r"because|since|although|though|whereas|while|which|rather than|instead of|unlike|given that"
_BEHIND = re.compile(
    rf"(?:[,;:(]|\s[-–—])\s*(?:and |but )?(?:{_REASON}|not|as)\b|\s(?:{_REASON.replace('which|', '')})\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:not|neither)\s[^,;:.\n]{0,60}?(?:[,;:]\s*|\s[-–—]+\s*|\s(?=but\b|rather\b|instead\b))"
    r"(?:(?:but|rather|instead)\s+)?(?:it(?:'s|\sis)\s+)?",
    re.IGNORECASE,
)


def stated(span: str) -> str:
    """The statement without a denial before it and the reason behind it.

    >>> stated("B, because A is in Italy"), stated("not 5, it is 6"), stated("since it rains")
    ('B', '6', 'since it rains')
    """
    span = span.strip()
    if denied := _DENIED.match(span):
        span = span[denied.end() :] or span
    behind = _BEHIND.search(span, 1)
    return span[: behind.start()].rstrip() if behind else span
