"""Generated k-hop stories: where is one object, seen from another?

Objects lie on a grid; a story tells for k pairs where one lies beside the
other, in shuffled order and varied wording, and asks about the two ends of the
chain. The answer follows from the grid, so it is right by construction. Unlike
StepGame (Shi et al., 2022, arXiv:2204.08292) every chain is a shortest one: no
told pair shortens it and no object is told twice, so `hops` is the number of
steps that the answer needs. The same seed gives the same stories.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

from compose.errors import ConfigError
from compose.evals.benchmark import Benchmark, Item
from compose.types import Message

OFFSETS: dict[tuple[int, int], str] = {
    (-1, 0): "left",
    (1, 0): "right",
    (0, 1): "above",
    (0, -1): "below",
    (-1, 1): "upper left",
    (1, 1): "upper right",
    (-1, -1): "lower left",
    (1, -1): "lower right",
}
"""Steps on the grid (right, up) and their labels; the same place has the label `overlap`."""
OVERLAP = "overlap"
LABELS = (*OFFSETS.values(), OVERLAP)

_PHRASES: dict[str, tuple[str, ...]] = {
    "left": (
        "{a} is to the left of {b}.",
        "{a} is directly west of {b}.",
        "If you look at {b}, then {a} is at its 9 o'clock.",
        "{b} has {a} right beside it on the left.",
    ),
    "right": (
        "{a} is to the right of {b}.",
        "{a} is directly east of {b}.",
        "If you look at {b}, then {a} is at its 3 o'clock.",
        "{b} has {a} right beside it on the right.",
    ),
    "above": ("{a} is directly above {b}.", "{a} is straight north of {b}.", "Right on top of {b} there is {a}."),
    "below": ("{a} is directly below {b}.", "{a} is straight south of {b}.", "Right underneath {b} there is {a}."),
    "upper left": ("{a} is diagonally up and to the left of {b}.", "{a} is northwest of {b}."),
    "upper right": ("{a} is diagonally up and to the right of {b}.", "{a} is northeast of {b}."),
    "lower left": ("{a} is diagonally down and to the left of {b}.", "{a} is southwest of {b}."),
    "lower right": ("{a} is diagonally down and to the right of {b}.", "{a} is southeast of {b}."),
}
_ASK = (
    "Where is {a} relative to {b}?",
    "Seen from {b}, in which direction is {a}?",
    "What is the position of {a} relative to {b}?",
)
_THINGS = (
    "the lamp", "the chair", "the vase", "the clock", "the piano", "the drum", "the globe", "the mirror", "the ladder",
    "the basket", "the kettle", "the candle", "the statue", "the barrel", "the fan", "the radio", "the plant",
    "the bench", "the crate", "the bell",
)  # fmt: skip
_INSTRUCTION = (
    "Each neighbour is exactly one step away. Choose from: {labels}. "
    "Think step by step, then finish with `Answer: LABEL`."
)


class Spatial(Benchmark):
    """Stories in equal numbers per hop count; the answer is one of nine labels."""

    name = "spatial"
    answer = "choice"
    scoring = "choice"
    licence = "Apache-2.0 (generated)"

    def __init__(
        self, *, seed: int = 0, n: int = 240, hops: Sequence[int] = (1, 2, 3, 4, 5, 6), noise: int = 0
    ) -> None:
        """`noise` is the number of told pairs that the answer does not need."""
        super().__init__(seed=seed)
        self.n = n
        self.hops = tuple(hops)
        self.noise = noise

    def read(self) -> Iterable[Item]:
        """Yield `n` stories, hop counts in turn, no two alike. Raises `ConfigError` for options out of range."""
        most = len(_THINGS) - 1 - self.noise
        if self.n < 1 or not self.hops or self.noise < 0 or not all(1 <= k <= most for k in self.hops):
            raise ConfigError(f"spatial needs n >= 1 and hops of 1 to {most}, got n={self.n}, hops={self.hops}")
        seen: set[str] = set()
        for i in range(self.n):
            hops = self.hops[i % len(self.hops)]
            rng = random.Random(f"spatial/{self.seed}/{hops}/{self.noise}/{i}")
            while (made := story(rng, hops, self.noise))[0] in seen:
                pass
            seen.add(made[0])
            yield self._item(i, hops, *made)

    def _item(self, i: int, hops: int, text: str, label: str) -> Item:
        prompt = f"{text}\n\n{_INSTRUCTION.format(labels=', '.join(LABELS))}"
        meta = {"options": list(LABELS), "question": text}
        return Item(f"spatial-{self.seed}-{i}", (Message("user", prompt),), label, {"hops": str(hops)}, meta)


def story(rng: random.Random, hops: int, noise: int = 0) -> tuple[str, str]:
    """A story of `hops` needed and `noise` needless pairs, and where the last object is seen from the first."""
    things = rng.sample(_THINGS, hops + 1 + noise)
    chain, extra = things[: hops + 1], things[hops + 1 :]
    x = y = 0
    told: list[str] = []
    for before, after in pairwise(chain):
        (dx, dy), label = rng.choice(list(OFFSETS.items()))
        x, y = x + dx, y + dy
        told.append(_tell(rng, after, before, (dx, dy), label))
    for i, thing in enumerate(extra):
        beside = rng.choice(chain[1:-1] + extra[:i] or chain)
        offset, label = rng.choice(list(OFFSETS.items()))
        told.append(_tell(rng, thing, beside, offset, label))
    rng.shuffle(told)
    ask = rng.choice(_ASK).format(a=chain[-1], b=chain[0])
    return " ".join([*told, ask]), direction(x, y)


def direction(x: int, y: int) -> str:
    """The label of an offset of any size.

    >>> direction(3, -1), direction(0, 0)
    ('lower right', 'overlap')
    """
    return OVERLAP if (x, y) == (0, 0) else OFFSETS[(x > 0) - (x < 0), (y > 0) - (y < 0)]


def _tell(rng: random.Random, a: str, b: str, offset: tuple[int, int], label: str) -> str:
    """Say that `a` lies at `offset` from `b`, or the same the other way round."""
    if rng.random() < 0.5:
        a, b, label = b, a, OFFSETS[-offset[0], -offset[1]]
    sentence = rng.choice(_PHRASES[label]).format(a=a, b=b)
    return sentence[0].upper() + sentence[1:]
