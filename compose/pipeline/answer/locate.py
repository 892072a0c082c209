"""Where a text states its answer: a JSON field, a box, `####`, or words like "the answer is"."""

from __future__ import annotations

import re

from compose.pipeline.answer.field import answer_field

_SAYS = (
    r"[ \t]*(?:\*\*|__)?[ \t]*(?:(?:is|was|are)(?![a-zA-Z])[ \t]*:?|=|:)"
    r"|[ \t]+(?:to|for|of)[ \t][^.\n]{0,80}?[ \t]is(?![a-zA-Z])[ \t]*:?"
)
_MARKERS = {
    "nswer": re.compile(rf"nswer(?:{_SAYS}|>)"),
    "NSWER": re.compile(r"NSWER[ \t]*(?:\*\*|__)?[ \t]*(?:IS(?![A-Z])[ \t]*:?|=|:)"),
    "####": re.compile(r"####[ \t]*(?=[^\s#])"),
}
"""By the letters that are searched for from the end, so that long texts cost little."""
_SENTENCE_END = re.compile(r"[.!?](?:[\"')*]|\s)*\s(?=[A-Z\"'(*])|\n")
_EXCLAIMED = re.compile(r"(?<=[\d)])!\Z")
"""In a sentence `5!` is no factorial."""
_EMPHASIS = "*_`"
_BRACE = re.compile(r"(?<!\\)[{}]")
_BOXES = 20
"""Boxes looked at from the end, in case the last ones are empty or not closed."""
_LONGEST_BOX = 2_000
_PLACEHOLDER = re.compile(r"[\s_.…?]*|\[?(?:your|the) (?:final )?answer\]?|<[^<>]{0,40}>", re.IGNORECASE)


_MARK = re.compile(r"_{2,}|\.{3}|…|\[?(?:your|the) (?:final )?answer\]?|<[^<>]{0,40}>", re.IGNORECASE)
"""A placeholder where an empty or blank answer is possible."""


def located(text: str, *, empty: bool = False) -> str | None:
    """The span in which the text states its answer, or None.

    The last JSON field named "answer" that is no placeholder wins (with `empty`
    an empty one counts); otherwise the last of: a balanced `\\boxed{}`, `####`,
    "answer:", "the answer is".
    """
    if "nswer" in text:
        found = answer_field(text, _is_mark if empty else is_placeholder)
        if found is not None:
            return found
    box = _last_box(text)
    marked = _last_marked(text, box[1] if box else 0)
    return marked if marked is not None else box[0] if box else None


def is_placeholder(value: str) -> bool:
    """True for what a template leaves where an answer belongs: `___`, `...`, `<answer>`."""
    return _PLACEHOLDER.fullmatch(value) is not None


def _is_mark(value: str) -> bool:
    return _MARK.fullmatch(value) is not None


def last_sentence(text: str) -> str:
    """The last sentence of the last line that says anything."""
    line = text.rstrip()[-2000:]
    line = line[line.rfind("\n") + 1 :]
    start = 0
    for end in _SENTENCE_END.finditer(line):
        start = end.end()
    return line[start:]


def _last_box(text: str) -> tuple[str, int] | None:
    end = len(text)
    for _ in range(_BOXES):
        start = text.rfind("boxed", 0, end)
        if start < 0:
            return None
        content = _braced(text, start + 5)
        if content is not None and not is_placeholder(content):
            return content, start
        end = start
    return None


def _braced(text: str, start: int) -> str | None:
    """What stands in the braces that open at `start`, nested ones included."""
    if not text.startswith(("{", " {"), start):
        return None
    depth = 0
    for brace in _BRACE.finditer(text, start, start + _LONGEST_BOX):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return text[start : brace.start()].lstrip()[1:]
    return None


def _last_marked(text: str, after: int) -> str | None:
    found, best = None, after
    for letters, marker in _MARKERS.items():
        at = len(text)
        while (at := text.rfind(letters, best, at)) >= 0:
            if (match := marker.match(text, at)) and not is_placeholder(span := _span(text, match.end())):
                found, best = span, at
                break
    return found


def _span(text: str, start: int) -> str:
    """The rest of the sentence, or the next line when the marker ends its own."""
    rest = text[start : start + 600].lstrip(" \t" + _EMPHASIS)
    line, _, below = rest.partition("\n")
    if not line.strip(" \t*_`:$"):
        line = below.lstrip().partition("\n")[0]
    end = _SENTENCE_END.search(line)
    if end:
        line = line[: end.start()]
    line = line.partition("</")[0].strip().strip(_EMPHASIS).strip()
    return _EXCLAIMED.sub("", line.removesuffix("."))
