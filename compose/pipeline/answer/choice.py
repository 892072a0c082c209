"""A chosen letter ("B", "(B)", "Answer: B") or label ("upper-left")."""

from __future__ import annotations

import re

from compose.pipeline.answer.clause import stated
from compose.pipeline.answer.latex import plain

_X = r"[(\[<\"']?([A-Z])\b(?!['’])[)\]>\"']?"
_END = r"(?=\s*(?:\Z|[.,;:!\n(]|[-–—]\s|(?:because|since|as|and|but|for|not)\b))"
_NAMED = r"(?:the\s)?(?:option|choice|answer|letter)"
_LETTER = re.compile(
    rf"(?:(?:{_NAMED}|correct)\s*(?:is\b|[-:])?\s*)?[(\[<\"']*([A-Za-z])[)\]>\"']*"
    r"(?=\s*(?:\Z|[).:;(\n\]]|,(?!\s*(?:and\s|or\s)?(?-i:[A-Z])\b)|[-–—]\s|(?:because|since|as|(?:and\s)?not|rather)\b"
    r"|is\s(?:the\s)?(?:correct|right|best|most|answer|true)\b))",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"\(([A-Z])\)|\b(?:option|choice|letter)\s+\(?([A-Z])\b|\b([A-Z])\b(?=[).:,]|\s*\Z)")
_LETTERS = re.compile(r"\b(?:A(?!\s+(?!and\b|n?or\b)[a-z])|I(?!\s+(?!and\b|n?or\b)[a-z]|['’])|[B-HJ-Z])\b(?!['’])")
_DENIED = re.compile(
    rf"\b(?:not|neither|nor)\s+(?:{_NAMED}\s+)?\(?[A-Z]\b\)?"
    r"|(?:\b(?:option|choice)\s+)?\(?\b[A-Z]\b\)?\s(?:is|was|are)(?:\snot|n't)?\s(?:wrong|incorrect|false|out|not|right|correct)\b"
)
_STATEMENT = re.compile(
    rf"(?:\b(?:[Cc]orrect|[Rr]ight|[Bb]est|[Ff]inal|[Mm]y|[Cc]hosen|[Pp]roper|[Aa]ppropriate|[Ll]ikely)\s(?:answer\s)?"
    rf"(?:option|choice|letter|one|pick|selection)\s*(?:is|would be|must be|should be|:)|\b[Cc]orrect\s*:"
    rf"|nswer(?:\s(?:choice|option|letter))?\s*(?:would be|should be|must be|has to be|is|[-:]))\s*(?:{_NAMED}\s)?{_X}{_END}"
    rf"|(?:\b(?:[Ss]o|[Tt]hus|[Hh]ence|[Tt]herefore)\b,?\s(?:it(?:'s|\sis|\smust\sbe)\s)?"
    rf"|\b[Ii](?:'d|\swould|\swill|'ll)?\s(?:choose|pick|select|go\swith)\s)(?:{_NAMED}\s)?{_X}(?=\s*(?:\Z|[.;!\n]|,|because\b|since\b))"
    rf"|{_X}\s(?:is|must\sbe)\s(?:the\s)?(?:correct|right|best|true)(?:\s(?:answer|choice|option|one))?(?=\s*(?:\Z|[.,;!\n]|(?:because|since|as)\b))"
    r"|^[ \t]*(?:[Oo]ption |[Cc]hoice )?[(\[]?([A-Z])[)\]]?[.:]?[ \t]*$",
    re.MULTILINE,
)
"""A statement of a letter without the word of `located`; the last one counts."""
_PARENTHESISED = re.compile(r"\(([A-Z])\)")
_ARTICLE = re.compile(r"^(?:(?:to|at|in|on) )?(?:the|a|an) ")
_BEHIND = re.compile(
    r"\s(?:because|rather than|instead of)\b.*|\s*[,;(]\s*(?:and |but )?(?:because|since|as|not|although)\b.*",
    re.DOTALL,
)
_LONGEST_LABEL = 40
_LONGEST_ANSWER = 1_000
_HEAD, _TAIL = 100, 2_000
"""Characters at the beginning and the end of a text in which a statement is looked for."""


def choose(text: str, found: str | None) -> str | None:
    """The letter or label that a text settles on, or None.

    Without a stated answer the last statement like "the best choice is X", "X is
    correct", "so X" or a line of one letter counts, else a short text as it
    stands, else the last `(X)` of the final 150 characters.
    """
    if found is not None:
        return canonical_choice(found) or None
    stripped = text.strip()
    if letter := _said(stripped):
        return letter
    if len(stripped) <= _LONGEST_LABEL and "\n" not in stripped:
        return canonical_choice(stripped) or None
    letters = _PARENTHESISED.findall(stripped[-150:])
    return letters[-1] if letters else None


def canonical_choice(answer: str) -> str:
    """A single capital letter where one is stated, else the label in lower case, words joined by one space."""
    bare = _undressed(answer[:_LONGEST_ANSWER])
    return _letter(bare) or _label(_BEHIND.sub("", bare) or bare)


def _undressed(text: str) -> str:
    if "\\" in text or "**" in text:
        text = plain(text)
    return text.strip().strip("*_`\"'$. ")


def _letter(bare: str) -> str | None:
    head = stated(bare)
    if match := _LETTER.match(head) or _LETTER.match(bare):
        return match[1].upper()
    if letter := _said(head):
        return letter
    head = _DENIED.sub("", head)
    inside = _INSIDE.search(head)
    if inside is None or len(set(_LETTERS.findall(head))) > 1:
        return None
    return inside[1] or inside[2] or inside[3]


def _said(text: str) -> str | None:
    """The letter of the last statement; lines of one letter count where they all have the same."""
    if len(text) > _HEAD + _TAIL:
        text = text[:_HEAD] + "\n" + text[-_TAIL:]
    last, lines = None, set[str]()
    for match in _STATEMENT.finditer(_undressed(text)):
        if match[4]:
            lines.add(match[4])
        last = match[1] or match[2] or match[3] or match[4]
    return None if last in lines and len(lines) > 1 else last


def _label(bare: str) -> str:
    return _ARTICLE.sub("", " ".join(bare.casefold().replace("-", " ").split()))
