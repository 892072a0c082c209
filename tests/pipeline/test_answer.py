"""Reading answers: golden cases, one file per rule, and what must hold for any text."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.errors import UnknownName
from compose.pipeline.answer import canonical, equal, extract

FIXTURES = Path(__file__).parents[1] / "fixtures" / "answers"
KINDS = ("auto", "number", "choice", "literal", "text")


def extractions() -> Iterator[object]:
    """Every block `=== name / text / --- / answer` of every file."""
    for path in sorted(FIXTURES.glob("*.txt")):
        head, *blocks = path.read_text(encoding="utf-8").split("\n=== ")
        if not head.startswith("kind: "):
            continue
        kind = head.removeprefix("kind: ").strip()
        for block in blocks:
            name, _, rest = block.partition("\n")
            text, _, answer = rest.rpartition("\n---\n")
            yield pytest.param(kind, text, answer.rstrip("\n"), id=f"{path.stem}: {name}")


def pairs() -> Iterator[object]:
    """Every line `kind | a | b | same or different`."""
    for line in (FIXTURES / "equal.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, a, b, verdict = line.split(" | ")
            yield pytest.param(kind, a, b, verdict, id=f"{kind}: {a} ? {b}")


@pytest.mark.parametrize(("kind", "text", "answer"), list(extractions()))
def test_extract(kind: str, text: str, answer: str) -> None:
    assert extract(text, kind) == (None if answer == "(none)" else answer)


@pytest.mark.parametrize(("kind", "a", "b", "verdict"), list(pairs()))
def test_equal(kind: str, a: str, b: str, verdict: str) -> None:
    assert {"same": True, "different": False}[verdict] == equal(a, b, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_any_text_is_read_without_an_error_and_equals_itself(kind: str) -> None:
    rng = random.Random(0)
    pieces = ['"answer": ', "\\boxed{", "}", "####", "Answer:", "$", "1,000", "\\frac", "{", '"', "'", "\\", "\n", "=",
              "10^", "e5", "/0", "½", "(B)", "[", "\\u12", "−", "...", "___", " ", *string.ascii_letters[:5]]  # fmt: skip
    for _ in range(3000):
        text = "".join(rng.choices(pieces, k=rng.randint(0, 14)))
        answer = extract(text, kind)
        if answer is not None:
            assert equal(answer, answer, kind)
            canonical(answer, kind)


@pytest.mark.parametrize(
    "piece",
    ['"answer": "', "\\boxed{", "Answer: ", "####", "1,", "1 ", " ", '"', "\\", "((", "[", "\\frac{1}{", "9", "10^", ". ",
     "the answer to ", '"answer": [', "is ", "\n", "1/", "'answer': '", "{", "sqrt(", "-", "a,", "Answer is", "1.", "$",
     "- ", "not ", "\u2009", "^", "A is ", "B, ", "twenty-", "5 or ", "log_2 "],
)  # fmt: skip
def test_a_long_text_of_one_piece_takes_linear_time(piece: str) -> None:
    """A pattern that is quadratic runs into the time limit of a test here."""
    text = piece * (100_000 // len(piece))
    for kind in KINDS:
        for whole in (text, f"5{text}x"):
            answer = extract(whole, kind)
            if answer is not None:
                canonical(answer, kind)
            canonical(whole, kind)


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="numbr") as caught:
        extract("4", "numbr")
    assert caught.value.nearest == "number"
    with pytest.raises(UnknownName):
        canonical("4", "numbr")


def test_canonical_groups_what_is_equal() -> None:
    forms = ["1000", "1,000", "$1,000.00", "1e3", "1 thousand"]
    assert {canonical(form, "number") for form in forms} == {"1000"}
