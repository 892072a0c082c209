"""The cases that any provider's model must pass.

class TestMine(ModelCases):
    def make(self) -> Model:
        return Mine("mine/m", …)
"""

from __future__ import annotations

import asyncio

from compose.cost import price_of
from compose.errors import ConfigError
from compose.models.model import Model
from compose.types import Message, Params, Request


class ModelCases:
    """What every model promises; subclass it, name `make`, and let pytest (asyncio mode auto) run it."""

    def make(self) -> Model:
        """A new model."""
        raise NotImplementedError

    def request(self, model: Model) -> Request:
        """Something that the model can answer."""
        return Request(model.id, (Message("user", "Say OK."),), Params(max_tokens=8))

    async def test_it_is_a_model(self) -> None:
        """It has all that the protocol asks for, and a name."""
        model = self.make()
        assert isinstance(model, Model)
        assert model.id
        assert model.kind
        await model.aclose()

    async def test_it_answers_with_its_id_tokens_and_a_price_that_fits(self) -> None:
        """An unknown price gives an unknown cost, a known one the price of the tokens."""
        model = self.make()
        response = await model.complete(self.request(model))
        await model.aclose()
        assert response.model == model.id
        assert response.usage.completion_tokens >= 0
        assert response.usd == price_of(response.usage, model.price)
        assert response.seconds >= 0
        assert not response.cached

    async def test_a_stream_is_its_pieces_and_ends_with_the_response(self) -> None:
        """Nothing is left out, and only the last delta carries the response."""
        model = self.make()
        *pieces, last = [delta async for delta in model.stream(self.request(model))]
        await model.aclose()
        assert last.response is not None
        assert "".join(piece.text for piece in pieces) + last.text == last.response.text
        assert all(piece.response is None for piece in pieces)

    async def test_what_it_does_not_take_is_refused_before_a_call(self) -> None:
        """Each thing that its abilities exclude is a `ConfigError` that names model and thing."""
        model = self.make()
        for what, request in _asking_too_much(model):
            try:
                await model.complete(request)
            except ConfigError as error:
                assert what in error.message, error.message
                assert model.id in error.message, error.message
            else:
                raise AssertionError(f"{model.id} took {what}")
        await model.aclose()

    async def test_calls_run_side_by_side(self) -> None:
        """Several calls at once all come back."""
        model = self.make()
        answers = await asyncio.gather(*(model.complete(self.request(model)) for _ in range(3)))
        await model.aclose()
        assert [answer.model for answer in answers] == [model.id] * 3

    async def test_it_can_be_closed_twice_and_unused(self) -> None:
        """Closing is always allowed."""
        model = self.make()
        await model.aclose()
        await model.aclose()


def _asking_too_much(model: Model) -> list[tuple[str, Request]]:
    text, can = (Message("user", "hi"),), model.abilities
    image = (Message("user", [{"type": "image_url", "image_url": {"url": "data:,"}}]),)
    audio = (Message("user", [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]),)
    tool = {"type": "function", "function": {"name": "f"}}
    cases = [
        (can.images, "image parts", Request(model.id, image)),
        (can.audio, "audio parts", Request(model.id, audio)),
        (can.tools, "tools", Request(model.id, text, Params(tools=(tool,)))),
        (can.response_format, "response_format", Request(model.id, text, Params(response_format={"type": "text"}))),
        (can.logprobs, "logprobs", Request(model.id, text, Params(logprobs=True))),
        (can.grammar, "grammar", Request(model.id, text, Params(grammar='root ::= "a"'))),
        (can.effort, "effort", Request(model.id, text, Params(effort="low"))),
    ]
    return [(what, request) for able, what, request in cases if not able]
