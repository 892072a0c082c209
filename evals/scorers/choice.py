"""Right if the chosen letter or label is the target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from compose.evals.scorers.exact import Exact, targets
from compose.pipeline.answer import canonical, equal, extract

if TYPE_CHECKING:
    from compose.evals.benchmark import Item
    from compose.pipeline.answer import Kind

_LAST = 300
"""Characters at the end of a text in which an unmarked label is looked for."""
_ASIDE = re.compile(
    r"(?:[,(]\s*(?:and |but )?(?:not|since|as)|\b(?:because|rather than|instead of|unlike))\b[^.;!?\n]*", re.IGNORECASE
)
"""What a sentence rejects, or gives as a reason."""


class Choice(Exact):
    """1 for the right letter or label.

    Where the item's meta holds `options`, an answer that spells out an option
    counts as it (and as its letter), and a text without a stated answer counts
    as the last option that its end names.
    """

    kind: Kind = "choice"

    def right(self, item: Item, text: str, settled: str | None = None) -> bool:
        """Whether a text chooses the target."""
        options = _options(item)
        answer = extract(text, self.kind) or settled
        if options:
            answer = _named(answer or _asserted(text.strip()[-_LAST:]), options) or answer
        if answer is None:
            return False
        return any(equal(answer, form, self.kind) for target in targets(item) for form in _forms(target, options))


def _options(item: Item) -> list[str]:
    options = item.meta.get("options")
    return [str(o) for o in cast("list[Any]", options)] if isinstance(options, list) else []


def _asserted(text: str) -> str:
    return _ASIDE.sub("", text)


def _named(text: str, options: list[str]) -> str | None:
    """The last option whose words stand in a text, longer options first."""
    words = re.sub(r"[\s_-]+", " ", text.casefold())
    found: tuple[int, str] | None = None
    for option in sorted(options, key=len, reverse=True):
        name = re.escape(re.sub(r"[\s_-]+", " ", option.casefold()).strip())
        for match in re.finditer(rf"(?<!\w){name}(?!\w)", words):
            if found is None or match.start() > found[0]:
                found = match.start(), option
            words = words[: match.start()] + "\0" * len(match[0]) + words[match.end() :]
    return found[1] if found else None


def _forms(target: str, options: list[str]) -> list[str]:
    """The target, and where it is a letter of the options also the option's words, and the other way round."""
    letters = [chr(ord("A") + i) for i in range(len(options))]
    forms = [target]
    for letter, option in zip(letters, options, strict=True):
        if canonical(target, "choice") == letter and len(target.strip()) == 1:
            forms.append(option)
        elif equal(target, option, "choice"):
            forms.append(letter)
    return forms
