r"""The "answer" field of JSON as models write it: raw line breaks, LaTeX, unescaped quotes, no end.

Strict parsing of the outermost braces loses over 90 % of some models' answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_KEY = re.compile(r"nswer\\?[\"'”]\s*:\s*")
_DECODER = json.JSONDecoder(strict=False)
_BEFORE = re.compile(r"(\\?[\"'“])(?:final[ _]?|correct[ _]?)?a\Z", re.IGNORECASE)
_AFTER = re.compile(r"\s*(?:[}\]]|,\s*[\"'}]|,?\s*(?:```|\Z))")
_CLOSE = {
    '"': re.compile(r"\"\s*(?:,\s*)?(?:\}\s*(?:```|\Z|\n|[\"}\]])|```|\Z)"),
    "'": re.compile(r"'\s*(?:,\s*)?(?:\}\s*(?:```|\Z|\n|[\"}\]])|```|\Z)"),
}
_LATEX = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?![\"\\/]|[bfnrt](?![a-zA-Z])|u[0-9a-fA-F]{4})[a-zA-Z(\[{}%$,;!]|(?<!\\)\\[bfnrt][a-z]{2}"
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def answer_field(text: str, skip: Callable[[str], bool]) -> str | None:
    """The value of the last field named "answer" that `skip` does not refuse, as text."""
    end = at = len(text)
    while (at := text.rfind("nswer", 0, at)) >= 0:
        key = _KEY.match(text, at)
        opening = key and _BEFORE.search(text[max(0, at - 12) : at])
        if key is None or opening is None:
            continue
        value = _value(text[key.end() : end], "'" if opening[1] == "'" else '"')
        if value is not None and not skip(value):
            return value
        end = at
    return None


def _value(region: str, quote: str) -> str | None:
    """The value at the start of a region; `quote` is the one that the key has."""
    if not region:
        return None
    first = region[0]
    if first in (quote, '"'):
        return _quoted(region, first)
    if region.startswith('\\"'):
        return _unescape(region[2:].split('\\"', 1)[0])
    if first in "[{(":
        return _bracketed(region)
    return region.partition("\n")[0].partition("```")[0].rstrip().rstrip(",}").rstrip() or None


def _quoted(region: str, quote: str) -> str:
    if quote == '"':
        try:
            value, end = _DECODER.raw_decode(region)
        except ValueError:
            pass
        else:
            if _AFTER.match(region, end):
                return _unescape(region[1 : end - 1]) if "\\" in region[1 : end - 1] else value
    close = _CLOSE[quote].search(region, 1)
    if close:
        return _unescape(region[1 : close.start()])
    line = region[1:].partition("\n")[0].rstrip()
    return _unescape(line.rstrip(",}").rstrip().removesuffix(quote))


def _bracketed(region: str) -> str:
    """A bare list or object up to its closing bracket, quotes respected; else the line."""
    depth, quote, i = 0, "", 0
    while i < min(len(region), 20_000):
        char = region[i]
        if char == "\\":
            i += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "[{(") - (char in "]})")
            if depth == 0:
                return region[: i + 1]
        i += 1
    return region.partition("\n")[0].rstrip().rstrip(",")


def _unescape(raw: str) -> str:
    r"""Undo JSON's escapes; where the text is raw LaTeX (`\frac`), only those of quotes and backslashes."""
    if "\\" not in raw:
        return raw
    latex = _LATEX.search(raw) is not None

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if code in '"\\/':
            return code
        if latex:
            return match[0]
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        return _PLAIN.get(code, match[0])

    return _ESCAPE.sub(plain, raw)
