r"""LaTeX, markdown and typography out of an answer: `\dfrac{1}{2}\text{ cm}` becomes `1/2 cm`."""

from __future__ import annotations

import re

_BOX = re.compile(r"\\?\\(?:boxed|text|textbf|mathrm|mathbf|textit|operatorname|mbox|fbox)\s?\{([^{}]*)\}")
_FRAC = re.compile(r"(\d)?\s?\\[dtc]?frac\s?(?:\{([^{}]*)\}|(\d))\s?(?:\{([^{}]*)\}|(\d))")
_SQRT = re.compile(r"\\sqrt\s?(?:\{([^{}]*)\}|(\w))")
_POWER = re.compile(r"\^\s?\{([^{}]*)\}")
_DEGREE = re.compile(r"\^\s?\\?(?:circ|degrees?)\b|°")
_SPACE = re.compile(r"\\[,;:! ]|\\q?quad|~|\\\\")
_COMMAND = re.compile(r"\\(left|right|big|Big|displaystyle)")
_MONEY = re.compile(r"(?:US|C|A)?\\?[$€£¥₹]|\bUSD\b ?")
_TABLE = str.maketrans({"−": "-", "–": "-", "‐": "-", "⁄": "/", "×": "*", "·": "*", "÷": "/", "’": "'"})
_HALVES = {"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "⅛": " 1/8", "⅕": " 1/5"}
_NAMES = {
    r"\times": "*",
    r"\cdot": "*",
    r"\div": "/",
    r"\%": "%",
    r"\approx": "≈",
    r"\pi": "pi",
    r"\infty": "infinity",
    r"\pm": "±",
}


def plain(text: str) -> str:
    """The text without LaTeX, currency signs, emphasis and typographic variants."""
    if text.isascii() and text.isalnum():
        return text
    if not text.isascii():
        text = text.translate(_TABLE)
        for sign, half in _HALVES.items():
            text = text.replace(sign, half)
    if "\\" in text or "{" in text:
        text = _unlatex(text)
    if "$" in text or "USD" in text or not text.isascii():
        text = _MONEY.sub("", text)
    if "°" in text or "^" in text:
        text = _DEGREE.sub(" degrees", text)
    return text.replace("**", "").replace("`", "").replace("{,}", ",").strip()


def _unlatex(text: str) -> str:
    text = text.replace(r"\!", "").replace(r"\(", "").replace(r"\)", "").replace(r"\[", "").replace(r"\]", "")
    text = text.replace(r"\,", "" if re.search(r"\d\\,\d{3}", text) else " ")
    text = _COMMAND.sub("", text)
    for name, sign in _NAMES.items():
        text = text.replace(name, sign)
    for _ in range(4):
        before = text
        text = _BOX.sub(r"\1", text)
        text = _SQRT.sub(lambda m: f"sqrt({m[1] or m[2]})", text)
        text = _POWER.sub(_power, text)
        text = _FRAC.sub(_frac, text)
        if text == before:
            break
    return _SPACE.sub(" ", text)


def _power(match: re.Match[str]) -> str:
    inner = match[1].strip()
    return f"^{inner}" if inner.isalnum() or inner.startswith("\\circ") else f"^({inner})"


def _frac(match: re.Match[str]) -> str:
    top, bottom = (match[2] or match[3] or "").strip(), (match[4] or match[5] or "").strip()
    top, bottom = (_bare(part) for part in (top, bottom))
    return f"{match[1]} {top}/{bottom}" if match[1] else f"{top}/{bottom}"


def _bare(part: str) -> str:
    """A part of a fraction, in parentheses only where it is more than a number or a name."""
    inner = part.strip("() ")
    return inner if inner.lstrip("-").replace(",", "").replace(".", "", 1).isalnum() else f"({part})"
