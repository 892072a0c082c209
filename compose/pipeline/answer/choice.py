"""A chosen letter ("B", "(B)", "Answer: B") or label ("upper-left")."""

from __future__ import annotations

import re

_LETTER = re.compile(r"\(?\[?([A-Za-z])(?:[).:\]]|\Z|(?=\s*$))")
_INSIDE = re.compile(r"\(([A-Z])\)|\b(?:option|choice)\s+\(?([A-Z])\b|\b([A-Z])\b(?=[).:]|\s*$)")
_PARENTHESISED = re.compile(r"\(([A-Z])\)")
_ARTICLE = re.compile(r"^(?:(?:to|at|in|on) )?(?:the|a|an) ")
_LONGEST_LABEL = 40


def choose(text: str, found: str | None) -> str | None:
    """The letter or label that a text settles on, or None.

    Without a stated answer the last `(X)` of the final 150 characters counts,
    and a short text counts as it stands.
    """
    if found is not None:
        return canonical_choice(found) or None
    stripped = text.strip()
    if len(stripped) <= _LONGEST_LABEL and "\n" not in stripped:
        return canonical_choice(stripped) or None
    letters = _PARENTHESISED.findall(stripped[-150:])
    return letters[-1] if letters else None


def canonical_choice(answer: str) -> str:
    """A single capital letter where there is one, else the label in lower case, words joined by one space."""
    bare = answer.strip().strip("*_`\"'$. ")
    if match := _LETTER.match(bare):
        return match[1].upper()
    if match := _INSIDE.search(bare):
        return match[1] or match[2] or match[3]
    return _ARTICLE.sub("", " ".join(bare.casefold().replace("-", " ").split()))
