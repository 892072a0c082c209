"""What an answer is stored under, and the name of its model as it may be shown."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from compose.errors import ConfigError

if TYPE_CHECKING:
    from compose.types import Request

VERSION = 1
"""Part of every key: raise it when a request's encoding changes its meaning."""

_encode = msgspec.msgpack.Encoder().encode


def key_of(request: Request, identity: str = "") -> bytes:
    """The 20-byte name of an answer: model, messages, parameters and sample index.

    `identity` says more about the model than its id does (a file's digest, a
    server). Secrets are no part of a request and so never get here.

    >>> from compose.types import Message, Request
    >>> ask = Request("m", (Message("user", "hi"),))
    >>> key_of(ask) == key_of(msgspec.structs.replace(ask, sample=1))
    False

    Raises `ConfigError` for a text that cannot be sent: half a surrogate pair.
    """
    try:
        encoded = _encode((VERSION, identity, request))
    except UnicodeEncodeError as error:
        raise ConfigError("the question holds bytes or half characters that are not UTF-8 text") from error
    return blake2b(encoded, digest_size=20).digest()


def public_id(model: str) -> str:
    """A model id without what a URL may hide: user, password and query.

    >>> public_id("http://me:secret@host/v1?key=1#m")
    'http://host/v1#m'
    """
    if "://" not in model or not ("@" in model or "?" in model):
        return model
    scheme, _, rest = model.partition("://")
    address, mark, name = rest.partition("#")
    return f"{scheme}://{address.partition('?')[0].rpartition('@')[2]}{mark}{name}"
