"""The value of a short arithmetic expression: `7 + sqrt(11)`, `2^10`, `50/2`, `3sqrt(2)`."""

from __future__ import annotations

import math
import re

_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|sqrt|√|pi|π|[-+*/^()])")
_LONGEST = 80
_Tokens = list[str]


def evaluated(text: str) -> str | None:
    """The value with nine digits, or None where the text is no expression of numbers.

    >>> evaluated("2^10"), evaluated("sqrt(13)") == evaluated("√13"), evaluated("3n")
    ('1024', True, None)
    """
    if len(text) > _LONGEST or not any(c.isdigit() for c in text):
        return None
    tokens: _Tokens = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        tokens.append(token[1])
        at = token.end()
    try:
        value = _sum(tokens)
    except (ValueError, ZeroDivisionError, OverflowError, IndexError):
        return None
    if tokens or isinstance(value, complex) or not math.isfinite(value):
        return None
    return str(round(value)) if abs(value - round(value)) < 1e-9 and abs(value) < 1e15 else f"{value:.9g}"


def _sum(tokens: _Tokens) -> float:
    value = _product(tokens)
    while tokens and tokens[0] in "+-":
        value = value + _product(tokens) if tokens.pop(0) == "+" else value - _product(tokens)
    return value


def _product(tokens: _Tokens) -> float:
    value = _signed(tokens)
    while tokens and tokens[0] not in "+-)":
        if tokens[0] in "*/":
            value = value * _signed(tokens) if tokens.pop(0) == "*" else value / _signed(tokens)
        else:
            if tokens[0][0].isdigit() or tokens[0][0] == ".":
                raise ValueError("two numbers side by side")
            value *= _power(tokens)
    return value


def _signed(tokens: _Tokens) -> float:
    if tokens[0] in "+-":
        return _signed(tokens) if tokens.pop(0) == "+" else -_signed(tokens)
    return _power(tokens)


def _power(tokens: _Tokens) -> float:
    base = _atom(tokens)
    if tokens and tokens[0] == "^":
        tokens.pop(0)
        exponent = _signed(tokens)
        if abs(exponent) > 1000:
            raise OverflowError
        return base**exponent
    return base


def _atom(tokens: _Tokens) -> float:
    token = tokens.pop(0)
    if token == "(":
        value = _sum(tokens)
        if tokens.pop(0) != ")":
            raise ValueError("unbalanced")
        return value
    if token in ("sqrt", "√"):
        return math.sqrt(_atom(tokens))
    if token in ("pi", "π"):
        return math.pi
    return float(token)
