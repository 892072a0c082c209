"""Python literals: compared by value and type, `[1,2]` is `[1, 2]` and `(1,)` is not `[1]`."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any, cast

_LONGEST = 20_000
_BAD_ESCAPE = re.compile(r"\\(\\|['\"abfnrtv\n0-7]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|N\{)?")
_WARNS = re.compile(r"\d(?:and|else|for|i[fns]|or|not)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"'}
_ESCAPE = re.compile(r"\\([ntr'\"])")
"""In a bare text only line breaks, tabs and quotes are decoded: a backslash may be meant as one."""
_NOTHING = object()


def canonical_literal(answer: str) -> str:
    """`repr` of the value, with sorted dictionaries and sets; a bare text counts as a string."""
    value = _parse(answer)
    return _written(_decoded(answer.strip()) if value is _NOTHING else value)


def same_literal(answer: str, target: str) -> bool:
    """Whether a bare answer equals the value of a target that is a string."""
    value = _parse(target)
    if not isinstance(value, str):
        return False
    bare = answer.strip()
    if value in (answer, bare, _decoded(answer), _decoded(bare)):
        return True
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\""
    return quoted and value in (bare[1:-1], _decoded(bare[1:-1]))


def _parse(text: str) -> Any:
    text = text.strip()
    if not text or len(text) > _LONGEST or text[0] not in "[({'\"-+.0123456789TFNbrufset":
        return _NOTHING
    fixed = _BAD_ESCAPE.sub(lambda m: m[0] if m[1] else "\\\\", text) if "\\" in text else text
    if "\n" in fixed:
        fixed = fixed.replace("\n", "\\n") if text[0] in "'\"" else fixed.replace("\n", " ")
    try:
        if _WARNS.search(fixed):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.literal_eval(fixed)
        return ast.literal_eval(fixed)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NOTHING


def _decoded(text: str) -> str:
    return _ESCAPE.sub(lambda m: _ESCAPES[m[1]], text)


def _written(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast(dict[Any, Any], value).items()
        return "{" + ", ".join(sorted(f"{_written(k)}: {_written(v)}" for k, v in pairs)) + "}"
    if isinstance(value, (set, frozenset)):
        return "set{" + ", ".join(sorted(_written(v) for v in cast(set[Any], value))) + "}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(_written(v) for v in cast(list[Any], value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)"
    return repr(value)
