r"""Read the answer out of what a model wrote, and tell whether two answers are the same.

Kinds: `number` (the first number of the stated answer, or the value of its
expression), `choice` (a letter or a label), `literal` (a Python literal),
`text`, and `auto` (the whole stated answer, compared as a number or expression
where it is one, else as text).

>>> extract('{"reasoning": "2 + 2", "answer": "$4.00"}', "number")
'4'
>>> extract(r"so it is \boxed{\frac{1}{2}}.", "number")
'0.5'
>>> equal("1,000 dollars", "1000", "number")
True

All patterns are linear in the length of the text. The last 16,384 results are
kept, since a search reads the same recorded outputs again and again; a text of
more than 1,000 characters is kept as its digest, and an answer of more than 200
characters is not kept, so that long texts take little memory.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, TypeAlias, get_args

from compose.errors import UnknownName
from compose.pipeline.answer.choice import canonical_choice, choose
from compose.pipeline.answer.literal import canonical_literal, same_literal
from compose.pipeline.answer.locate import last_sentence, located
from compose.pipeline.answer.number import first_number, last_number, same_number
from compose.pipeline.answer.whole import canonical_whole

__all__ = ["Kind", "canonical", "equal", "extract"]

Kind: TypeAlias = Literal["auto", "number", "choice", "literal", "text"]
_KINDS = frozenset(get_args(Kind))
_KEPT = 16_384
_LONGEST_TEXT = 1_000
_LONGEST_ANSWER = 200
_ENDS = ".!)$*"
"""How a text ends that was not cut off: only then is its last number an answer."""
_SHORT = 200
"""A text of one line and up to this many characters is its own answer."""


def extract(text: str, kind: str = "auto") -> str | None:
    """The answer that a text states, or None where it states none.

    Raises `UnknownName` for a kind that there is not.
    """
    key = (text if len(text) <= _LONGEST_TEXT else _digest(text), kind)
    try:
        return _extracted[key]
    except KeyError:  # not asked with `in` first: another thread may drop it in between
        pass
    answer = _extract(text, kind)
    if answer is None or len(answer) <= _LONGEST_ANSWER:
        _extracted[key] = answer
        if len(_extracted) > _KEPT:
            _extracted.popitem(last=False)
    return answer


def canonical(answer: str, kind: str = "auto") -> str:
    """The form under which equal answers are grouped, e.g. to vote.

    >>> canonical("1,000.0", "number") == canonical("1000", "number")
    True
    """
    return _canonical_kept(answer, kind) if len(answer) <= _LONGEST_ANSWER else _canonical(answer, kind)


def equal(a: str, b: str, kind: str = "auto") -> bool:
    """Whether answer `a` says the same as `b`, where `b` may be a target.

    It is `canonical(a) == canonical(b)` with two allowances: a number may be a
    rounding of the other (whole numbers are equal or not), and for a `literal`
    that is a string a bare `a` may equal its value.
    """
    one, other = canonical(a, kind), canonical(b, kind)
    if one == other:
        return True
    if kind in ("number", "auto"):
        return same_number(one, other)
    return kind == "literal" and same_literal(a, b)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _extract(text: str, kind: str) -> str | None:
    if kind not in _KINDS:
        raise UnknownName("kind of answer", kind, _KINDS)
    found = located(text, empty=kind == "literal")
    if kind == "number":
        return _number(text, found)
    if kind == "choice":
        return choose(text, found)
    if found is not None:
        return found if kind == "literal" else _bare(found)
    stripped = text.strip()
    if not stripped:
        return None
    if len(stripped) <= _SHORT and "\n" not in stripped:
        return stripped
    return last_number(last_sentence(stripped)) if kind == "auto" and stripped[-1] in _ENDS else None


def _bare(answer: str) -> str:
    answer = answer.strip()
    quoted = len(answer) > 1 and answer[0] == answer[-1] and answer[0] in "'\""
    return answer[1:-1].strip() if quoted else answer


def _number(text: str, found: str | None) -> str | None:
    if found is not None:
        return first_number(found)
    return last_number(last_sentence(text)) or last_number(text)


def _canonical(answer: str, kind: str) -> str:
    if kind == "number":
        return first_number(answer) or answer.strip().casefold()
    if kind == "choice":
        return canonical_choice(answer)
    if kind == "literal":
        return canonical_literal(answer)
    if kind == "auto":
        return canonical_whole(answer)
    if kind == "text":
        return " ".join(answer.split()).casefold().rstrip(".")
    raise UnknownName("kind of answer", kind, _KINDS)


_extracted: OrderedDict[tuple[str | bytes, str], str | None] = OrderedDict()
_canonical_kept = lru_cache(maxsize=_KEPT)(_canonical)
