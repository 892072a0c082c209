"""Pipeline files: YAML or JSON in, a checked pipeline out, and back.

An unknown field, technique or value is refused with file, line, field and the
nearest valid name. A file names techniques, settings and models and nothing
else: no code is imported from it and no environment variable read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
import yaml

from compose.errors import ConfigError, UnknownName
from compose.pipeline import text
from compose.pipeline.graph import Parallel, Pipeline
from compose.pipeline.node import Technique, build
from compose.pipeline.text import LINE, plain
from compose.registry import find, names

VERSION = 1
MOST_STEPS = 1_000
"""In one file, branches counted: steps side by side before steps side by side make many edges."""


def load(path: str | Path) -> Pipeline:
    """Read a pipeline file.

    Its models may be servers, which get the questions and never a key: keys go
    only where a trusted `compose.toml` sends them.
    Raises `ConfigError` (exit 2) with file and line for anything that is not a
    pipeline, and `UnknownName` with the nearest name.
    """
    path = Path(path)
    return parse(text.read(path, "pipeline file"), where=str(path))


def parse(source: str, *, where: str = "pipeline") -> Pipeline:
    """The pipeline that a YAML or JSON text describes."""
    return from_data(text.parse(source, where=where), where=where)


def from_data(data: Any, *, where: str = "") -> Pipeline:
    """The pipeline of a pipeline-file object."""
    where = where or "pipeline"
    line = _line(data)
    if not _is_object(data) or "steps" not in data:
        raise ConfigError(
            f"{_at(where, line)}a pipeline is an object with `version` and `steps`",
            hint="see `compose schema`",
        )
    _only(data, ("version", "steps"), where)
    version = data.get("version")
    if version != VERSION:
        raise ConfigError(f"{_at(where, line)}`version` is {version!r}, this compose reads {VERSION}")
    pipeline = _steps(data["steps"], where, line)
    if (count := _count(pipeline)) > MOST_STEPS:
        raise ConfigError(f"{_at(where, line)}{count} steps; at most {MOST_STEPS}")
    return pipeline.check()


def _count(pipeline: Pipeline) -> int:
    return sum(sum(map(_count, s.branches)) if isinstance(s, Parallel) else 1 for s in pipeline.steps)


def _steps(steps: Any, where: str, line: int | None) -> Pipeline:
    if not _is_list(steps) or not steps:
        raise ConfigError(f"{_at(where, line)}`steps` is a list of steps, not {_kind(steps)}")
    return Pipeline([_step(step, where, line) for step in steps])


def _step(data: Any, where: str, line: int | None) -> Technique | Parallel:
    line = _line(data) or line
    if _is_object(data) and "parallel" in data:
        _only(data, ("parallel",), where)
        branches = data["parallel"]
        if not _is_list(branches) or not branches:
            raise ConfigError(f"{_at(where, line)}`parallel` is a list of branches, not {_kind(branches)}")
        return Parallel(tuple(b for branch in branches for b in _branch(branch, where, line)))
    if not _is_object(data) or "use" not in data:
        raise ConfigError(f"{_at(where, line)}a step has `use` or `parallel`, this is {_kind(data)}")
    name = data["use"]
    try:
        cls: type[Technique] = find("techniques", str(name))
    except UnknownName:
        raise UnknownName("technique", str(name), names("techniques"), where=_at(where, line)) from None
    settings = {str(k): plain(v) for k, v in data.items() if k not in ("use", LINE)}
    return build(cls, settings, where=_at(where, line))


def _branch(data: Any, where: str, line: int | None) -> tuple[Pipeline, ...]:
    if _is_object(data) and "steps" in data:
        _only(data, ("steps",), where)
        pipeline = _steps(data["steps"], where, _line(data) or line)
    else:
        pipeline = Pipeline((_step(data, where, line),))
    match pipeline.steps:
        case (Parallel(branches),):
            return branches
        case _:
            return (pipeline,)


def to_data(pipeline: Pipeline) -> dict[str, Any]:
    """The pipeline-file object of a pipeline; `from_data` is its inverse."""
    return {"version": VERSION, "steps": [_step_data(s) for s in pipeline.steps]}


def _step_data(step: Technique | Parallel) -> dict[str, Any]:
    if isinstance(step, Parallel):
        return {"parallel": [_branch_data(b) for b in step.branches]}
    return msgspec.to_builtins(step)


def _branch_data(branch: Pipeline) -> dict[str, Any]:
    if len(branch.steps) == 1:
        return _step_data(branch.steps[0])
    return {"steps": [_step_data(s) for s in branch.steps]}


def to_yaml(pipeline: Pipeline) -> str:
    """A pipeline file as YAML."""
    return yaml.safe_dump(to_data(pipeline), sort_keys=False, allow_unicode=True, width=100)


def to_json(pipeline: Pipeline) -> str:
    """A pipeline file as JSON."""
    return json.dumps(to_data(pipeline), indent=2, ensure_ascii=False) + "\n"


def save(pipeline: Pipeline, path: Path) -> Path:
    """Write a pipeline file; the suffix `.json` gives JSON, all else YAML."""
    written = to_json(pipeline) if path.suffix == ".json" else to_yaml(pipeline)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, "utf-8")
    except OSError as error:
        raise ConfigError(f"pipeline file {str(path)!r} cannot be written: {error.strerror}") from error
    return path


def _only(data: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for field in data:
        if field not in known and field != LINE:
            raise UnknownName("field", str(field), known, where=_at(where, _line(data)))


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _line(data: object) -> int | None:
    return data.get(LINE) if _is_object(data) else None


def _at(where: str, line: int | None) -> str:
    return f"{where}:{line}: " if line else f"{where}: "


def _kind(value: object) -> str:
    if value == []:
        return "an empty list"
    named = {"dict": "an object", "list": "a list", "str": "a text", "NoneType": "nothing", "bool": "true or false"}
    return named.get(type(value).__name__, "a number")
