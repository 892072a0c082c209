"""Generated word problems of one to six steps, solved by construction.

A problem is a story about one amount: it starts with a number and every step
changes it in a way that the wording tells. The true answer is computed with
the steps, so no model and no file is needed. Levels are the number of steps;
all amounts are whole, positive and below 2,000. The same seed gives the same
problems on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from compose.errors import ConfigError
from compose.evals.arith_words import ASK, BRIEF, INSTRUCTIONS, NAMES, STORIES
from compose.evals.benchmark import Benchmark, Item
from compose.types import Message

_LARGEST = 2_000
_TRIES = 200
_FIRST = {1: 9, 2: 20}
"""Largest first amount by level, 60 above: even a very small model gets some of level 1 right."""
_CHANGE = {1: 5, 2: 12}
"""Largest number to add or take by level, 80 above."""


class Arith(Benchmark):
    """Word problems in equal numbers per level; the answer is a whole number.

    `brief` asks all of them for one or two sentences, for models that are slow or small.
    """

    name = "arith"
    answer = "number"
    scoring = "number"
    licence = "Apache-2.0 (generated)"

    def __init__(
        self, *, seed: int = 0, n: int = 240, levels: Sequence[int] = (1, 2, 3, 4, 5, 6), brief: bool = False
    ) -> None:
        super().__init__(seed=seed)
        self.n = n
        self.levels = tuple(levels)
        self.brief = brief

    def read(self) -> Iterable[Item]:
        """Yield `n` problems, level by level in turn, no two alike.

        Raises `ConfigError` for levels outside 1..6 or a count below 1.
        """
        if self.n < 1 or not self.levels or not all(1 <= level <= 6 for level in self.levels):
            raise ConfigError(f"arith needs n >= 1 and levels of 1 to 6, got n={self.n}, levels={self.levels}")
        seen: set[str] = set()
        for i in range(self.n):
            level = self.levels[i % len(self.levels)]
            yield self._item(i, level, seen)

    def _item(self, i: int, level: int, seen: set[str]) -> Item:
        rng = random.Random(f"arith/{self.seed}/{level}/{i}")
        while True:
            question, answer = problem(rng, level)
            if question not in seen:
                break
        seen.add(question)
        instruction = rng.choice(INSTRUCTIONS)
        prompt = f"{question}\n\n{BRIEF if self.brief else instruction}"
        return Item(
            f"arith-{self.seed}-{i}",
            (Message("user", prompt),),
            str(answer),
            {"level": str(level)},
            {"question": question},
        )


def problem(rng: random.Random, level: int) -> tuple[str, int]:
    """A story of `level` steps and the amount it ends with."""
    story = rng.choice(STORIES)
    name, other = rng.sample(NAMES, 2)
    amount = rng.randint(3, _FIRST.get(level, 60))
    words = {"name": name, "other": other}
    sentences = [rng.choice(story.start).format(n=amount, **words)]
    last = ""
    for _ in range(level):
        kind, by = _step(rng, amount, level, last)
        sentences.append(rng.choice(story.steps[kind]).format(k=by, **words))
        amount = _apply(kind, amount, by)
        last = kind
    ask = rng.choice(ASK).format(what=story.what, verb=story.verb, **words)
    return " ".join([*sentences, ask]), amount


def _step(rng: random.Random, amount: int, level: int, last: str) -> tuple[str, int]:
    """A kind of step that fits the amount, and its number."""
    for _ in range(_TRIES):
        kind = rng.choice(("add", "add", "take") if level == 1 else ("add", "add", "take", "take", "times", "part"))
        by = rng.randint(2, {"times": 4, "part": 5}.get(kind, _CHANGE.get(level, 80)))
        new = _apply(kind, amount, by)
        if kind == last and kind in ("times", "part"):
            continue
        if 0 < new < _LARGEST and not (kind == "part" and amount % by):
            return kind, by
    return "add", rng.randint(2, 9)


def _apply(kind: str, amount: int, by: int) -> int:
    if kind == "add":
        return amount + by
    if kind == "take":
        return amount - by
    return amount * by if kind == "times" else amount // by
