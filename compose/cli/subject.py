"""What a command works on: P is a pipeline file or a model id, and the caller that it needs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from compose.cli.output import say

if TYPE_CHECKING:
    from compose.evals.benchmark import Benchmark
    from compose.models.call import Caller
    from compose.pipeline.graph import Pipeline
    from compose.search.space import Space

CacheMode = Literal["on", "read", "off"]
DEFAULT_BENCHMARK = "arith"
"""Generated word problems: measured on where nothing else is named, since it needs no data."""
_FILES = (".yaml", ".yml", ".json")


def is_file(text: str) -> bool:
    """Whether P names a pipeline file.

    >>> is_file("winner.yaml"), is_file("local/smollm2-135m")
    (True, False)
    """
    return "://" not in text and text.endswith(_FILES)


def read(text: str) -> Pipeline:
    """The pipeline that P names; a model id is the pipeline that asks it once.

    Raises `ConfigError` for a file that cannot be read. Whether the models exist
    is found out by `open_caller`, which knows the configuration.
    """
    if is_file(text):
        from compose.pipeline.files import load

        pipeline = load(text)
        name_servers(pipeline.models(), Path(text))
        return pipeline
    from compose.techniques.generate import generate

    return generate(text)


def space(file: Path) -> Space:
    """The space that a file holds; raises `ConfigError`."""
    from compose.search.space import load_space

    found = load_space(file)
    name_servers(found.models, file)
    return found


def name_servers(models: Iterable[str], file: Path) -> None:
    """Say which servers a file makes the questions go to, where its folder is not trusted.

    To name a file is to accept it, servers included; no key goes there. But
    nobody reads a file before each run, and a question that left the machine is gone.
    """
    from compose.config import is_trusted

    servers = sorted({host for model in models if (host := _away(model))})
    if servers and not is_trusted(folder := file.resolve().parent):
        say(f"{file} sends questions to {', '.join(servers)} (`compose trust {folder}` ends this line)")


def _away(model: str) -> str | None:
    """The server of a model that is not on this machine."""
    host = urlsplit(model).hostname if "://" in model else None
    return None if host is None or host == "localhost" or host.startswith("127.") or host == "::1" else host


def benchmark(
    name: str | None, *, data: Path | None, seed: int, scorer: str | None = None, **options: Any
) -> Benchmark:
    """The benchmark of a name or a file, with its options; `DEFAULT_BENCHMARK` where none is named."""
    from compose.evals.benchmark import load_benchmark

    if scorer:
        options["scorer"] = scorer
    return load_benchmark(name or DEFAULT_BENCHMARK, data=data, seed=seed, **options)


@asynccontextmanager
async def open_caller(
    pipelines: Iterable[Pipeline] = (),
    *,
    config: Path | None = None,
    data: Path | None = None,
    cache: CacheMode | None = None,
    budget: float | None = None,
) -> AsyncGenerator[Caller]:
    """A caller for a command's run; a model that cannot be had is refused before anything is spent."""
    from compose.config import load_config
    from compose.models.call import Caller

    settings = load_config(explicit=config)
    async with Caller(settings, cache=cache or settings.cache, budget=budget, data=data) as caller:
        for pipeline in pipelines:
            for model in pipeline.check().models():
                caller.model(model)
        yield caller
