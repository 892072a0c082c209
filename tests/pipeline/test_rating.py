"""Marks are read as a careful reader would, and not at all where there is none."""

import pytest

from compose.pipeline.answer.rating import rating
from compose.pipeline.fence import fenced


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Score: 7", 0.7),
        ("Score: 7.", 0.7),
        ("**Score**: 10/10", 1.0),
        ("Score: 10.0", 1.0),
        ("Score: 3.5", 0.35),
        ("Score: 3,5 / 10", 0.35),
        ("Score (0 to 10): 8", 0.8),
        ("Score (0-10):\n\n**8**", 0.8),
        ("The score is 6, since", 0.6),
        ("score of 6 out of ten", 0.6),
        ("Score: 4/5", 0.8),
        ('{"score": 9}', 0.9),
        ("Score: 2\nScore: 0", 0.0),
        ("Score: 9\nScore: none", 0.9),
        ("Score: 11", None),
        ("Score: -3", None),
        ("Score: 70%", None),
        ("Score: 1000", None),
        ("Score: 3/0", None),
        ("Score: many", None),
        ("underscore 7", None),
        ("7", None),
        ("", None),
    ],
)
def test_the_last_score_counts(text: str, score: float | None) -> None:
    assert rating(text, "score") == score


@pytest.mark.parametrize("text", ["", "x", "`", "```", "a ```` b\n```", "`" * 100])
def test_a_fence_is_longer_than_any_run_in_the_text(text: str) -> None:
    mark, *inside, end = fenced(text).split("\n")
    assert mark == end
    assert set(mark) == {"`"}
    assert len(mark) >= 3
    assert "\n".join(inside) == text
    assert mark not in text
