"""A record can be passed on: it says what was measured, and nothing of the machine it was measured on."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from compose.errors import DataError, Unreachable
from compose.models.call import Caller
from compose.search.public import public_names, renamed, without_paths
from compose.search.record import NAME, Failure, Measured, read_record, write_record
from compose.search.report import render_report
from compose.search.result import conclude
from compose.search.search import search
from compose.testing.scripted import ScriptedModel
from compose.types import Price, Request, Response
from tests.search.conftest import Toy

FILE, TWIN, SERVER = "local//home/someone/m.gguf", "local/~/other/m.gguf", "http://host/v1?key=hush#m"


class Lacking(ScriptedModel):
    """A model whose failure tells where it looked."""

    async def complete(self, request: Request) -> Response:
        """Fail."""
        raise Unreachable("/home/someone/lib/engine.so is not there", model=self.id, hint="see ~/notes/engine.txt")


async def test_a_record_names_no_path_and_no_key_and_replays(recordings: Path, tmp_path: Path) -> None:
    price = Price(input=1.0, output=1.0)
    models = [
        ScriptedModel(FILE, answer=lambda r: "The answer is 7.", price=price),
        ScriptedModel(TWIN, answer=lambda r: f"The answer is {r.messages[-1].text.split()[2]}.", price=price),
        Lacking(SERVER, price=price),
    ]
    async with Caller(data=recordings, retries=0) as caller:
        for model in models:
            caller.add(model)
        out = tmp_path / "someone" / "run"
        result = await search(Toy(), caller=caller, out=out, models=[m.id for m in models], trials=8, limit=20)
    text = gzip.decompress((out / NAME).read_bytes()).decode()
    for private in ("someone", "hush", "other/", "~", str(recordings), str(tmp_path)):
        assert private not in text
    (error,) = conclude(read_record(out)).errors
    assert error == {"model": "http://host/v1#m", "message": "http://host/v1#m: engine.so is not there"}
    replayed = conclude(read_record(out)).to_json()
    said = result.to_json()
    for field in ("evaluated", "full_evaluations", "calls", "usd", "usd_spent", "too_few_items", "space_size"):
        assert replayed[field] == said[field]
    assert replayed["best_single"]["quality"] == said["best_single"]["quality"]
    assert replayed["best_single"]["model"] in ("local/m.gguf", "local/2/m.gguf")
    assert render_report(out)


def test_a_name_within_json_within_json_is_found() -> None:
    names = public_names([FILE, TWIN, "local/m.gguf"])
    assert set(names) == {FILE, TWIN}
    assert len({*names.values(), "local/m.gguf"}) == 3
    inner = f'{{"model":"{FILE}"}}'.replace('"', '\\"')
    assert "someone" not in renamed(f'{{"key":"{inner}"}}', names)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("cannot read '/home/me/a b.txt'", "cannot read 'a b.txt'"),
        ("no file ~/x/y.gguf, and none at /srv/y.gguf", "no file y.gguf, and none at y.gguf"),
        ("http://host:1/v1#m: 3/4 of it, and/or more", "http://host:1/v1#m: 3/4 of it, and/or more"),
    ],
)
def test_paths_in_messages_lose_their_folders(message: str, shown: str) -> None:
    assert without_paths(message) == shown


def test_a_failure_is_as_public_as_its_message(tmp_path: Path) -> None:
    from tests.search.test_report import record_of

    none = (None,) * 200
    record = record_of(Measured(key=FILE, pipeline={"version": 1, "steps": []}, scores=none, usd=none))
    failure = Failure("Unreachable", f"{FILE}: no /home/someone/x", "look in /home/someone", FILE)
    record.trials = [type(t)(number=0, params={}, measured=t.measured, failure=failure) for t in record.trials]
    write_record(record, tmp_path / NAME)
    kept = read_record(tmp_path / NAME).trials[0].failure
    assert kept == Failure("Unreachable", "local/m.gguf: no x", "look in someone", "local/m.gguf")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "2: not a search record"),
        (b"\xff", "2: not a search record"),
        (b"[" * 100_000, "2: not a search record"),
        (b'{"kind":"end","end":{}}', "2: not a search record"),
    ],
)
async def test_a_broken_line_is_named(line: bytes, words: str, recordings: Path, tmp_path: Path) -> None:
    async with Caller(data=recordings) as caller:
        await search(Toy(), caller=caller, out=tmp_path / "run", trials=4, limit=8)
    with gzip.open(tmp_path / "run" / NAME, "rb") as file:
        setup = file.readline()
    (tmp_path / "broken.gz").write_bytes(gzip.compress(setup + line + b"\n"))
    with pytest.raises(DataError, match=f"broken.gz:{words}"):
        read_record(tmp_path / "broken.gz")


async def test_marks_are_as_many_as_items(recordings: Path, tmp_path: Path) -> None:
    async with Caller(data=recordings) as caller:
        await search(Toy(), caller=caller, out=tmp_path / "run", trials=4, limit=8)
    with gzip.open(tmp_path / "run" / NAME, "rt") as file:
        lines = [json.loads(line) for line in file]
    lines[1]["trial"]["measured"]["scores"].pop()
    whole = "\n".join(map(json.dumps, lines)).encode()
    (tmp_path / "short.gz").write_bytes(gzip.compress(whole))
    with pytest.raises(DataError, match=r"short.gz:2: .*3 marks and 4 prices of 4 items"):
        read_record(tmp_path / "short.gz")
