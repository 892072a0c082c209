"""Say something to a model before a conversation that may have a system message of its own."""

from __future__ import annotations

import msgspec

from compose.types import Message


def with_system(text: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The conversation with `text` before its system message, in one message with it.

    One, because many chat templates refuse a second system message.
    """
    if not messages or messages[0].role not in ("system", "developer"):
        return Message("system", text), *messages
    own, *rest = messages
    both = [{"type": "text", "text": text}, *own.content] if isinstance(own.content, list) else f"{text}\n\n{own.text}"
    return msgspec.structs.replace(own, content=both), *rest
