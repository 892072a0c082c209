"""The space proposes what can be built, counts it, and survives its file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from compose.errors import ConfigError, UnknownName
from compose.pipeline.graph import Pipeline
from compose.search.portfolio import Single, efficient, portfolio, singles
from compose.search.record import Measured
from compose.search.shapes import SHAPES
from compose.search.space import Data, Space, derive, load_space


def measured_of(data: Data) -> Measured:
    return Measured(
        key="k",
        pipeline=data,
        scores=(),
        usd=(),
        latency_s=None,
        calls=0,
        made=0,
        usd_spent=0.0,
        seconds=0.0,
        errors={},
        failed=0,
    )


MODELS = ("a", "b", "c", "d", "e")


def test_recordings_are_asked_nothing_new() -> None:
    space = derive(models=MODELS, recorded=MODELS)
    assert set(space.shapes) == {"single", "cascade", "ensemble"}
    assert set(derive(models=MODELS).shapes) == set(SHAPES)


def test_a_recorded_model_beside_a_live_one_is_asked_nothing_new() -> None:
    space = derive(models=("a", "b"), recorded=("a",))
    assert space.askable("samples") == ("b",)
    assert space.askable("cascade") == ("a", "b")


def test_one_model_has_no_cascade() -> None:
    assert "cascade" not in derive(models=("a",)).shapes
    assert "samples" in derive(models=("a",)).shapes


@pytest.mark.parametrize("recorded", [True, False])
def test_every_proposal_is_a_pipeline_of_the_space(recorded: bool) -> None:
    space = derive(models=MODELS, answer="number", recorded=MODELS if recorded else ())
    rng = random.Random(1)
    keys: set[str] = set()
    for _ in range(500):
        pipeline = Pipeline.from_data(space.propose(lambda _, values: rng.choice(list(values))))
        assert set(pipeline.models()) <= set(MODELS)
        keys.add(pipeline.key)
    assert 50 < len(keys) <= space.size


def test_size_bounds_a_small_space_closely() -> None:
    space = Space(models=("a", "b", "c"), shapes={"single": {}, "ensemble": {"size": (3,)}})
    assert space.size == 4


def test_cascades_go_from_cheap_to_dear() -> None:
    space = derive(models=MODELS, recorded=MODELS)
    rng = random.Random(2)
    order = ["e", "d", "c", "b", "a"]
    for _ in range(100):
        for step in space.propose(lambda _, values: rng.choice(list(values)), order=order)["steps"]:
            if step["use"] == "cascade":
                assert step["models"] == sorted(step["models"], reverse=True)


def test_file_round_trip(tmp_path: Path) -> None:
    space = derive(models=MODELS, answer="choice")
    space.save(tmp_path / "space.yaml")
    assert load_space(tmp_path / "space.yaml") == space
    assert "#" in (tmp_path / "space.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("models: [a]\nshapes: {cascad: {}}", "cascad"),
        ("models: [a]\nshapes: {cascade: {lenght: [2]}}", "lenght"),
        ("models: [a]\nshapes: {cascade: {length: []}}", "no value"),
        ("models: []\nshapes: {single: {}}", "at least one"),
        ("models: [a]\nshapes: {single: {}}\nversion: 9", "version"),
        ("models: [a]\nshapes: {single: {}}\nmore: 1", "more"),
        ("models: [a", "space.yaml:1: expected"),
        ("models: &a [a]\nshapes: *a", "space.yaml:2: aliases are not allowed"),
        ("models: " + "[" * 100_000, "space.yaml:1: nested more than"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        load_space(file)


def test_nearest_shape_is_named(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("models: [a]\nshapes: {cascad: {}}")
    with pytest.raises(UnknownName) as caught:
        load_space(file)
    assert caught.value.nearest == "cascade"


def test_portfolio_stays_in_the_space() -> None:
    space = Space(models=MODELS, shapes={"single": {}, "cascade": {"length": (3,), "agree": (2,), "final": ("last",)}})
    known = {m: Single(0.5 + i / 10, 1.0 + i) for i, m in enumerate(MODELS)}
    seeds = portfolio(space, known)
    assert seeds
    assert all(space.allows(s) for s in [*singles(space, {}), *seeds])
    built = [space.from_params(s, order=MODELS)["steps"][0] for s in seeds]
    assert all(step["models"][-1] == "e" and len(step["models"]) == 3 for step in built)


def test_efficient_models_are_not_dominated() -> None:
    known = {"a": Single(0.5, 1), "b": Single(0.4, 2), "c": Single(0.9, 3), "d": Single(0.9, 4)}
    assert efficient(known) == ["a", "c"]


def test_a_limit_on_answers_stands_in_every_step_that_writes_one() -> None:
    space = derive(models=("a", "b"), answer="number", max_tokens=24)
    for params in (*singles(space, {}), *portfolio(space, {"a": Single(0.5, 1.0), "b": Single(0.6, 2.0)})):
        for step in space.from_params(params)["steps"]:
            assert step.get("max_tokens") == (None if step["use"] in ("vote", "rank") else 24)


def test_a_model_with_a_limit_on_its_answer_is_still_a_single_model() -> None:
    space = derive(models=("a",), max_tokens=24)
    data = space.from_params(singles(space, {})[0])
    assert measured_of(data).single == "a"
    assert measured_of({"version": 1, "steps": [{"use": "generate", "model": "a", "n": 3}]}).single is None


def test_models_alone_are_part_of_every_space(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text("models: [a, b]\nshapes: {ensemble: {}}\n", encoding="utf-8")
    assert "single" in load_space(tmp_path / "space.yaml").shapes


def test_singles_begin_with_the_cheapest_and_end_with_unknown_prices() -> None:
    prices = {"dear": {"input": 3.0, "output": 9.0}, "cheap": {"input": 0.1, "output": 0.2}, "half": {"input": 0.1}}
    order = [p["single.model"] for p in singles(derive(models=("half", "dear", "cheap")), prices)]
    assert order == ["cheap", "dear", "half"]
