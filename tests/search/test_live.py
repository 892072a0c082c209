"""A search over models that answer new prompts: all shapes, shared samples, races, nothing paid twice."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from compose.evals.scorers import Scorer, make
from compose.models.call import Caller
from compose.search.record import read_record
from compose.search.search import search
from compose.search.space import Space
from compose.testing.scripted import ScriptedModel
from compose.types import Price, Request
from tests.search.conftest import Toy


class Live(Toy):
    """The toy sums, asked of models that answer anything."""

    recorded = False

    def models(self) -> list[str]:
        """One good, one bad."""
        return ["good", "bad"]


def model(id: str, chance: float, usd: float) -> ScriptedModel:
    """Right with that chance, by request, so that the same sample is the same answer."""

    def answer(request: Request) -> str:
        text = request.messages[-1].text
        found = re.search(r"What is (\d+) \+ 1", text)
        draw = random.Random(f"{id} {text} {request.sample}")
        right = int(found.group(1)) + 1 if found else 0
        return f"The answer is {right if draw.random() < chance else draw.randint(1000, 10**9)}."

    return ScriptedModel(id, answer=answer, latency=0.001, price=Price(input=usd, output=usd))


def caller_of(good: ScriptedModel, bad: ScriptedModel) -> Caller:
    caller = Caller()
    caller.add(good)
    caller.add(bad)
    return caller


async def test_every_shape_runs_and_samples_are_shared(tmp_path: Path) -> None:
    good, bad = model("good", 0.9, 1.0), model("bad", 0.1, 2.0)
    async with caller_of(good, bad) as caller:
        result = await search(Live(), caller=caller, out=tmp_path / "run", limit=64, trials=30)
    assert {t.shape for t in result.tried} >= {"single", "cascade", "samples", "best_of", "fused"}
    assert result.made == len(good.requests) + len(bad.requests)
    assert result.made < result.calls / 2
    assert result.best_single is not None
    assert result.best_single.model == "good"
    assert result.best_single.latency_s is not None
    assert not result.errors
    assert (tmp_path / "run" / "report.html").read_text().count("<svg") == 2


async def test_a_hopeless_pipeline_is_stopped_early(tmp_path: Path) -> None:
    space = Space(
        models=("good", "bad"),
        answer="number",
        shapes={"single": {}, "samples": {"n": (3,), "temperature": (0.8,)}},
    )
    good, bad = model("good", 0.95, 1.0), model("bad", 0.05, 2.0)
    async with caller_of(good, bad) as caller:
        await search(Live(), caller=caller, out=tmp_path / "run", limit=128, trials=8, space=space)
    trials = {t.measured.key: t for t in read_record(tmp_path / "run").trials}
    stopped = [t for t in trials.values() if t.stopped_early]
    assert ["bad" in t.measured.key for t in stopped] == [True]
    assert stopped[0].measured.items < 64
    assert all(t.measured.items == 64 for t in trials.values() if t.measured.single)


async def test_resuming_pays_for_nothing_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with caller_of(model("good", 0.9, 1.0), model("bad", 0.1, 2.0)) as caller:
        first = await search(Live(), caller=caller, out=out, limit=32, trials=10)
    good, bad = model("good", 0.9, 1.0), model("bad", 0.1, 2.0)
    async with caller_of(good, bad) as caller:
        again = await search(Live(), caller=caller, out=out, resume=True, limit=32, trials=10)
        assert caller.spent == 0
    assert not good.requests
    assert not bad.requests
    assert again.to_json()["winner"] == first.to_json()["winner"]
    assert again.to_json()["front"] == first.to_json()["front"]


class Judged(Live):
    """The sums, marked by a model that costs something."""

    def make_scorer(self) -> Scorer:
        """A judge with a model of its own."""
        return make("judge", model="marker")


async def test_what_the_judge_takes_is_spent_and_is_no_price_of_a_pipeline(tmp_path: Path) -> None:
    marker = ScriptedModel("marker", answer=lambda _: "Right. Mark: 10", price=Price(input=5.0, output=5.0))
    good, bad = model("good", 0.9, 1.0), model("bad", 0.1, 2.0)
    async with caller_of(good, bad) as caller:
        caller.add(marker)
        space = Space(models=("good", "bad"), answer="number", shapes={"single": {}})
        result = await search(Judged(), caller=caller, out=tmp_path / "run", limit=32, trials=2, space=space)
        paid = caller.spent
    made = len(good.requests) + len(bad.requests) + len(marker.requests)
    assert marker.requests
    assert result.made == made
    assert result.calls == 2 * (2 * 16 + 16)  # two pipelines on dev, the better one on test, each answer marked
    assert result.usd_spent == pytest.approx(paid)
    assert result.usd is not None
    assert result.usd < paid
    assert result.best_single is not None
    assert result.best_single.usd_per_item == pytest.approx(20e-6)
