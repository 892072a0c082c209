"""Our own models pass the cases that we ship."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compose.config import Config
from compose.models.model import Model
from compose.models.resolve import resolve
from compose.models.weights import KNOWN, at_hand
from compose.testing.models import ModelCases
from compose.testing.scripted import ScriptedModel
from compose.testing.server import FakeServer
from compose.types import Price


class TestScripted(ModelCases):
    def make(self) -> Model:
        return ScriptedModel(price=Price(input=1.0, output=2.0))


class TestHttp(ModelCases):
    @pytest.fixture(autouse=True)
    async def _server(self) -> AsyncIterator[None]:
        async with FakeServer() as self.server:
            yield

    def make(self) -> Model:
        return resolve(self.server.id(), Config())


class TestReplay(ModelCases):
    @pytest.fixture(autouse=True)
    def _set(self, tmp_path: Path) -> None:
        self.data = tmp_path
        folder = tmp_path / "set"
        folder.mkdir()
        row = {"id": "1", "model": "m", "output": "OK.", "prompt_tokens": 3, "completion_tokens": 2}
        (folder / "records.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
        (folder / "items.jsonl.gz").write_bytes(gzip.compress(b'{"id": "1", "prompt": "Say OK."}'))
        (folder / "models.json").write_text('{"m": {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}}')

    def make(self) -> Model:
        return resolve("replay/set/m", Config(), data=self.data)


@pytest.mark.skipif(
    at_hand(KNOWN["smollm2-135m"]) is None, reason="the weights of smollm2-135m are not on this machine"
)
class TestLocal(ModelCases):
    @pytest.fixture(autouse=True)
    def _engine(self) -> None:
        pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")

    def make(self) -> Model:
        return resolve("local/smollm2-135m", Config())
