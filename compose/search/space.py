"""The space of a search: which models, which shapes, which values, as an editable file.

It proposes pipeline *data*; equal data has one canonical JSON, the key under
which a search evaluates it once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from compose.errors import ConfigError, UnknownName
from compose.pipeline.text import parse, plain, read
from compose.registry import find
from compose.search.shapes import SHAPES, Draw, Pick
from compose.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

Data = dict[str, Any]
VERSION = 1


class Space(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be tried. `shapes` maps a shape's name to its options' values.

    `recorded` are those of the models that have recorded answers only: they are
    asked the benchmark's own prompts, once each.

    >>> space = Space(models=("a", "b"), answer="number", shapes={"single": {}})
    >>> space.propose(lambda name, values: values[0])["steps"]
    [{'use': 'generate', 'model': 'a'}]
    """

    version: int = VERSION
    models: tuple[str, ...]
    recorded: tuple[str, ...] = ()
    answer: str = "auto"
    max_tokens: int | None = None
    """Most tokens of any answer; unset leaves it to the models."""
    shapes: dict[str, dict[str, tuple[Any, ...]]]

    @property
    def size(self) -> int:
        """An upper bound on the number of different pipelines."""
        return sum(SHAPES[name].size(options, len(self.askable(name))) for name, options in self.shapes.items())

    def askable(self, shape: str) -> tuple[str, ...]:
        """The models that a shape can use."""
        if not SHAPES[shape].asks_anew:
            return self.models
        return tuple(m for m in self.models if m not in self.recorded)

    def only(self, models: Sequence[str]) -> Space:
        """This space with just these models."""
        return msgspec.structs.replace(self, models=tuple(models))

    def propose(self, pick: Pick, *, order: Sequence[str] = ()) -> Data:
        """The pipeline-file object that the drawn values describe.

        `order` are the models from cheap to dear, as they were measured; without
        it their order in the file counts.
        """
        shape = pick("shape", tuple(self.shapes))
        draw = Draw(
            models=self.askable(shape),
            order=tuple(order) or self.models,
            answer=self.answer,
            options=self.shapes[shape],
            pick=lambda name, values: pick(f"{shape}.{name}", values),
        )
        return {"version": 1, "steps": [self._limited(step) for step in SHAPES[shape].build(draw)]}

    def _limited(self, step: Data) -> Data:
        """A step with the limit on its answers, where it writes any."""
        if self.max_tokens is None or "max_tokens" not in find("techniques", step["use"]).__struct_fields__:
            return step
        return {**step, "max_tokens": self.max_tokens}

    def from_params(self, params: Mapping[str, Any], *, order: Sequence[str] = ()) -> Data:
        """The object that recorded choices describe; a choice that was not made is the first value."""
        return self.propose(lambda name, values: params.get(name, values[0]), order=order)

    def allows(self, params: Mapping[str, Any]) -> bool:
        """Whether every choice in `params` is one that this space offers."""
        shape = params["shape"]
        if shape not in self.shapes:
            return False
        for name, value in params.items():
            option = name.partition(".")[2]
            values = self.shapes[shape].get(option, self.askable(shape)) if option else (shape,)
            if value not in values:
                return False
        return True

    def save(self, path: Path) -> None:
        """Write the space with a comment beside each shape, so that it can be edited."""
        data = msgspec.to_builtins(self)
        shapes: dict[str, Any] = data.pop("shapes")
        lines = ["# What a search may try. Edit it and pass it with --space.", yaml.safe_dump(data, sort_keys=False)]
        lines.append("shapes:")
        for name, options in shapes.items():
            text = yaml.safe_dump({name: options}, sort_keys=False, default_flow_style=None).rstrip()
            lines.append(f"  # {SHAPES[name].about}")
            lines.extend(f"  {line}" for line in text.splitlines())
        write_whole(path, "\n".join(lines) + "\n")


def derive(
    *, models: Sequence[str], answer: str = "auto", recorded: Collection[str] = (), max_tokens: int | None = None
) -> Space:
    """The default space: every shape that the models at hand can run.

    Shapes that draw new samples or put new prompts use the models that are not
    `recorded`; with one model, only shapes that need one are left.
    """
    shapes: dict[str, dict[str, tuple[Any, ...]]] = {}
    for name, shape in SHAPES.items():
        if shape.asks_anew and not set(models) - set(recorded):
            continue
        if "several" in shape.models and len(models) < 2:
            continue
        shapes[name] = {option: _fitting(option, values, len(models)) for option, values in shape.options.items()}
    return Space(
        models=tuple(models),
        recorded=tuple(m for m in models if m in recorded),
        answer=answer,
        max_tokens=max_tokens,
        shapes=shapes,
    )


def _fitting(option: str, values: tuple[Any, ...], models: int) -> tuple[Any, ...]:
    if option not in ("length", "size", "agree"):
        return values
    return tuple(v for v in values if v <= models) or (models,)


def load_space(path: Path) -> Space:
    """Read a space file. Raises `ConfigError`, or `UnknownName` with the nearest name."""
    try:
        space = msgspec.convert(plain(parse(read(path, "space file"), where=str(path))), Space)
    except msgspec.ValidationError as error:
        raise ConfigError(f"space file {str(path)!r}: {error}") from error
    return _checked(space, f"{path}: ")


def _checked(space: Space, where: str) -> Space:
    if space.version != VERSION:
        raise ConfigError(f"{where}`version` is {space.version}, this compose reads {VERSION}")
    if not space.models or not space.shapes:
        raise ConfigError(f"{where}a space needs at least one model and one shape")
    for name, options in space.shapes.items():
        if name not in SHAPES:
            raise UnknownName("shape", name, SHAPES, where=where)
        for option in options:
            if option not in SHAPES[name].options:
                raise UnknownName("option", option, SHAPES[name].options, where=f"{where}shape `{name}`: ")
        if not space.askable(name):
            raise ConfigError(f"{where}shape `{name}` puts new prompts, and all models are recorded")
    shapes = {
        name: {option: tuple(options.get(option, values)) for option, values in SHAPES[name].options.items()}
        for name, options in ({"single": {}} | space.shapes).items()  # all else is compared with models alone
    }
    for name, options in shapes.items():
        for option, values in options.items():
            if not values:
                raise ConfigError(f"{where}option `{option}` of shape `{name}` has no value")
    return msgspec.structs.replace(space, shapes=shapes)
