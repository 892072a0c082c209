"""Put a text into a prompt so that it cannot leave its place.

What a model judges, ranks or fuses may try to speak for the prompt around it.
It stands between two marks, and no run of their character in it is as long.
"""

from __future__ import annotations

import re


def fenced(text: str) -> str:
    """The text between two lines of backticks, more of them than the text has anywhere in a row.

    >>> print(fenced("Use ```` here."))
    `````
    Use ```` here.
    `````
    """
    longest = max(map(len, re.findall("`+", text))) if "`" in text else 0
    mark = "`" * max(3, longest + 1)
    return f"{mark}\n{text}\n{mark}"
