"""YAML and JSON texts of unknown origin: bounded in size and depth, without aliases.

What an honest file holds is read as ever; one that was made to be slow is
refused with its line before it costs anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import yaml

from compose.errors import ConfigError

LINE = "__line__"
"""Key under which each object holds the line that it begins on."""
MOST_BYTES = 256 * 1024
MOST_DEPTH = 100
"""Objects and lists within each other; each `parallel` within another adds two to five."""
MOST_NODES = 20_000
"""Objects, lists, keys and values; a plain step has about ten."""
_LONGEST_NUMBER = 40
"""Characters; a longer one can become an integer that takes minutes to print."""
_LONGEST_MESSAGE = 400


class _Loader(yaml.SafeLoader):
    """A safe loader that leaves the line of each object in it, and refuses what can be slow or misread."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = cast("yaml.NodeEvent", self.peek_event())  # pyright: ignore[reportUnknownMemberType] - not in its stubs
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        if self.depth >= MOST_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested more than {MOST_DEPTH} deep", problem_mark=event.start_mark)
        if self.nodes >= MOST_NODES:
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_NODES} values", problem_mark=event.start_mark)
        self.depth += 1
        self.nodes += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=True)
        if len(mapping) != len(node.value):
            raise yaml.MarkedYAMLError(problem="a key stands twice", problem_mark=node.start_mark)
        mapping[LINE] = node.start_mark.line + 1
        return mapping

    def construct_yaml_str(self, node: yaml.ScalarNode) -> str:
        """JSON writes what lies beyond 16 bits as two escapes, which YAML leaves apart."""
        return self.construct_scalar(node).encode("utf-16", "surrogatepass").decode("utf-16")

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return super().construct_yaml_int(_short(node))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        return super().construct_yaml_float(_short(node))


_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.construct_yaml_str)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _short(node: yaml.ScalarNode) -> yaml.ScalarNode:
    if len(node.value) > _LONGEST_NUMBER:
        raise yaml.MarkedYAMLError(
            problem=f"a number of more than {_LONGEST_NUMBER} characters", problem_mark=node.start_mark
        )
    return node


def read(path: Path, what: str) -> str:
    """The text of a file; `ConfigError` for one that cannot be read, is too large or is no text.

    `what` names its kind in the message.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{what} {str(path)!r} cannot be read: {error.strerror}") from error
    _bounded(len(raw), str(path))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{what} {str(path)!r} is not UTF-8 text") from error


def parse(text: str, *, where: str) -> Any:
    """The data of a YAML or JSON text (JSON is read as YAML), each object with its line under `LINE`.

    Raises `ConfigError` with `where` and the line.
    """
    _bounded(len(text), where)
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{where}:{line}: {error.problem}"[:_LONGEST_MESSAGE]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{where}: not a YAML text: {error}".splitlines()[0][:_LONGEST_MESSAGE]) from error


def plain(value: Any) -> Any:
    """A value without the lines in it."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in cast("dict[Any, Any]", value).items() if k != LINE}
    return [plain(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


def _bounded(size: int, where: str) -> None:
    if size > MOST_BYTES:
        raise ConfigError(f"{where}: larger than {MOST_BYTES // 1024} KiB")
