"""Answers that were read are kept, and what is kept stays small however long the texts are."""

from __future__ import annotations

import tracemalloc
from collections import OrderedDict
from collections.abc import Callable

import pytest

from compose.pipeline.answer import canonical, extract

LONG = "word " * 3_000
FEW_BYTES = 1_000_000


def growth(read: Callable[[str], object], texts: range, form: str) -> int:
    """Bytes that stay behind when every text of a form was read once."""
    tracemalloc.start()
    try:
        for i in texts:
            read(form.format(i))
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("read", "form"),
    [
        pytest.param(extract, LONG + "The answer is {}.", id="long texts"),
        pytest.param(extract, '{{"answer": "{} ' + LONG + '"}}', id="long answers"),
        pytest.param(canonical, LONG + "{}", id="canonical forms of long answers"),
    ],
)
def test_long_texts_leave_little_behind(read: Callable[[str], object], form: str) -> None:
    assert growth(read, range(100), form) < FEW_BYTES


def test_twice_as_many_texts_leave_no_more_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: OrderedDict[object, object] = OrderedDict()
    monkeypatch.setattr("compose.pipeline.answer._extracted", kept)
    for texts in (range(17_000), range(17_000, 51_000)):
        for i in texts:
            extract(f"{i}")
        assert 0 < len(kept) <= 16_384


@pytest.mark.parametrize("text", [LONG + "\ud800 The answer is {} pears.", "\ud800 The answer is {} pears."])
def test_texts_and_kinds_are_told_apart(text: str) -> None:
    for _ in range(2):
        assert [extract(text.format(i), "number") for i in range(3)] == ["0", "1", "2"]
        assert extract(text.format(2), "text") == "2 pears"
