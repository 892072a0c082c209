"""Keys stay out of what is shown: error texts are cleaned before anyone sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from compose.errors import ModelError

SHORTEST_KEY = 8
"""Shorter values of environment variables are words, not keys."""
_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_KEY")


def without_secrets(error: ModelError, variables: Iterable[str]) -> ModelError:
    """Blank the values of the named environment variables, and of all that look like keys, in an error."""
    names = {*variables, *(name for name in os.environ if name.endswith(_ENDINGS))}
    values = [os.environ.get(name, "") for name in names]
    for value in sorted(values, key=lambda v: -len(v)):
        if len(value) < SHORTEST_KEY:
            break
        error.message = error.message.replace(value, "***")
        error.hint = error.hint.replace(value, "***") if error.hint else error.hint
    if error.args != (error.message,):
        error.args = (error.message,)
    return error
