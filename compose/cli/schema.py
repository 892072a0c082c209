"""`compose schema`: the JSON Schema of a pipeline file, for editors and other programs."""

from __future__ import annotations

import json
from typing import Any

from compose.cli.options import command as declare
from compose.cli.output import show
from compose.registry import find, names


@declare("schema")
def command() -> None:
    """Print the JSON Schema of a pipeline file.

    It holds every registered technique and setting. `--json` changes nothing:
    the schema is JSON.

    Example:

        compose schema > pipeline.schema.json
    """
    show(json.dumps(pipeline_schema(), indent=2))


def pipeline_schema() -> dict[str, Any]:
    """The JSON Schema of `version: 1` pipeline files."""
    import msgspec

    techniques = [find("techniques", name) for name in names("techniques")]
    refs, components = msgspec.json.schema_components(techniques, ref_template="#/$defs/{name}")
    parallel = {
        "type": "object",
        "properties": {"parallel": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/branch"}}},
        "required": ["parallel"],
        "additionalProperties": False,
    }
    steps = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}}
    sequence = {
        "type": "object",
        "properties": {"steps": steps},
        "required": ["steps"],
        "additionalProperties": False,
    }
    return {
        "schema": "compose.schema/1",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "compose pipeline file, version 1",
        "type": "object",
        "properties": {"version": {"const": 1}, "steps": steps},
        "required": ["version", "steps"],
        "additionalProperties": False,
        "$defs": {
            "step": {"anyOf": [*refs, {"$ref": "#/$defs/parallel"}]},
            "branch": {"anyOf": [{"$ref": "#/$defs/step"}, sequence]},
            "parallel": parallel,
            **components,
        },
    }
