"""The shapes of pipelines that search proposes: each a few choices that become steps.

A shape names its choices and their default values, turns drawn values into the
steps of a pipeline file, and counts how many pipelines it can make. Shapes that
put new prompts to a model are left out where all answers are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import comb, prod
from typing import Any, Protocol

import msgspec

Options = Mapping[str, tuple[Any, ...]]
Steps = list[dict[str, Any]]
MOST_MODELS = 7
"""Models in one cascade or ensemble."""


class Pick(Protocol):
    """Draws one of several values under a name; the same name always offers the same values."""

    def __call__(self, name: str, values: Sequence[Any], /) -> Any:
        """Draw one of `values`."""
        ...


class Draw(msgspec.Struct, frozen=True):
    """What a shape builds from: the space's models, cheapest first, and the drawn choices."""

    models: tuple[str, ...]
    """Models as the space names them: what is drawn from."""
    order: tuple[str, ...]
    """The same, cheapest first."""
    answer: str
    options: Options
    pick: Pick

    def one(self, name: str) -> Any:
        """One of the values of an option."""
        return self.pick(name, self.options[name])

    def model(self, name: str) -> str:
        """One model."""
        return self.pick(name, self.models)

    def several(self, count: int) -> list[str]:
        """Up to `count` different models, cheapest first."""
        drawn = {self.model(f"model.{i}") for i in range(min(count, len(self.models)))}
        return [m for m in self.order if m in drawn]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of pipeline."""

    about: str
    build: Callable[[Draw], Steps]
    options: Options = {}
    asks_anew: bool = False
    """It needs fresh samples or new prompts, which recordings do not have."""
    models: tuple[str, ...] = ("model",)
    """Names of its choices of one model each; `several` for a set whose size is the first option."""

    def size(self, options: Options, models: int) -> int:
        """An upper bound on how many different pipelines it can make."""
        total = prod(len(values) for values in options.values()) * models ** len(
            [m for m in self.models if m == "model"]
        )
        if "several" in self.models:
            sizes = next(iter(options.values()))
            total = total // len(sizes) * sum(comb(models, min(int(n), models)) for n in sizes)
        return total


def _single(draw: Draw) -> Steps:
    return [{"use": "generate", "model": draw.model("model")}]


def _cascade(draw: Draw) -> Steps:
    length, agree, final = draw.one("length"), draw.one("agree"), draw.one("final")
    models = draw.several(length)
    if len(models) == 1:
        return [{"use": "generate", "model": models[0]}]
    return [
        {"use": "cascade", "models": models, "agree": min(agree, len(models)), "answer": draw.answer, "final": final}
    ]


def _ensemble(draw: Draw) -> Steps:
    models = draw.several(draw.one("size"))[::-1]
    if len(models) == 1:
        return [{"use": "generate", "model": models[0]}]
    return [{"use": "ensemble", "models": models}, {"use": "vote", "answer": draw.answer}]


def _sampled(draw: Draw) -> dict[str, Any]:
    """The step that asks one model several times."""
    model, n, temperature = draw.model("model"), draw.one("n"), draw.one("temperature")
    return {"use": "generate", "model": model, "n": n, "temperature": temperature}


def _samples(draw: Draw) -> Steps:
    return [_sampled(draw), {"use": "vote", "answer": draw.answer}]


def _best_of(draw: Draw) -> Steps:
    return [_sampled(draw), {"use": "best_of", "model": draw.model("judge")}]


def _ranked(draw: Draw) -> Steps:
    return [_sampled(draw), {"use": "rank", "model": draw.model("judge")}]


def _verified(draw: Draw) -> Steps:
    return [
        _sampled(draw),
        {"use": "verify", "model": draw.model("judge")},
        {"use": "vote", "answer": draw.answer},
    ]


def _fused(draw: Draw) -> Steps:
    judge = draw.model("judge")
    critique: Steps = [{"use": "critique", "model": judge}] if draw.one("critique") else []
    return [_sampled(draw), *critique, {"use": "fuse", "model": judge}]


SHAPES: dict[str, Shape] = {
    "single": Shape(about="one model, once", build=_single),
    "cascade": Shape(
        about="ask models from cheap to dear until enough of them agree",
        build=_cascade,
        models=("several",),
        options={"length": (2, 3, 4, 5), "agree": (2, 3), "final": ("vote", "last")},
    ),
    "ensemble": Shape(
        about="ask several models at once and vote", build=_ensemble, models=("several",), options={"size": (3, 5, 7)}
    ),
    "samples": Shape(
        about="ask one model several times and vote (self-consistency)",
        build=_samples,
        options={"n": (3, 5), "temperature": (0.4, 0.8)},
        asks_anew=True,
    ),
    "best_of": Shape(
        about="ask one model several times, a judge scores each and the best stays",
        build=_best_of,
        models=("model", "model"),
        options={"n": (3, 5), "temperature": (0.4, 0.8)},
        asks_anew=True,
    ),
    "ranked": Shape(
        about="ask one model several times, a judge compares them and the best stays",
        build=_ranked,
        models=("model", "model"),
        options={"n": (3, 5), "temperature": (0.4, 0.8)},
        asks_anew=True,
    ),
    "verified": Shape(
        about="ask one model several times, drop what a verifier refuses, vote",
        build=_verified,
        models=("model", "model"),
        options={"n": (3, 5), "temperature": (0.4, 0.8)},
        asks_anew=True,
    ),
    "fused": Shape(
        about="ask one model several times and fuse the answers, criticised first or not",
        build=_fused,
        models=("model", "model"),
        options={"n": (3, 5), "temperature": (0.4, 0.8), "critique": (False, True)},
        asks_anew=True,
    ),
}
