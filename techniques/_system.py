"""Say something to a model before a conversation that may have a system message of its own."""

from __future__ import annotations

from compose.types import Message


def with_system(text: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The conversation with `text` before its system message, in one message with it.

    One, because many chat templates refuse a second system message.
    """
    if messages and messages[0].role in ("system", "developer") and isinstance(messages[0].content, str):
        own = messages[0]
        return Message(own.role, f"{text}\n\n{own.content}", own.name), *messages[1:]
    return Message("system", text), *messages
