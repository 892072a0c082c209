"""Keys stay out of what is shown: error texts are cleaned before anyone sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, cast

SHORTEST_KEY = 8
"""Shorter values of environment variables are words, not keys."""
_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_KEY")


def blank_secrets(error: BaseException, variables: Iterable[str]) -> None:
    """Blank the values of the named environment variables, and of all that look like keys, in an error.

    Its notes, and the errors that it came from or holds, are cleaned too; one of
    those whose text cannot be changed is cut off.
    """
    names = {*variables, *(name for name in os.environ if name.endswith(_ENDINGS))}
    values = {value for name in names if len(value := os.environ.get(name, "")) >= SHORTEST_KEY}
    if values:
        _clean(error, sorted(values, key=len, reverse=True), set())


def _clean(error: BaseException, values: list[str], seen: set[int]) -> None:
    seen.add(id(error))
    error.args = _blanked(error.args, values)
    for name, value in vars(error).items():
        vars(error)[name] = _blanked(value, values)
    group = cast("Any", error).exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (error.__cause__, error.__context__, *group):
        if other is not None and id(other) not in seen:
            _clean(other, values, seen)
    if _shows(error.__cause__, values) or _shows(error.__context__, values):
        error.__cause__ = error.__context__ = None


def _blanked(value: Any, values: list[str]) -> Any:
    """The value with all texts in it cleaned; what is no text, list or tuple stays as it is."""
    if type(value) in (list, tuple):
        return type(value)(_blanked(part, values) for part in value)
    if isinstance(value, str):
        for secret in values:
            value = value.replace(secret, "***")
    return value


def _shows(error: BaseException | None, values: list[str]) -> bool:
    return error is not None and any(secret in str(error) for secret in values)
