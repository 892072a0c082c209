"""A record as it may be passed on: without where things lie on this machine, and without what a URL hides.

Models keep their ids, since a record without them would say nothing; those of
files lose the folder, those of servers the user, password and query. Paths in
messages of errors are cut down to the file's name.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from compose.models.cache.key import public_id

if TYPE_CHECKING:
    from collections.abc import Iterable

_PATH = re.compile(r"(?<![\w:/.~*-])~?/(?:[^\s'\"/:;,]+/)*([^\s'\"/:;,]+)")
"""An absolute path in a text; no part of a URL, of an id or of a fraction."""


def public_names(ids: Iterable[str]) -> dict[str, str]:
    """What each id is called in public, different ids differently; those that hide nothing are left out.

    >>> public_names(["gpt-4o", "local//home/me/m.gguf", "local//srv/m.gguf"])
    {'local//home/me/m.gguf': 'local/m.gguf', 'local//srv/m.gguf': 'local/2/m.gguf'}
    """
    ids = sorted(set(ids))
    taken = {id for id in ids if _public(id) == id}
    names: dict[str, str] = {}
    for id in ids:
        if id in taken:
            continue
        name, number = _public(id), 2
        while name in {*taken, *names.values()}:
            head, slash, last = _public(id).rpartition("/")
            name, number = f"{head}{slash}{number}{slash}{last}", number + 1
        names[id] = name
    return names


def renamed(text: str, names: dict[str, str]) -> str:
    """A JSON text in which every id has its public name, also where the JSON is itself within a string."""
    for id in sorted(names, key=len, reverse=True):
        once, new = json.dumps(id, ensure_ascii=False)[1:-1], json.dumps(names[id], ensure_ascii=False)[1:-1]
        twice = json.dumps(once, ensure_ascii=False)[1:-1]
        text = text.replace(twice, new).replace(once, new)
    return text


def without_paths(message: str) -> str:
    """A message with the names of files, and without their folders.

    >>> without_paths("there is no file /home/me/m.gguf (see http://host/v1)")
    'there is no file m.gguf (see http://host/v1)'
    """
    return _PATH.sub(r"\1", message)


def _public(id: str) -> str:
    provider, slash, rest = id.partition("/")
    if provider == "local" and slash and rest.endswith(".gguf"):
        return f"local/{rest.rpartition('/')[2]}"
    return public_id(id)
