"""What a technique is, and the only door it has to the world outside its state."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, ParamSpec, Protocol, TypeVar, cast

import msgspec

from compose.errors import ConfigError, UnknownName
from compose.types import Message, Params, Range, Response, State

if TYPE_CHECKING:
    from compose.pipeline.graph import Pipeline

P = ParamSpec("P")
T = TypeVar("T")


class Context(Protocol):
    """What a technique may use: models, seeded randomness and the trace."""

    @property
    def rng(self) -> random.Random:
        """Seeded from the run's seed, the node and the question."""
        ...

    async def call(self, model: str, messages: Sequence[Message], *, n: int = 1, **params: Any) -> list[Response]:
        """Draw `n` samples, in sample order; `params` are fields of `compose.types.Params`.

        Samples that this run has already drawn with the same request are not
        drawn again: two steps that ask alike get different samples.
        Raises the `ModelError` of the first sample that failed for good.
        """
        ...

    def note(self, text: str) -> None:
        """Say something about this step in the trace."""
        ...


async def at_once(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await coroutines together, results in their order; the first failure cancels the rest and is raised."""
    waiting = list(calls)
    if len(waiting) == 1:
        return [await waiting[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in waiting]
    except BaseExceptionGroup as error:
        raise first_error(error) from error
    return [task.result() for task in tasks]


def first_error(error: BaseException) -> BaseException:
    """The first leaf of an exception group: one thing went wrong first, the rest was cancelled."""
    while isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        error = group.exceptions[0]
    return error


def call_params(given: dict[str, Any]) -> Params:
    """The `params` of `Context.call` as the value that a request holds; what is `None` is left out.

    Raises `UnknownName` for one that there is not.
    """
    chosen = {k: v for k, v in given.items() if v is not None}
    try:
        return Params(**chosen)
    except TypeError as error:
        wrong = next((k for k in chosen if k not in Params.__struct_fields__), None)
        if wrong is None:
            raise ConfigError(str(error)) from error
        raise UnknownName("call parameter", wrong, Params.__struct_fields__) from error


class Technique(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="use", omit_defaults=True
):
    """One inference-time technique. Its fields are its settings.

    A subclass sets its `tag` (the name in files and on the command line), its
    fields with types and ranges (`Annotated[int, msgspec.Meta(ge=1, le=10)]`),
    a docstring under each field, and the two methods. It stores and does
    nothing else on construction, so it can be cloned, printed, tuned and
    rebuilt from its record.
    """

    paper: ClassVar[str] = ""
    """Where it comes from, e.g. `arXiv:2203.11171`."""

    needs_candidates: ClassVar[bool] = True
    """False for a technique that can stand first in a pipeline."""

    foretold: ClassVar[bool] = True
    """False for a technique whose calls cannot be known before it runs."""

    @property
    def streams(self) -> bool:
        """True where its one candidate is the text of its last call, so that it can be streamed."""
        return False

    async def run(self, state: State, ctx: Context) -> State:
        """Transform a state; the input is never changed."""
        raise NotImplementedError

    def calls(self, inputs: Range) -> Range:
        """How many model calls this makes, given how many candidates come in."""
        raise NotImplementedError

    def outputs(self, inputs: Range) -> Range:
        """How many candidates come out, given how many come in."""
        return inputs

    def asks(self) -> tuple[str, ...]:
        """The ids of the models that it may call."""
        return ()

    def reads(self, inputs: Range) -> Range:
        """How many candidates stand in the prompt of one call, given how many come in."""
        return inputs if self.needs_candidates else Range.exactly(0)

    @classmethod
    def name(cls) -> str:
        """The tag: the name in files, in the DSL and on the command line."""
        return str(cls.__struct_config__.tag)


class ModelTechnique(Technique, frozen=True, kw_only=False):
    """A technique whose first setting is the model it asks."""

    model: str
    """Id of the model to ask."""

    def asks(self) -> tuple[str, ...]:
        """The one model."""
        return (self.model,)


class ModelsTechnique(Technique, frozen=True, kw_only=False):
    """A technique whose first setting is the models it asks."""

    models: Annotated[list[str], msgspec.Meta(min_length=1)]
    """Ids of the models to ask, in their order."""

    def asks(self) -> tuple[str, ...]:
        """All of `models`."""
        return tuple(self.models)


def build(cls: type[Technique], settings: dict[str, Any], *, where: str = "") -> Technique:
    """Make a technique from plain settings, checked against its types and ranges.

    Raises `UnknownName` for a setting that it does not have, `ConfigError` for a
    value that it does not take; `where` (file and line) opens the message.
    """
    for setting in settings:
        if setting not in cls.__struct_fields__:
            raise UnknownName(f"setting of `{cls.name()}`", setting, cls.__struct_fields__, where=where)
    try:
        return msgspec.convert({"use": cls.name(), **settings}, cls)
    except UnknownName as error:  # of a technique that looks its setting up
        raise UnknownName(error.what, error.name, where=where, hint=error.hint) from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}`{cls.name()}`: {error}") from error


def step(cls: Callable[P, Technique]) -> Callable[P, Pipeline]:
    """Turn a technique class into the function of the DSL: settings in, pipeline out.

    The signature stays that of the class, for editors and type checkers.
    """

    def make(*args: P.args, **kwargs: P.kwargs) -> Pipeline:
        from compose.pipeline.graph import Pipeline

        technique = cls(*args, **kwargs)
        plain = {f: getattr(technique, f) for f in technique.__struct_fields__}
        return Pipeline.of(build(type(technique), msgspec.to_builtins(plain)))

    make.__doc__ = cls.__doc__
    make.__name__ = make.__qualname__ = getattr(cls, "name", lambda: "step")()
    return make
