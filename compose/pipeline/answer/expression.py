"""The value of a short arithmetic expression: `7 + sqrt(11)`, `2^10`, `50/2`, `3sqrt(2)`, `5!`."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TypeAlias

_TOKEN = re.compile(r"\s*(\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+|sqrt|√|pi|π|[-+*/^()!])")
_LONGEST = 80
_MOST_BITS = 1_300
"""Size of a power or factorial that is still worked out: about 400 digits."""
_Tokens = list[str]
_Value: TypeAlias = Fraction | float
"""A float only where a root or pi made the value inexact."""


def evaluated(text: str) -> str | None:
    """The value, whole numbers in full, others with nine digits, or None where the text is no expression of numbers.

    >>> evaluated("2^10"), evaluated("sqrt(13)") == evaluated("√13"), evaluated("3n")
    ('1024', True, None)
    """
    value = _evaluated(text)
    if value is None:
        return None
    if isinstance(value, Fraction) and value.denominator == 1:
        return str(value.numerator)
    try:
        value = float(value)
    except OverflowError:
        return None
    return str(round(value)) if abs(value - round(value)) < 1e-9 and abs(value) < 1e15 else f"{value:.9g}"


def exact(text: str) -> Fraction | None:
    """The value of an expression that has no root or pi left in it, or None.

    >>> exact("2^10 + sqrt(4)"), exact("3sqrt(2)")
    (Fraction(1026, 1), None)
    """
    value = _evaluated(text)
    return value if isinstance(value, Fraction) else None


def _evaluated(text: str) -> _Value | None:
    if len(text) > _LONGEST or not any(c.isdigit() for c in text):
        return None
    tokens: _Tokens = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        tokens.append(token[1].replace(",", ""))
        at = token.end()
    try:
        value = _sum(tokens)
    except (ValueError, ZeroDivisionError, OverflowError, IndexError):
        return None
    return None if tokens or not _usable(value) else value


def _usable(value: _Value) -> bool:
    if isinstance(value, Fraction):
        return max(value.numerator.bit_length(), value.denominator.bit_length()) <= _MOST_BITS
    return math.isfinite(value)


def _sum(tokens: _Tokens) -> _Value:
    value = _product(tokens)
    while tokens and tokens[0] in "+-":
        value = value + _product(tokens) if tokens.pop(0) == "+" else value - _product(tokens)
    return value


def _product(tokens: _Tokens) -> _Value:
    value = _signed(tokens)
    while tokens and tokens[0] not in "+-)":
        if tokens[0] in "*/":
            value = value * _signed(tokens) if tokens.pop(0) == "*" else value / _signed(tokens)
        else:
            if tokens[0][0].isdigit() or tokens[0][0] == ".":
                raise ValueError("two numbers side by side")
            value *= _power(tokens)
    return value


def _signed(tokens: _Tokens) -> _Value:
    if tokens[0] in "+-":
        return _signed(tokens) if tokens.pop(0) == "+" else -_signed(tokens)
    return _power(tokens)


def _power(tokens: _Tokens) -> _Value:
    base = _factorial(tokens)
    if tokens and tokens[0] == "^":
        tokens.pop(0)
        return _raised(base, _signed(tokens))
    return base


def _raised(base: _Value, exponent: _Value) -> _Value:
    if abs(exponent) > 1000:
        raise OverflowError
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent.numerator) > _MOST_BITS and bits > 1:
            raise OverflowError
        return base**exponent.numerator
    if exponent == Fraction(1, 2):
        return _root(base)
    if base < 0:
        raise ValueError("root of a negative number")
    return float(base) ** float(exponent)


def _factorial(tokens: _Tokens) -> _Value:
    value = _atom(tokens)
    while tokens and tokens[0] == "!":
        tokens.pop(0)
        if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= 170:
            raise ValueError("no small whole number")
        value = Fraction(math.factorial(value.numerator))
    return value


def _atom(tokens: _Tokens) -> _Value:
    token = tokens.pop(0)
    if token == "(":
        value = _sum(tokens)
        if tokens.pop(0) != ")":
            raise ValueError("unbalanced")
        return value
    if token in ("sqrt", "√"):
        return _root(_atom(tokens))
    return math.pi if token in ("pi", "π") else Fraction(token)


def _root(value: _Value) -> _Value:
    """The square root, exact where numerator and denominator are squares."""
    if isinstance(value, Fraction) and value >= 0:
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if Fraction(top * top, bottom * bottom) == value:
            return Fraction(top, bottom)
    return math.sqrt(value)
