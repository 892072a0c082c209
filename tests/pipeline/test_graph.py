"""The DSL: `>>` and `|` are associative, the DAG is what the tree says."""

import networkx as nx
import pytest

import compose as c
from compose.types import Range

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
    assert "unknown price" in str(explained)
