"""`arith` and `spatial`: the same everywhere, and right by another way of solving."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from compose.errors import ConfigError
from compose.evals.benchmark import load_benchmark
from compose.evals.spatial import LABELS, OFFSETS, direction
from compose.pipeline.answer import equal, extract

_ACTS = {
    "times": r"(\d+) times (?:as|their|what)",
    "part": r"(?:into (\d+) equal|equally (?:among|by) (\d+)|of (\d+) equal|out of every (\d+))",
}
_LESS = r"gives (\d+) \w+ to|uses (\d+)|^(\d+) of the apples go bad|spends (\d+)|pays (?!back)\w+ (\d+)|costs \w+ (\d+)|sells (\d+)|" \
    r"trades away (\d+)|^(\d+) stamps are damaged|eats (\d+)|takes (\d+)|hands out (\d+)"  # fmt: skip


def number(sentence: str) -> int:
    """The first number of a sentence."""
    return int(re.findall(r"\d+", sentence)[0])


def solve(question: str) -> int:
    """Read the story sentence by sentence, knowing the wording but not the generator."""
    first, *steps, _ = re.split(r"(?<=[.])\s", question)
    amount = number(first)
    for step in steps:
        if found := re.search(r"(\d+) times", step):
            amount *= int(found[1])
        elif found := re.search(_ACTS["part"], step):
            amount //= int(next(g for g in found.groups() if g))
        elif found := re.search(_LESS, step):
            amount -= int(next(g for g in found.groups() if g))
        else:
            amount += number(step)
    return amount


def test_arith_answers_are_right() -> None:
    for item in load_benchmark("arith", n=600, seed=5).items():
        assert solve(item.meta["question"]) == int(item.target), item.prompt


def test_arith_levels_are_the_steps() -> None:
    for item in load_benchmark("arith", n=60).items():
        assert len(re.split(r"(?<=[.])\s", item.meta["question"])) == int(item.groups["level"]) + 2
        assert 0 < int(item.target) < 2000
        assert "`Answer: N`" in item.prompt


@pytest.mark.parametrize("name", ["arith", "spatial"])
def test_a_seed_fixes_all_items_and_more_items_keep_the_first(name: str) -> None:
    few, many = load_benchmark(name, seed=7, n=24).items(), load_benchmark(name, seed=7, n=48).items()
    assert few == many[:24] == load_benchmark(name, seed=7, n=24).items()
    assert {i.prompt for i in few} != {i.prompt for i in load_benchmark(name, seed=8, n=24).items()}


@pytest.mark.parametrize("name", ["arith", "spatial"])
def test_no_item_is_there_twice_and_the_wording_varies(name: str) -> None:
    items = load_benchmark(name, n=600).items()
    assert len({i.prompt for i in items}) == 600
    assert len({re.sub(r"\d+", "", i.prompt.split(".")[1]) for i in items}) > 50


@pytest.mark.parametrize("options", [{"n": 0}, {"levels": ()}, {"levels": (0,)}, {"levels": (7,)}])
def test_arith_refuses_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="levels of 1 to 6"):
        load_benchmark("arith", **options).items()


def test_spatial_refuses_more_hops_than_things() -> None:
    with pytest.raises(ConfigError, match="hops of 1 to 19"):
        load_benchmark("spatial", hops=(20,)).items()


_WAYS = {
    "left": r"left of|west of|9 o'clock|on the left", "right": r"right of|east of|3 o'clock|on the right",
    "above": r"directly above|straight north|on top of", "below": r"directly below|straight south|underneath",
    "upper left": r"up and to the left|northwest", "upper right": r"up and to the right|northeast",
    "lower left": r"down and to the left|southwest", "lower right": r"down and to the right|southeast",
}  # fmt: skip
_STEP = {label: offset for offset, label in OFFSETS.items()}


def place(text: str) -> str:
    """Walk the told pairs from the object that is asked from to the one that is asked for."""
    *told, ask = re.split(r"(?<=[.])\s", text)
    beside: dict[str, list[tuple[str, int, int]]] = {}
    for sentence in told:
        one, other = re.findall(r"the (?:lamp|chair|vase|clock|piano|drum|globe|mirror|ladder|basket|kettle|candle|statue"
                                r"|barrel|fan|radio|plant|bench|crate|bell)\b", sentence.lower())  # fmt: skip
        label = next(w for w in reversed(list(_WAYS)) if re.search(_WAYS[w], sentence))
        if sentence.lower().startswith(("if you look at", "right on top", "right underneath")) or "has the" in sentence:
            one, other = other, one
        x, y = _STEP[label]
        beside.setdefault(other, []).append((one, x, y))
        beside.setdefault(one, []).append((other, -x, -y))
    asked = re.findall(r"the \w+", ask.lower())
    asked = [thing for thing in asked if thing in beside]
    start, end = asked if "Seen from" in ask else asked[::-1]
    todo, seen = [(start, 0, 0)], {start}
    while todo:
        at, x, y = todo.pop()
        if at == end:
            return direction(x, y)
        for thing, dx, dy in beside[at]:
            if thing not in seen:
                seen.add(thing)
                todo.append((thing, x + dx, y + dy))
    raise AssertionError(text)


@pytest.mark.parametrize("noise", [0, 3])
def test_spatial_answers_are_right(noise: int) -> None:
    for item in load_benchmark("spatial", n=300, seed=2, noise=noise).items():
        assert place(item.meta["question"]) == item.target, item.prompt


def test_spatial_uses_every_label_and_its_answers_can_be_read_back() -> None:
    items = load_benchmark("spatial", n=600).items()
    assert set(Counter(i.target for i in items)) == set(LABELS)
    for label in LABELS:
        for form in (f"Answer: {label}", f"so\nAnswer: {label.title().replace(' ', '-')}.", f"**Answer: `{label}`**"):
            answer = extract(form, "choice")
            assert answer is not None and equal(answer, label, "choice")
