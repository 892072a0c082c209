"""The DSL: `>>` and `|` are associative, the DAG is what the tree says."""

from collections.abc import Callable

import networkx as nx
import pytest

import compose as c
from compose.config import Config
from compose.models.call import Caller
from compose.pipeline.graph import Pipeline
from compose.pipeline.node import ModelTechnique
from compose.testing.scripted import ScriptedModel
from compose.types import Price, Range, State

a, b, d = c.generate("a"), c.generate("b"), c.generate("d")


def test_both_operators_are_associative() -> None:
    assert (a | b) | d == a | (b | d)
    v, r = c.vote(), c.rank("r")
    assert (a >> r) >> v == a >> (r >> v)
    assert hash((a | b) | d) == hash(a | (b | d))


def test_every_branch_feeds_every_branch_behind_it() -> None:
    pipe = (a | b) >> (c.rank("r") | c.critique("k")) >> c.fuse("f")
    edges = set(pipe.graph.edges)
    assert {("generate", "rank"), ("generate-2", "rank"), ("generate", "critique"), ("critique", "fuse")} <= edges
    assert len(edges) == 6
    assert nx.is_directed_acyclic_graph(pipe.graph)
    assert pipe.sinks == ("fuse",)
    assert [n.id for n in pipe.plan][-1] == "fuse"


def test_parents_stand_in_the_order_of_the_branches() -> None:
    pipe = (a | (b >> c.critique("k")) | d) >> c.fuse("f")
    fuse = next(n for n in pipe.plan if n.id == "fuse")
    assert fuse.parents == ("generate", "critique", "generate-3")


def test_settings_are_checked_when_a_step_is_made() -> None:
    with pytest.raises(c.ConfigError, match="Expected `int` >= 1"):
        c.generate("m", n=0)
    with pytest.raises(c.ConfigError, match="Expected `str`"):
        c.generate(3)  # pyright: ignore[reportArgumentType]


def test_a_pipeline_that_cannot_work_is_refused_before_any_call() -> None:
    with pytest.raises(c.ConfigError, match="reads candidates"):
        (c.vote() >> c.fuse("f")).run("x")


def test_calls_are_known_before_a_run() -> None:
    pipe = (c.generate("a", n=3) | c.ensemble(["b", "d"], n=2)) >> c.verify("v") >> c.rank("r") >> c.fuse("f")
    assert pipe.calls() == Range(7 + 7 + 0 + 1, 7 + 7 + 1 + 1, 7 + 7 + 1 + 1)
    cascade = c.cascade(["a", "b", "d"], agree=2)
    assert (cascade.calls().low, cascade.calls().high) == (2, 3)


def test_models_are_listed_once_in_order() -> None:
    assert ((a | b | a) >> c.fuse("b")).models() == ("a", "b")


def test_repr_reads_like_the_code_that_made_it() -> None:
    pipe = (a | c.generate("b", n=2)) >> c.vote()
    assert repr(pipe) == "(generate(model='a') | generate(model='b', n=2)) >> vote()"
    assert eval(repr(pipe), {"generate": c.generate, "vote": c.vote}) == pipe


def test_draw_escapes_what_a_file_may_hold() -> None:
    drawn = (c.generate('<script>"x"') >> c.vote()).draw()
    assert "<script>" not in drawn
    assert "&lt;script&gt;&quot;x&quot;" in drawn
    assert "question --> n0" in drawn
    assert "n0 --> n1" in drawn


def test_explain_without_prices_says_unknown_and_not_zero() -> None:
    explained = (a >> c.vote()).explain("x")
    assert explained.usd is None
    assert explained.calls == Range.exactly(1)
    assert "unknown" in str(explained)


class Dashed(ModelTechnique, frozen=True, kw_only=True, tag="dashed-step"):
    """A step of a package, under a name with a dash."""


class Numbered(ModelTechnique, frozen=True, kw_only=True, tag="dashed-step-2"):
    """One whose name is another's second node."""


def test_every_step_has_an_id_of_its_own_whatever_it_is_called() -> None:
    one, two, other = Dashed("a"), Dashed("b"), Numbered("d")
    assert [n.id for n in Pipeline([one, two, one]).plan] == ["dashed-step", "dashed-step-2", "dashed-step-3"]
    assert [n.id for n in Pipeline([other, one, two]).plan] == ["dashed-step-2", "dashed-step", "dashed-step-3"]
    assert [n.id for n in Pipeline([one, two, other]).plan] == ["dashed-step", "dashed-step-2", "dashed-step-2-2"]


async def unknown(state: State, ctx: object) -> State:
    return state


def priced(**dollars: float) -> Caller:
    """A caller over models of these prices, in dollars a token in and out."""
    caller = Caller(Config(), cache="off")
    for id, usd in dollars.items():
        caller.add(ScriptedModel(id, price=Price(input=1e6 * usd, output=1e6 * usd)))
    return caller


def test_what_a_function_will_call_is_unknown_and_not_free() -> None:
    explained = (a >> c.node(unknown)).explain("x", caller=priced(a=1))
    assert [step.usd is None for step in explained.steps] == [False, True]
    assert explained.usd is None


def test_the_least_dollars_are_those_of_the_cheapest_model_and_the_most_those_of_the_dearest() -> None:
    caller = priced(cheap=1, dear=100)
    cheap, dear = (c.generate(m, max_tokens=500).explain("x", caller=caller).usd for m in ("cheap", "dear"))
    both = c.cascade(["cheap", "dear"], agree=1, max_tokens=500).explain("x", caller=caller).usd
    assert cheap
    assert dear
    assert both
    assert both.low == cheap.low
    assert both.high == 2 * dear.high
    assert cheap.expected < both.expected < dear.expected * 2


@pytest.mark.parametrize("step", [c.critique, c.verify, c.best_of])
def test_a_step_that_looks_at_each_candidate_pays_for_one_a_call(step: Callable[..., Pipeline]) -> None:
    caller = priced(a=1, j=1)
    one, five = ((c.generate("a", n=n) >> step("j")).explain("x", caller=caller).steps[1].usd for n in (1, 5))
    assert one
    assert five
    assert five.expected == pytest.approx(5 * one.expected)
