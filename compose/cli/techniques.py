"""`compose techniques`: what there is, where it comes from, what it costs."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from itertools import pairwise
from typing import Any

import click

from compose.cli.options import command as declare
from compose.cli.output import emit, show, table
from compose.errors import UnknownName
from compose.registry import find, names


@declare("techniques")
@click.argument("name", required=False)
def command(name: str | None, as_json: bool) -> None:
    """List the techniques, their papers, calls and settings.

    With NAME, that one in full.

    Example:

        compose techniques fuse
    """
    if name is not None and name not in names("techniques"):
        raise UnknownName("technique", name, names("techniques"))
    rows = [describe(n) for n in ([name] if name else names("techniques"))]
    if as_json:
        emit("techniques", {"techniques": rows})
    elif name:
        _show_one(rows[0])
    else:
        table(["name", "paper", "what", "calls"], [(r["name"], r["paper"], r["summary"], r["calls"]) for r in rows])


def describe(name: str) -> dict[str, Any]:
    """One technique as `compose techniques --json` lists it."""
    import msgspec

    cls = find("techniques", name)
    schema = msgspec.json.schema(cls)
    fields = schema["$defs"][cls.__name__]["properties"] if "$defs" in schema else schema["properties"]
    notes = _field_notes(cls)
    settings = {k: {**v, "description": notes.get(k, "")} for k, v in fields.items() if k != "use"}
    return {
        "name": name,
        "paper": cls.paper,
        "summary": (inspect.getdoc(cls) or "").partition("\n")[0],
        "calls": _calls(cls),
        "settings": settings,
    }


def _calls(cls: type) -> str:
    """The `Calls:` paragraph of the technique's file: its cost formula in words."""
    text = inspect.cleandoc(sys.modules[cls.__module__].__doc__ or "")
    _, found, rest = text.partition("Calls:")
    return " ".join(rest.partition("\n\n")[0].split()) if found else ""


def _field_notes(cls: type) -> dict[str, str]:
    """The docstring below each field, from the class and those it inherits from."""
    notes: dict[str, str] = {}
    for base in reversed([b for b in cls.__mro__ if b.__module__.startswith("compose.")]):
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, note in pairwise(statements):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and (text := _text(note)):
                notes[field.target.id] = text
    return notes


def _text(statement: ast.stmt) -> str:
    """What a statement says if it is a bare string."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return inspect.cleandoc(str(statement.value.value))
    return ""


def _show_one(row: dict[str, Any]) -> None:
    show(f"{row['name']}  {row['paper']}\n{row['summary']}\nCalls: {row['calls']}\n")
    table(
        ["setting", "default", "what"],
        [(k, repr(v["default"]) if "default" in v else "needed", v["description"]) for k, v in row["settings"].items()],
    )
