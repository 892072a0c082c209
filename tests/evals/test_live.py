"""The smallest real model on the easiest generated items: a default search must see differences."""

from __future__ import annotations

import pytest

from compose.errors import ComposeError
from compose.evals.benchmark import EMBEDDED_MODEL, load_benchmark
from compose.evals.evaluate import evaluate
from compose.models.call import Caller
from compose.pipeline.graph import Pipeline
from compose.techniques.generate import Generate


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_the_smallest_model_gets_some_first_level_items_right() -> None:
    pytest.importorskip("xllamacpp")
    benchmark = load_benchmark("arith", n=16, levels=(1,))
    pipe = Pipeline.of(Generate(model=EMBEDDED_MODEL, temperature=0.0, max_tokens=100))
    async with Caller(cache="off") as caller:
        try:
            caller.model(EMBEDDED_MODEL)
        except ComposeError as error:
            pytest.skip(f"no weights here: {error}")
        found = await evaluate(pipe, benchmark, benchmark.items(), caller)
    assert not found.errors
    assert 0 < found.quality.mean < 1
